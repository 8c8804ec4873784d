"""Examples of tunings: what the pages of the API show."""

from typing import Any, Final

from api.examples import Responses, show, show_problem

PATH: Final = "/api/v1/tunings"
ID: Final = "tun_0123456789abcdef"
ONE_PATH: Final = f"{PATH}/{ID}"

TUNING: Final[dict[str, Any]] = {
    "tuning_id": ID,
    "stream_pattern": "bench-*",
    "metric_pattern": "cell_?_temp",
    "is_watched": None,
    "strictness": 2.0,
    "deviation_min": 0.5,
    "direction": "up",
    "merge_s": None,
    "cool_down_s": 1800,
    "silence_after_s": None,
    "created_at": "2026-01-26T10:00:00Z",
    "created_by": "command line",
    "updated_at": "2026-01-26T10:32:00Z",
    "updated_by": "command line",
}

_NONE: Final = show_problem(404, ONE_PATH, f"There is no tuning {ID!r}.")
_TAKEN: Final = (
    "The tuning tun_fedcba9876543210 is for these streams and metrics already. Change that one."
)
_BOUND: Final = "strictness: Input should be less than or equal to 100"

TUNINGS: Final[Responses] = show({"data": [TUNING], "next_cursor": None})
CREATED: Final[Responses] = {
    **show(TUNING, 201),
    **show_problem(409, PATH, _TAKEN),
    **show_problem(422, PATH, _BOUND, "strictness"),
}
READ: Final[Responses] = {**show(TUNING), **_NONE}
REPLACED: Final[Responses] = {
    **show(TUNING),
    **_NONE,
    **show_problem(409, ONE_PATH, _TAKEN),
    **show_problem(422, ONE_PATH, _BOUND, "strictness"),
}
DELETED: Final[Responses] = {**show(TUNING), **_NONE}
