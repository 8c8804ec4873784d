"""Examples of boards: what the pages of the API show."""

from typing import Any, Final

from api.examples import Responses, show, show_problem

PATH: Final = "/api/v1/boards"
BOARD_ID: Final = "brd_0123456789abcdef"
ONE_PATH: Final = f"{PATH}/{BOARD_ID}"
IF_MATCH: Final = (
    "The ETag of the board as it was read: when somebody changed it since, nothing is changed."
)

CHARTS: Final[list[dict[str, Any]]] = [
    {
        "chart_id": "c1",
        "width": 8,
        "height": 2,
        "kind": "chat",
        "stream_id": "northlight_live",
        "compare": {"offset_s": 86_400},
        "title": None,
    },
    {
        "chart_id": "c2",
        "width": 4,
        "height": 2,
        "kind": "channel",
        "stream_id": "bench-07",
        "channel": "cell_3_temp",
        "compare": None,
        "title": "Cell 3",
    },
]
BOARD: Final[dict[str, Any]] = {
    "board_id": BOARD_ID,
    "name": "Finals",
    "range_s": 7200,
    "charts": CHARTS,
    "version": 31,
    "created_at": "2026-01-26T10:00:00Z",
    "created_by": "control room",
    "updated_at": "2026-01-26T10:32:00Z",
    "updated_by": "control room",
}
WISHES: Final[dict[str, Any]] = {
    "empty": {"summary": "A name to pin to", "value": {"name": "Finals"}},
    "full": {
        "summary": "Two charts of the last two hours",
        "value": {"name": "Finals", "range_s": 7200, "charts": CHARTS},
    },
}

_NONE: Final = show_problem(404, ONE_PATH, f"There is no board {BOARD_ID!r}.")
_TAKEN: Final = "There is a board 'Finals' already. Take another name."
_CHANGED: Final = show_problem(
    412,
    ONE_PATH,
    "The board is at version 32, changed by control room. Read it again, then decide.",
)
_BOUND: Final = "range_s: Input should be greater than or equal to 300"

BOARDS: Final[Responses] = show({"data": [BOARD], "next_cursor": None})
CREATED: Final[Responses] = {
    **show(BOARD, 201),
    **show_problem(409, PATH, _TAKEN),
    **show_problem(422, PATH, _BOUND, "range_s"),
}
ONE: Final[Responses] = {**show(BOARD), **_NONE}
PUT: Final[Responses] = {
    **ONE,
    **show_problem(409, ONE_PATH, _TAKEN),
    **_CHANGED,
    **show_problem(422, ONE_PATH, _BOUND, "range_s"),
}
DELETED: Final[Responses] = {**ONE, **_CHANGED}
