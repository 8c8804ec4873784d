"""Examples of dead letters: what the pages of the API show."""

from typing import Any, Final

from api.examples import Responses, show, show_error, show_problem
from core.errors import BusFullError

PATH: Final = "/api/v1/dead-letters"
LETTER_ID: Final = "3-1855412307460096"
ONE_PATH: Final = f"{PATH}/{LETTER_ID}"

LETTER: Final[dict[str, Any]] = {
    "letter_id": LETTER_ID,
    "shard": 3,
    "arrived_at": "2026-01-26T10:32:15.250000Z",
    "listed_at": "2026-01-26T10:32:15.310000Z",
    "reason": "ValueError: wrong columns: value; missing: -",
    "stream_ids": ["bench-07"],
    "payload_bytes": 1824,
    "replayed_at": None,
}
DETAIL: Final = {
    **LETTER,
    "event_count": 1,
    "events": [
        {
            "stream_id": "bench-07",
            "type": "reading",
            "timestamp": "2026-01-26T10:32:15.250000Z",
            "channel": "temperature",
            "value": "warm",
        }
    ],
    "payload_start": "/////6gBAAAEAAAA…",
}
REASON: Final = {
    "reason": LETTER["reason"],
    "letters": 12,
    "waiting": 9,
    "payload_bytes": 21_888,
    "first_at": "2026-01-26T10:02:11.004000Z",
    "last_at": LETTER["arrived_at"],
}
HOUR: Final = {"start": "2026-01-26T10:00:00Z", "letters": 12, "waiting": 9}

_NO_LETTER: Final = show_problem(404, ONE_PATH, f"There is no dead letter '{LETTER_ID}'.")

_NO_SHARD: Final = (
    "There is no shard 12 any more, of which the dead letter is: BUS_SHARDS is 8. Name others by"
    " their reason or one by one."
)

LETTERS: Final[Responses] = show({"data": [LETTER], "next_cursor": "MjAyNi0wMS0yNlQxMDozMg"})
COUNTS: Final[Responses] = show({"reasons": [REASON], "times": [HOUR]})
ONE: Final[Responses] = {**show(DETAIL), **_NO_LETTER}
REPLAYED: Final[Responses] = {
    **show({**LETTER, "replayed_at": "2026-01-26T11:00:02.120000Z"}),
    **_NO_LETTER,
    **show_problem(409, f"{ONE_PATH}/replay", f"The dead letter {LETTER_ID} was replayed already."),
    **show_error(
        BusFullError, f"{ONE_PATH}/replay", "Too many events are waiting. Send again later."
    ),
}
SOME_REPLAYED: Final[Responses] = {
    **show({"replayed": [LETTER_ID], "payload_bytes": 1824, "waiting": 0}),
    **show_problem(409, f"{PATH}/replay", _NO_SHARD),
    **show_error(BusFullError, f"{PATH}/replay", "Too many events are waiting. Send again later."),
}
WISHES: Final = {
    "some": {"summary": "Those that a fix was for", "value": {"reason": "wrong columns"}},
    "stream": {"summary": "Those of a stream", "value": {"stream_id": "bench-07"}},
    "all": {"summary": "All that wait", "value": {}},
}
