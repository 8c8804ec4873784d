"""Examples of reports: what the pages of the API show."""

from typing import Any, Final

from api.examples import NO_STREAM, Responses, show_answer, show_problem
from api.moments.examples import MOMENT

PATH: Final = "/api/v1/streams/northlight_live/report"

_TOTALS: Final[dict[str, Any]] = {
    "messages": 48_210,
    "chat_rate": 6.7,
    "chat_rate_max": 21.8,
    "unique_chatters_max": 412,
    "avg_viewers": 47_300.0,
    "peak_viewers": 48_902.0,
    "avg_sentiment": 0.21,
    "moments": 3,
    "transactions": 17,
}
REPORT_JSON: Final[dict[str, Any]] = {
    "stream_id": "northlight_live",
    "title": "Northlight: finals week, day 3",
    "start": "2026-01-26T10:00:00Z",
    "end": "2026-01-26T12:00:00Z",
    "before_start": "2026-01-26T08:00:00Z",
    "resolution": "1m",
    "made_at": "2026-01-26T12:00:05Z",
    "totals": _TOTALS,
    "totals_before": {**_TOTALS, "messages": 41_008, "chat_rate": 5.7, "moments": 0},
    "chat": {
        "times": ["2026-01-26T10:31:00Z", "2026-01-26T10:32:00Z"],
        "chat_rate": [4.1, 21.8],
        "avg_viewers": [47_200.0, 48_210.0],
        "peak_viewers": [47_350.0, 48_902.0],
        "avg_sentiment": [0.18, 0.46],
    },
    "transaction_times": ["2026-01-26T10:32:00Z"],
    "transaction_counts": [3],
    "ledgers": [
        {
            "kind": "donation",
            "currency": "EUR",
            "count": 3,
            "sum": 45.0,
            "count_before": 1,
            "sum_before": 5.0,
        }
    ],
    "emotes": [{"emote": "PogChamp", "count": 812, "count_before": 644}],
    "channels": [
        {
            "channel": "bitrate",
            "unit": "kbit/s",
            "mean": 5_980.0,
            "min": 5_410.0,
            "max": 6_020.0,
            "times": ["2026-01-26T10:31:00Z", "2026-01-26T10:32:00Z"],
            "means": [5_990.0, 5_970.0],
            "mins": [5_800.0, 5_410.0],
            "maxs": [6_020.0, 6_015.0],
        }
    ],
    "moments": [MOMENT],
}
_PAGE: Final = "<!doctype html>\n<title>Northlight: finals week, day 3</title>"

_ANSWER: Final[Responses] = show_answer(REPORT_JSON)
REPORT: Final[Responses] = {
    200: {
        **_ANSWER[200],
        "content": {
            **_ANSWER[200]["content"],
            "text/html": {"schema": {"type": "string"}, "example": _PAGE},
        },
    },
    **show_problem(404, PATH, NO_STREAM),
    **show_problem(422, PATH, "start: Field required", "start"),
}
