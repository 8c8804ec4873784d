"""Examples of sessions: what the pages of the API show."""

from typing import Any, Final

from api.examples import Responses, show, show_problem

PATH: Final = "/api/v1/sessions"
SESSION_ID: Final = "sess_0123456789abcdef"
ONE_PATH: Final = f"{PATH}/{SESSION_ID}"

SESSION: Final[dict[str, Any]] = {
    "id": SESSION_ID,
    "name": "Hot start, third try",
    "description": "With the new valve.",
    "status": "active",
    "started_at": "2026-01-26T10:30:00Z",
    "ended_at": None,
    "note_count": 2,
    "stream_ids": ["bench-07"],
    "created_by": "test bench",
    "updated_at": "2026-01-26T10:30:00Z",
    "updated_by": "test bench",
}
SUMMARY: Final[dict[str, Any]] = {
    "session_id": SESSION_ID,
    "started_at": "2026-01-26T10:30:00Z",
    "ended_at": "2026-01-26T10:42:30Z",
    "duration_s": 750.0,
    "notes": {"observation": 1, "system": 1},
    "channels": [
        {
            "channel": "valve_pressure",
            "unit": "bar",
            "count": 750,
            "mean": 2.1,
            "min": 1.9,
            "max": 2.6,
            "last": 2.0,
        },
        {
            "channel": "bench-07/cell_3_temp",
            "unit": "°C",
            "count": 750,
            "mean": 41.2,
            "min": 40.1,
            "max": 58.0,
            "last": 42.0,
        },
    ],
    "moments": {"reading_anomaly": 1},
}
WISHES: Final[dict[str, Any]] = {
    "alone": {"summary": "With a stream of its own only", "value": {"name": "Hot start"}},
    "looking": {
        "summary": "Looking at a bench",
        "value": {"name": "Hot start, third try", "stream_ids": ["bench-07"]},
    },
}
CHANGES: Final[dict[str, Any]] = {
    "end": {"summary": "End it", "value": {"status": "ended"}},
    "rename": {"summary": "Rename it", "value": {"name": "Hot start, fourth try"}},
}

NONE: Final = show_problem(404, ONE_PATH, f"There is no session {SESSION_ID!r}.")
_BLANK: Final = "name: String should match a pattern"

SESSIONS: Final[Responses] = show({"data": [SESSION], "next_cursor": None})
CREATED: Final[Responses] = {
    **show(SESSION, 201),
    **show_problem(422, PATH, _BLANK, "name"),
}
ONE: Final[Responses] = {**show(SESSION), **NONE}
CHANGED: Final[Responses] = {**ONE, **show_problem(422, ONE_PATH, _BLANK, "name")}
SUMMARISED: Final[Responses] = {**show(SUMMARY), **NONE}
DELETED: Final[Responses] = {
    **show({"id": SESSION_ID, "complete": True, "rows": {"readings": 750}}),
    **NONE,
}
LEFT: Final[dict[str, Any]] = {
    "description": "Rows of its stream are left: send it again.",
    **show({"id": SESSION_ID, "complete": False, "rows": {"readings": 90_000_000}}, 202)[202],
}
