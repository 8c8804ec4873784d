"""Examples of ingest, and what a body may be: FastAPI does not read it, and so does not know."""

from typing import Any, Final

import orjson
from pydantic import TypeAdapter

from api.examples import Responses, show, show_error, show_problem
from api.ingest.readers import ARROW_TYPE
from api.ingest.schemas import EventBody
from core.errors import BusAwayError, BusFullError

PATH: Final = "/api/v1/ingest"

EVENTS: Final[list[dict[str, Any]]] = [
    {
        "stream_id": "northlight_live",
        "type": "chat",
        "user": "vela_",
        "text": "what a play PogChamp",
    },
    {"stream_id": "northlight_live", "type": "viewers", "value": 48_200},
    {"stream_id": "bench-07", "type": "reading", "channel": "cell_3_temp", "value": 41.2},
]
_LINES: Final = b"\n".join(map(orjson.dumps, EVENTS)).decode()
_RECEIPT: Final = {
    "accepted": 2,
    "rejected": 1,
    "errors": [{"index": 2, "field": "type", "reason": "type is missing"}],
}

ANSWERS: Final[Responses] = {
    **show(_RECEIPT, 202),
    **show_problem(400, PATH, "The body is not gzip: incorrect header check. Nothing was taken."),
    **show_problem(409, PATH, "This Idempotency-Key was used for another body. Take a new one."),
    **show_problem(
        413, PATH, "The body is over the limit of 16 MB. Send it in parts; nothing of it was taken."
    ),
    **show_problem(415, PATH, "Content-Encoding br is not read here. Send gzip, zstd, identity."),
    **show_error(
        BusFullError,
        PATH,
        "The bus is full: the flow is behind. Wait and send the same body again.",
    ),
    **show_error(
        BusAwayError, PATH, "The bus did not answer (TimeoutError). Send the same body again."
    ),
}


def describe_body() -> dict[str, Any]:
    """Return what the pages of the API say of a body, with the schemas of events in it."""
    return {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/EventBody"},
                "example": EVENTS,
            },
            "application/x-ndjson": {
                "schema": {"type": "string", "pattern": r"\S"},
                "example": _LINES,
            },
            ARROW_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
    }


def write_schemas() -> dict[str, Any]:
    """Return the schemas of events for the components of the document."""
    schema = TypeAdapter(EventBody).json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "EventBody": schema}
