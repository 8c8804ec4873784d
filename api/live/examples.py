"""Examples of live messages: what the pages of the API show."""

from typing import Any, Final

from api.examples import NO_STREAM, Responses, show, show_error, show_problem, show_text
from core.errors import LiveFullError

HEALTH: Final[dict[str, Any]] = {
    "connections": 12,
    "streams": 8,
    "shards": 6,
    "sent": 182_340,
    "dropped": 0,
    "replaced": 0,
    "refused": 0,
    "too_slow": 0,
    "timestamp": "2026-01-26T10:32:15.250000Z",
}
_EVENT: Final = """event: minute
id: 1769423535000001
data: {"seq":4,"position":1769423535000001,"type":"minute","stream_id":"northlight_live"}

"""
_FULL: Final = "This process has 10000 live connections, and takes no more. Try again later."

COUNTED: Final[Responses] = show(HEALTH)
SEVERAL: Final[Responses] = {
    **show_text(_EVENT, "text/event-stream"),
    **show_problem(422, "/sse/live", "streams: Field required", "streams"),
    **show_error(LiveFullError, "/sse/live", _FULL),
}
ONE: Final[Responses] = {
    **show_text(_EVENT, "text/event-stream"),
    **show_problem(404, "/sse/live/northlight_live", NO_STREAM),
    **show_error(LiveFullError, "/sse/live/northlight_live", _FULL),
}
