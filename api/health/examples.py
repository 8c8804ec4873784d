"""Examples of health: what the pages of the API show."""

from typing import Any, Final

from api.examples import Responses, show, show_error, show_text
from core.errors import ServiceMissingError

_PART: Final[dict[str, Any]] = {"status": "ok", "latency_ms": 0.62, "detail": "answers"}
_WORKER: Final[dict[str, Any]] = {
    "status": "ok",
    "latency_ms": 412.0,
    "detail": "1 running",
    "events_per_second": 18_400.0,
    "lag_ms": 210,
}
HEALTH: Final[dict[str, Any]] = {
    "status": "ok",
    "timestamp": "2026-01-26T10:32:15.250000Z",
    "version": "0.1.0",
    "keys": "required",
    "database": _PART,
    "redis": _PART,
    "flow": {**_WORKER, "lag_usual_ms": 190},
    "archive": {**_WORKER, "detail": "running"},
    "alerts": {
        "status": "ok",
        "latency_ms": 340.0,
        "detail": "running",
        "changes_waiting": 0,
        "lag_ms": 0,
        "deliveries_waiting": 2,
        "deliveries_oldest_ms": 41_000,
    },
    "jobs": {
        "status": "ok",
        "latency_ms": 3100.0,
        "detail": "running",
        "waiting": 1,
        "oldest_ms": 400,
    },
}
_DOWN: Final = "The database did not answer in time."

ALIVE: Final[Responses] = show({"status": "ok"})
READY: Final[Responses] = {
    **ALIVE,
    **show_error(ServiceMissingError, "/readyz", f"database: {_DOWN}"),
}
METRICS: Final[Responses] = show_text(
    'telemetra_events_accepted_total{type="chat"} 182340.0', "text/plain"
)
EVERYTHING: Final[Responses] = {
    **show(HEALTH),
    503: {
        "description": "Nothing can be served; the parts say why.",
        **show(
            {
                **HEALTH,
                "status": "error",
                "database": {"status": "error", "latency_ms": None, "detail": _DOWN},
            }
        )[200],
    },
}
