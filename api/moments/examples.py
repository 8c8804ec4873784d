"""Examples of moments: what the pages of the API show."""

from typing import Any, Final

from api.examples import NO_STREAM, Responses, show_answer, show_problem

PATH: Final = "/api/v1/moments"
STREAM_PATH: Final = "/api/v1/streams/northlight_live/moments"

MOMENT: Final[dict[str, Any]] = {
    "moment_id": "moment_5f2c8e0b9d314a67",
    "stream_id": "northlight_live",
    "timestamp": "2026-01-26T10:31:00Z",
    "started_at": "2026-01-26T10:31:00Z",
    "peak_at": "2026-01-26T10:32:00Z",
    "ended_at": None,
    "moment_type": "chat_spike",
    "metric_name": "chat_count",
    "metric_value": 612.0,
    "expected": 148.5,
    "threshold": 290.0,
    "z_score": 6.8,
    "score": 1.9,
    "direction": "up",
    "state": "open",
    "description": "612 messages a minute, expected about 149.",
    "reasons": ["Four times the usual rate of the last hour."],
    "metadata": {},
}
_PAGE: Final = {"data": [MOMENT], "next_cursor": None}
_WRONG: Final = "state: Input should be 'open', 'acknowledged', 'shelved' or 'resolved'"

ALL: Final[Responses] = {
    **show_answer(_PAGE),
    **show_problem(422, PATH, _WRONG, "state"),
}
OF_ONE_STREAM: Final[Responses] = {
    **show_answer(_PAGE),
    **show_problem(404, STREAM_PATH, NO_STREAM),
    **show_problem(422, STREAM_PATH, _WRONG, "state"),
}
