"""Examples of telemetry: what the pages of the API show."""

from typing import Any, Final

from api.answers import ANSWERS
from api.examples import Responses, show, show_answer, show_error, show_problem
from api.sessions.examples import NONE, ONE_PATH, SESSION_ID
from core.errors import BusAwayError, BusFullError

PATH: Final = f"{ONE_PATH}/telemetry"

POINT: Final[dict[str, Any]] = {
    "id": "tel_89abcdef01234567",
    "session_id": SESSION_ID,
    "timestamp": "2026-01-26T10:32:15.250000Z",
    "channel": "valve_pressure",
    "value": 2.1,
    "unit": "bar",
}
_TAKEN: Final[Responses] = {
    **NONE,
    **show_problem(409, PATH, "This Idempotency-Key was used for another body. Take a new one."),
    **show_error(
        BusFullError,
        PATH,
        "The bus is full: the flow is behind. Wait and send the same body again.",
    ),
    **show_error(
        BusAwayError, PATH, "The bus did not answer (TimeoutError). Send the same body again."
    ),
}
CREATED: Final[Responses] = {
    **show(POINT, 201),
    **_TAKEN,
    **show_problem(422, PATH, "value: Input should be a valid number", "value"),
}
BATCH: Final[Responses] = {
    **show({"created": 2}, 201),
    **_TAKEN,
    **show_problem(
        413,
        f"{PATH}/batch",
        "The batch has more than 100000 points. Send it in parts; nothing of it was taken.",
    ),
    **show_problem(
        422,
        f"{PATH}/batch",
        "data.3.value: value is not a number of at most 1e+100; of the batch nothing was taken.",
        "data.3.value",
    ),
}
POINTS: Final[Responses] = {
    **show({"data": [POINT], "next_cursor": None}),
    **NONE,
    **show_problem(422, PATH, "limit: Input should be greater than or equal to 1", "limit"),
}
LATEST: Final[Responses] = {
    **ANSWERS,
    **show_answer(POINT),
    **show_problem(404, f"{PATH}/latest", "There is no value of 'valve_pressure' here."),
    **show_problem(422, f"{PATH}/latest", "channel: Field required", "channel"),
}
CHANNELS: Final[Responses] = {
    **show({"channels": ["valve_pressure", "bench-07/cell_3_temp"]}),
    **NONE,
}
