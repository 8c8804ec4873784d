"""Examples of deliveries: what the pages of the API show."""

from typing import Any, Final

from api.examples import Responses, show, show_problem

PATH: Final = "/api/v1/deliveries"
DELIVERY_ID: Final = "dlv_0123456789abcdef01234567"
ONE_PATH: Final = f"{PATH}/{DELIVERY_ID}"
MOMENT_ID: Final = "mom_5f0c8e1b7a2d94366e01"

DELIVERY: Final[dict[str, Any]] = {
    "delivery_id": DELIVERY_ID,
    "rule_id": "rul_0123456789abcdef",
    "route_id": "rte_0123456789abcdef",
    "group": {"stream": "northlight_live", "type": "chat_spike"},
    "severity": "critical",
    "is_test": False,
    "state": "delivered",
    "moment_ids": [MOMENT_ID],
    "created_at": "2026-01-26T10:32:04Z",
    "next_at": "2026-01-26T10:32:06Z",
    "attempts": 2,
    "done_at": "2026-01-26T10:32:06Z",
    "reason": None,
}
CONTENT: Final[dict[str, Any]] = {
    "rule": {"rule_id": "rul_0123456789abcdef", "name": "spikes"},
    "severity": "critical",
    "group": DELIVERY["group"],
    "told_at": "2026-01-26T10:32:04Z",
    "moments": [
        {
            "what": "opened",
            "moment_id": MOMENT_ID,
            "stream_id": "northlight_live",
            "moment_type": "chat_spike",
            "metric_name": "chat_count",
            "description": "Chat spike: 21.8 messages/s, expected 4/s, since 10:32 UTC",
            "state": "open",
            "started_at": "2026-01-26T10:32:00Z",
            "peak_at": "2026-01-26T10:32:00Z",
            "ended_at": None,
            "score": 5.6,
            "metric_value": 1310.0,
            "expected": 240.0,
            "z_score": 22.4,
            "threshold": 4.0,
            "direction": "up",
            "reasons": [],
            "link": f"https://telemetra.example.com/app/moments/{MOMENT_ID}",
        }
    ],
}
ATTEMPTS: Final = [
    {
        "number": 2,
        "started_at": "2026-01-26T10:32:05.930000Z",
        "ended_at": "2026-01-26T10:32:06Z",
        "outcome": "delivered",
        "status": 204,
        "detail": None,
    },
    {
        "number": 1,
        "started_at": "2026-01-26T10:32:04.010000Z",
        "ended_at": "2026-01-26T10:32:04.040000Z",
        "outcome": "retried",
        "status": 503,
        "detail": "restarting",
    },
]
DETAIL: Final[dict[str, Any]] = {**DELIVERY, "content": CONTENT, "tried": ATTEMPTS}

_NO_DELIVERY: Final = show_problem(404, ONE_PATH, f"There is no delivery {DELIVERY_ID!r}.")

DELIVERIES: Final[Responses] = {
    **show({"data": [DELIVERY], "next_cursor": None}),
    **show_problem(
        422,
        PATH,
        "state: Input should be 'queued', 'sending', 'delivered' or 'failed'",
        "state",
    ),
}
COUNTS: Final[Responses] = show(
    {
        "data": [
            {
                "rule_id": "rul_0123456789abcdef",
                "route_id": "rte_0123456789abcdef",
                "state": "delivered",
                "deliveries": 23,
                "newer": 5,
            }
        ]
    }
)
ONE: Final[Responses] = {**show(DETAIL), **_NO_DELIVERY}
RETRIED: Final[Responses] = {
    **show({**DETAIL, "state": "queued", "done_at": None}),
    **_NO_DELIVERY,
    **show_problem(
        409,
        f"{ONE_PATH}/retry",
        "The delivery is delivered. Only one that failed, and whose route is still there, is sent"
        " again.",
    ),
}
