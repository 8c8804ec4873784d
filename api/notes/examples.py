"""Examples of notes: what the pages of the API show."""

from typing import Any, Final

from api.examples import Responses, show, show_problem
from api.sessions.examples import NONE, ONE_PATH, SESSION, SESSION_ID, SUMMARY

PATH: Final = f"{ONE_PATH}/notes"
NOTE_ID: Final = "note_0123456789abcdef"
NOTE_PATH: Final = f"{PATH}/{NOTE_ID}"
IF_MATCH: Final = (
    "The ETag of the note as it was read: when somebody changed it since, nothing is changed."
)

_SNAPSHOT: Final = {
    "valve_pressure": {"value": 2.1, "unit": "bar", "timestamp": "2026-01-26T10:32:14Z"}
}
NOTE: Final[dict[str, Any]] = {
    "id": NOTE_ID,
    "session_id": SESSION_ID,
    "timestamp": "2026-01-26T10:32:15Z",
    "speaker": "Mara",
    "content": "Valve opened by hand.",
    "type": "observation",
    "tags": ["valve"],
    "telemetry_snapshot": _SNAPSHOT,
    "created_at": "2026-01-26T10:32:20Z",
    "updated_at": "2026-01-26T10:32:20Z",
    "author": "test bench",
    "updated_by": "test bench",
    "moment_id": None,
    "version": 1,
    "deleted_at": None,
}
_VERSION: Final = {
    **{name: NOTE[name] for name in ("timestamp", "speaker", "type", "tags", "telemetry_snapshot")},
    "version": 1,
    "content": "Valve opened.",
    "written_at": "2026-01-26T10:32:20Z",
    "written_by": "test bench",
    "replaced_at": "2026-01-26T10:33:00Z",
    "replaced_by": "Mara",
}
WISHES: Final[dict[str, Any]] = {
    "short": {
        "summary": "What was seen, with the values of that time",
        "value": {"timestamp": "2026-01-26T10:32:15Z", "content": "Valve opened by hand."},
    },
    "full": {
        "summary": "All of it",
        "value": {
            name: NOTE[name]
            for name in (*("timestamp", "content", "speaker", "type"), "tags", "telemetry_snapshot")
        },
    },
}
CHANGES: Final[dict[str, Any]] = {
    "text": {"summary": "Another text", "value": {"content": "Valve opened by hand, twice."}},
}

_BLANK: Final = "content: String should match a pattern"
_NO_NOTE: Final = show_problem(404, NOTE_PATH, f"There is no note {NOTE_ID!r} in this session.")
_FULL: Final = "10000 notes were written in this session; no more fit. Make another."
_CHANGED: Final = show_problem(
    412, NOTE_PATH, "The note is at version 2, changed by Mara. Read it again, then decide."
)

NOTES: Final[Responses] = {**show({"data": [NOTE], "next_cursor": None}), **NONE}
CREATED: Final[Responses] = {
    **show(NOTE, 201),
    **NONE,
    **show_problem(409, PATH, _FULL),
    **show_problem(422, PATH, _BLANK, "content"),
}
ONE: Final[Responses] = {**show(NOTE), **_NO_NOTE}
PUT: Final[Responses] = {
    **ONE,
    **show_problem(409, NOTE_PATH, "The note was changed 200 times; no more fit. Write another."),
    **_CHANGED,
    **show_problem(422, NOTE_PATH, _BLANK, "content"),
}
DELETED: Final[Responses] = {
    **show({**NOTE, "version": 2, "deleted_at": "2026-01-26T10:40:00Z"}),
    **_NO_NOTE,
    **_CHANGED,
}
RESTORED: Final[Responses] = {**show({**NOTE, "version": 3}), **_NO_NOTE}
VERSIONS: Final[Responses] = {**show({"data": [_VERSION], "next_cursor": None}), **_NO_NOTE}

_EXPORT: Final[dict[str, Any]] = {
    "exported_at": "2026-01-26T11:00:00Z",
    "session": SESSION,
    "summary": SUMMARY,
    "notes": [NOTE],
    "moments": [],
    "transcripts": [],
}
_MARKDOWN: Final = "# Hot start, third try\n"
EXPORT: Final[Responses] = {
    200: {
        "description": "The document.",
        "content": {
            "text/markdown": {"schema": {"type": "string"}, "example": _MARKDOWN},
            "text/html": {"schema": {"type": "string"}, "example": "<!doctype html>"},
            "application/json": {"schema": {"type": "object"}, "example": _EXPORT},
        },
    },
    **NONE,
    **show_problem(
        413, f"{PATH}/export", "The export is over 50 MB. Ask for less of it, with from and to."
    ),
    **show_problem(
        422, f"{PATH}/export", "format: Input should be 'markdown', 'json' or 'html'", "format"
    ),
}
