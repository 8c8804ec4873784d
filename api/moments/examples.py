"""Examples of moments: what the pages of the API show."""

from typing import Any, Final

from api.examples import NO_STREAM, Responses, show_answer, show_problem

MOMENT_ID: Final = "mom_5f0c8e1b7a2d94366e01"
PATH: Final = f"/api/v1/moments/{MOMENT_ID}"

IF_MATCH: Final = (
    "The ETag of the moment as you saw it, or its version in quotes where a list or a live message"
    " told of it: the change is refused if somebody changed it since. What the flow adds to a"
    " moment does not count."
)

REASONS: Final[list[dict[str, Any]]] = [
    {
        "kind": "event",
        "name": "raid",
        "at": "2026-01-26T10:31:58Z",
        "text": "Raid of 900, 10:31:58",
    },
    {
        "kind": "metric",
        "name": "avg_viewers",
        "value": 48_210.0,
        "usual": 47_300.0,
        "spreads": 5.2,
        "text": "avg_viewers rose to 48210, usually 47300",
    },
    {
        "kind": "transaction",
        "name": "donation",
        "value": 3.0,
        "text": "3 x donation, 45.00 EUR",
    },
    {
        "kind": "emote",
        "name": "PogChamp",
        "value": 212.0,
        "usual": 14.5,
        "text": "PogChamp 212 a minute, usually 14.5",
    },
    {
        "kind": "word",
        "name": "aurora",
        "value": 0.41,
        "usual": 0.02,
        "text": "“aurora” in 41% of messages, usually 2%",
    },
    {"kind": "message", "name": "mira", "text": "hello from aurora!"},
]

MOMENT: Final[dict[str, Any]] = {
    "moment_id": MOMENT_ID,
    "stream_id": "northlight_live",
    "timestamp": "2026-01-26T10:32:00Z",
    "started_at": "2026-01-26T10:32:00Z",
    "peak_at": "2026-01-26T10:33:00Z",
    "ended_at": None,
    "moment_type": "chat_spike",
    "metric_name": "chat_count",
    "metric_value": 1310.0,
    "expected": 240.0,
    "threshold": 4.0,
    "z_score": 22.4,
    "score": 5.6,
    "direction": "up",
    "state": "shelved",
    "shelved_until": "2026-01-26T11:00:00Z",
    "label": True,
    "description": "Chat spike: 21.8 messages/s, expected 4/s, since 10:32 UTC",
    "reasons": REASONS,
    "metadata": {
        "band": [98.0, 382.0],
        "told_by": "level",
        "confirmed": True,
        "withdrawn": False,
    },
    "version": 2,
    "revision": 1855412307460096,
}
_ENTRY: Final[dict[str, Any]] = {
    "version": 1,
    "at": "2026-01-26T10:34:10Z",
    "actor_key_id": "key_0123456789abcdef",
    "actor_name": "control room",
    "action": "acknowledge",
    "state": "acknowledged",
    "shelved_until": None,
    "is_labelled": True,
    "label": True,
    "comment": "A raid of 900 from aurora_live.",
}
_SHELVED: Final = {
    **_ENTRY,
    "version": 2,
    "at": "2026-01-26T10:40:00Z",
    "action": "shelve",
    "state": "shelved",
    "shelved_until": "2026-01-26T11:00:00Z",
    "is_labelled": False,
    "comment": None,
}
DETAIL: Final = {
    **MOMENT,
    "life": [_ENTRY, _SHELVED],
    "legal": ["acknowledge", "shelve", "mute", "resolve", "reopen"],
}

WISHES: Final[dict[str, Any]] = {
    "acknowledge": {
        "summary": "Seen, and what it was",
        "value": {
            "action": "acknowledge",
            "label": True,
            "comment": "A raid of 900 from aurora_live.",
        },
    },
    "shelve": {
        "summary": "Put away until a time",
        "value": {"action": "shelve", "until": "2026-01-26T11:00:00Z"},
    },
    "mute": {"summary": "Put away until it is over", "value": {"action": "mute"}},
    "resolve": {"summary": "Needs nobody any more", "value": {"action": "resolve"}},
    "reopen": {"summary": "Undo", "value": {"action": "reopen"}},
    "label": {"summary": "A false alarm", "value": {"label": False}},
    "no label": {"summary": "Take the label off", "value": {"label": None}},
    "comment": {"summary": "Say something", "value": {"comment": "Sensor 3 was unplugged."}},
}

_WRONG_STATE: Final = (
    "state: Input should be 'open', 'acknowledged', 'shelved' or 'resolved'",
    "state",
)
_LISTED: Final = show_answer({"data": [MOMENT], "next_cursor": None})
PAGE: Final[Responses] = {**_LISTED, **show_problem(422, "/api/v1/moments", *_WRONG_STATE)}

_OF_STREAM: Final = "/api/v1/streams/northlight_live/moments"
STREAM_PAGE: Final[Responses] = {
    **_LISTED,
    **show_problem(404, _OF_STREAM, NO_STREAM),
    **show_problem(422, _OF_STREAM, *_WRONG_STATE),
}

_NO_MOMENT: Final = show_problem(404, PATH, f"There is no moment {MOMENT_ID!r}.")
_WRONG_ID: Final = "moment_id: String should match pattern '^mom_[0-9a-f]{20}$'"
READ: Final[Responses] = {
    **show_answer(DETAIL),
    **_NO_MOMENT,
    **show_problem(422, "/api/v1/moments/1", _WRONG_ID, "moment_id"),
}
CHANGE: Final[Responses] = {
    200: {"description": "As it is now.", "content": {"application/json": {"example": DETAIL}}},
    **_NO_MOMENT,
    **show_problem(
        409, PATH, "The moment is resolved; acknowledge is not possible. Possible: reopen."
    ),
    **show_problem(412, PATH, "The moment is at version 2. Read it again, then decide."),
    **show_problem(
        422,
        PATH,
        "action: Input should be 'acknowledge', 'shelve', 'mute', 'resolve' or 'reopen'",
        "action",
    ),
}
