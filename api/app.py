"""The application: builds everything once and wires it together. No rule lives here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.telemetry import TelemetryConfig
from fastapi_offline import FastAPIOffline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.types import ASGIApp

from api.aliases import NEXT_CURSOR, SlashMiddleware
from api.cache.layered import LayeredCache
from api.cache.listeners import TouchListener
from api.cache.lookups import Lookups
from api.cache.redis import RedisCache
from api.cache.touches import Touches
from api.deps import Resources
from api.descriptions import describe
from api.devices.parts import Devices
from api.errors import add_error_handlers
from api.ingest.bodies import MEGABYTE
from api.ingest.rooms import Room
from api.ingest.small_bodies import SmallBodies
from api.keys.doors import Door
from api.keys.identities import Identities
from api.keys.middleware import KeyMiddleware
from api.keys.people import People
from api.keys.rates import RateLimiter, choose_limit
from api.keys.rings import KeyRing
from api.keys.tickets import TicketBox
from api.live.hub import Hub
from api.middleware import RequestIdMiddleware
from api.news import News
from api.pages.endpoints import add_pages
from api.replies import STALE
from api.routes import ROUTES
from api.scripts.service import Scripts
from api.session_live.hub import SessionHub
from api.session_telemetry.written import Written
from api.sessions.finders import SessionFinder
from api.shortcuts import ShortcutMiddleware, Shortcuts
from api.stt_tasks.uploads import Uploads
from api.traces import TraceMiddleware
from core import json_lines, line_protocol
from core.clock import Clock, SystemClock
from core.settings import VERSION, Settings
from core.traces import Tracer
from db.pool import Pool
from streaming.bus.base import BusWriter
from streaming.bus.connections import open_writer
from streaming.bus.session_news import SessionNews
from streaming.bus.traced import TracedBusWriter
from streaming.traces.tracers import open_tracer

EXPOSED = (
    "Age",
    "Content-Disposition",
    "ETag",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
    NEXT_CURSOR,
    STALE,
)
"""Headers of answers that a page from elsewhere may read; a browser hides all others from it."""

NATIVE_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "auto_configure": False,
}
"""FastAPI's own spans would say everything twice, and would tell queries, which carry tickets."""

REDIS_CONNECTIONS_MAX = 50
"""More look-ups at once wait for one another, no longer than for an answer."""

REDIS_TIMEOUT_S = 1
"""The cache must be faster than the database, or be done without."""


def build_app(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """Return the application over the services of the settings."""
    resources = build_resources(settings, clock or SystemClock())

    # The pages of the API bring their scripts along: a machine without internet can read them.
    app = FastAPIOffline(
        title=settings.api_title,
        version=VERSION,
        lifespan=lambda _: run(resources),
        telemetry=NATIVE_TELEMETRY,
    )
    describe(app)
    app.state.resources = resources
    add_error_handlers(app)
    # What FastAPI works out of a route is kept with it: every application of a process shares it.
    app.router.routes.extend(ROUTES.routes)
    add_pages(app)
    app.middleware_stack = surround(app.build_middleware_stack(), resources)
    return app


@asynccontextmanager
async def run(resources: Resources) -> AsyncIterator[None]:
    """Let work beside the requests begin, and end it with all connections."""
    for reader in (json_lines, line_protocol):
        await asyncio.to_thread(reader.warm_up)
    await resources.identities.start()
    resources.hub.start()
    resources.listener.start()
    resources.news.start()
    resources.session_news.start()
    resources.session_hub.start()
    resources.devices.start()
    yield
    await resources.devices.stop()
    await resources.session_hub.stop()
    await resources.session_news.stop()
    await resources.news.stop()
    await resources.listener.stop()
    await resources.hub.stop()
    await resources.identities.stop()
    await resources.bus.close()
    await resources.redis.aclose()
    await resources.pool.close()
    if resources.tracer is not None:
        await asyncio.to_thread(resources.tracer.stop)


def surround(app: ASGIApp, resources: Resources) -> ASGIApp:
    """Put around an application what every request passes; what comes last is the outermost."""
    settings = resources.settings
    door = Door(resources.identities, RateLimiter(resources.redis, choose_limit(settings)))
    app = KeyMiddleware(app, door, resources.identities)
    app = RequestIdMiddleware(app)
    app = SlashMiddleware(app)
    app = ShortcutMiddleware(app, resources.shortcuts, resources.lookups, door)
    if resources.tracer is not None:
        app = TraceMiddleware(app, resources.tracer)
    if settings.cors_origins:
        app = CORSMiddleware(
            app,
            allow_origins=settings.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=EXPOSED,
        )
    return app


def build_resources(settings: Settings, clock: Clock) -> Resources:
    """Return everything that endpoints use; nothing is connected yet."""
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        settings.require_redis_url(),
        max_connections=REDIS_CONNECTIONS_MAX,
        timeout=REDIS_TIMEOUT_S,
        socket_timeout=REDIS_TIMEOUT_S,
        socket_connect_timeout=REDIS_TIMEOUT_S,
        # Its version would be read from the disk for each connection.
        driver_info=None,
        retry=Retry(NoBackoff(), 1),
    )
    client = redis.asyncio.Redis.from_pool(pool)
    touches = Touches()
    cache = LayeredCache(RedisCache(client, clock), touches, clock)
    database = Pool(settings)
    ring = KeyRing(settings, clock)
    tracer = open_tracer(settings, "api")
    bus = build_bus(settings, tracer)
    return Resources(
        settings=settings,
        clock=clock,
        pool=database,
        redis=client,
        cache=cache,
        lookups=Lookups(cache, clock),
        shortcuts=Shortcuts(),
        listener=TouchListener(client, touches),
        bus=bus,
        room=Room(settings.ingest_held_max_mb * MEGABYTE),
        small_bodies=SmallBodies(settings, clock, bus),
        hub=Hub(client, database, clock, settings),
        ring=ring,
        identities=Identities(ring, People.of(settings, clock), TicketBox(client)),
        tracer=tracer,
        session_finder=SessionFinder(database),
        written=Written(client, database),
        session_news=SessionNews(client),
        session_hub=SessionHub(client),
        uploads=Uploads(settings, database),
        news=News(client, touches, shards=settings.bus_shards),
        scripts=Scripts(settings, database, clock),
        devices=Devices.of(settings, clock=clock, pool=database, client=client, bus=bus),
    )


def build_bus(settings: Settings, tracer: Tracer | None) -> BusWriter:
    """Return the bus; one that hands traces on, where there are any."""
    writer = open_writer(settings)
    if tracer is None:
        return writer
    system = "redis" if settings.kafka_bootstrap_servers is None else "kafka"
    return TracedBusWriter(writer, tracer, system=system)
