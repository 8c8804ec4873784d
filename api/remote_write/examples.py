"""Examples of remote write: what it answers, and what is sent."""

from typing import Any, Final

from api.examples import Responses, show_error, show_problem
from core.errors import BusAwayError

PATH: Final = "/api/v1/prom/write"

ANSWERS: Final[Responses] = {
    204: {"description": "Every sample is taken, or says that there is no value."},
    **show_problem(
        400,
        PATH,
        "1 of 500 samples refused, as queue_free:job=shop of shop:9100: value is not a number of"
        " at most 1e+100. The others are taken; do not send them again.",
        "queue_free:job=shop of shop:9100",
    ),
    **show_problem(
        413,
        PATH,
        "The request is 9000000 bytes when unpacked, over the limit of 8388608. Send fewer samples"
        " at once: max_samples_per_send.",
    ),
    **show_problem(
        415,
        PATH,
        "Only remote write 1.0 is read here: application/x-protobuf (prometheus.WriteRequest) with"
        " Content-Encoding snappy.",
    ),
    **show_error(
        BusAwayError, PATH, "The bus did not answer (TimeoutError). Send the same body again."
    ),
}

REQUEST_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "application/x-protobuf": {
            "schema": {"type": "string", "format": "binary"},
            "example": "prometheus.WriteRequest, packed by snappy (block format)",
        }
    },
}
