"""Examples of streams: what the pages of the API show."""

from typing import Any, Final

from api.examples import NO_STREAM, Responses, show, show_answer, show_problem

PATH: Final = "/api/v1/streams"

STREAM: Final[dict[str, Any]] = {
    "id": "northlight_live",
    "title": "Northlight: finals week, day 3",
    "kind": "chat",
    "created_at": "2026-01-24T09:00:00.120000Z",
    "updated_at": "2026-01-26T10:32:16.004000Z",
    "last_event_at": "2026-01-26T10:32:15.250000Z",
    "is_live": True,
    "metadata": {"league": "north"},
    "latest": {
        "window_start": "2026-01-26T10:32:00Z",
        "window_end": "2026-01-26T10:33:00Z",
        "chat_count": 262,
        "unique_chatters": 118,
        "avg_sentiment": 0.31,
        "chat_rate": 17.1,
        "avg_viewers": 48_110.4,
        "peak_viewers": 48_902.0,
        "z_score": 1.2,
        "is_anomaly": False,
        "revision": 1855412307460096,
        "final": False,
    },
}

STREAMS: Final[Responses] = {
    **show_answer({"data": [STREAM], "next_cursor": "bm9ydGhsaWdodF9saXZl"}),
    **show_problem(422, PATH, "limit: Input should be less than or equal to 500", "limit"),
}
ONE: Final[Responses] = {
    **show_answer(STREAM),
    **show_problem(404, f"{PATH}/northlight_live", NO_STREAM),
}
NAMED: Final[Responses] = {
    **show(STREAM),
    **show_problem(
        422,
        f"{PATH}/northlight_live",
        "kind: String should match pattern '^[a-z0-9_-]{1,32}$'",
        "kind",
    ),
}
GONE: Final[dict[str, Any]] = {
    "id": "northlight_live",
    "complete": True,
    "rows": {"streams": 1, "moments": 12, "chat_summary_minute": 8640, "readings": 0},
}
LEFT: Final = {
    "description": "Rows are left; send it again.",
    **show(GONE | {"complete": False})[200],
}
DELETED: Final[Responses] = {
    **show(GONE),
    **show_problem(404, f"{PATH}/northlight_live", NO_STREAM),
    **show_problem(
        422,
        f"{PATH}/a%20b",
        "stream_id: String should match pattern '^[A-Za-z0-9_.:@~+=#-]{1,128}$'",
        "stream_id",
    ),
}
