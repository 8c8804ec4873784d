"""Routes: what is found where, below the canonical path and beside it."""

from fastapi import APIRouter

from api.alert_routes.endpoints import router as alert_routes
from api.alert_rules.endpoints import previews as alert_previews
from api.alert_rules.endpoints import router as alert_rules
from api.aliases import include_aliases
from api.audit.endpoints import router as audit
from api.boards.endpoints import router as boards
from api.channels.endpoints import router as channels
from api.compare.endpoints import router as compare
from api.dead_letters.endpoints import router as dead_letters
from api.deliveries.endpoints import router as deliveries
from api.descriptions import name_operation
from api.detection.endpoints import router as detection
from api.devices.aliases import router as device_aliases
from api.devices.clients import router as device_clients
from api.devices.commands import router as commands
from api.devices.endpoints import router as devices
from api.devices.histories import router as device_histories
from api.devices.sockets import router as device_sockets
from api.health.endpoints import probes
from api.health.endpoints import router as health
from api.influx.endpoints import router as influx
from api.ingest.endpoints import router as ingest
from api.keys.endpoints import router as keys
from api.keys.endpoints import tickets
from api.live.endpoints import router as live
from api.metrics.endpoints import router as metrics
from api.moments.endpoints import router as moments
from api.notes.endpoints import router as notes
from api.otlp.endpoints import router as otlp
from api.overview.endpoints import router as overview
from api.readings.endpoints import router as readings
from api.remote_write.endpoints import router as remote_write
from api.reports.endpoints import router as reports
from api.scripts.endpoints import router as scripts
from api.session_live.endpoints import router as session_live
from api.session_telemetry.endpoints import router as session_telemetry
from api.sessions.endpoints import router as sessions
from api.streams.endpoints import router as streams
from api.stt_tasks.endpoints import router as stt_tasks
from api.system.endpoints import router as system
from api.transactions.endpoints import router as transactions
from api.tunings.endpoints import router as tunings

CANONICAL = "/api/v1"

SESSIONS = (session_telemetry, notes, stt_tasks, sessions)
"""What front ends of test benches call below `/api`, too."""

ROUTERS = (
    # Looked through one after the other: what is asked most, and cannot wait, stands first.
    ingest,
    health,
    streams,
    overview,
    metrics,
    channels,
    readings,
    transactions,
    compare,
    moments,
    reports,
    detection,
    tunings,
    boards,
    *SESSIONS,
    remote_write,
    keys,
    tickets,
    audit,
    dead_letters,
    system,
    alert_rules,
    alert_previews,
    alert_routes,
    deliveries,
    devices,
    commands,
    device_histories,
    scripts,
)
"""What is found below the canonical path."""

BESIDE = (otlp, live, session_live, device_clients, device_sockets, device_aliases, influx)
"""What protocols and the clients of other systems expect elsewhere."""


def build_routes() -> APIRouter:
    """Return all routes, in the order in which they are looked through."""
    routes = APIRouter(generate_unique_id_function=name_operation)
    routes.include_router(probes)
    for router in ROUTERS:
        routes.include_router(router, prefix=CANONICAL)
    include_aliases(routes, *SESSIONS, prefix="/api")
    for router in BESIDE:
        routes.include_router(router)
    return routes


ROUTES = build_routes()
"""Built once in a process, whichever applications serve them."""
