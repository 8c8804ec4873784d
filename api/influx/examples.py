"""Examples of what clients of InfluxDB send, and of what they are told."""

from typing import Any, Final

from api.examples import Responses, show, show_error, show_problem
from core.access import QUERY
from core.errors import BusAwayError, BusFullError, PartialWriteError

LINES: Final = (
    "cpu,host=web-1,cpu=cpu0 usage_user=12.5,usage_idle=81.25 1767225600000000000\n"
    "oven,stream_id=bench-07,unit=°C cell_3=41.2,closed=t 1767225600000000000"
)

QUERIED_BODY: Final = b'{"results":[{"statement_id":0}]}'
QUERIED: Final[Responses] = {
    **show({"results": [{"statement_id": 0}]}),
    **show_problem(
        422,
        QUERY,
        "Only CREATE DATABASE is answered here. What was written is read under /api/v1/streams.",
    ),
}


def answer(path: str) -> Responses:
    """Return examples of what a write is answered with."""
    return {
        **show_error(
            PartialWriteError,
            path,
            "partial write: line 2: timestamp lies more than 10 minutes ahead; dropped=1",
        ),
        **show_problem(
            413,
            path,
            "The body is over the limit of 16 MB. Send it in parts; nothing of it was taken.",
        ),
        **show_problem(415, path, "Content-Encoding br is not read. Send it plain."),
        **show_error(
            BusFullError,
            path,
            "The bus is full: the flow is behind. Wait and send the same body again.",
        ),
        **show_error(
            BusAwayError, path, "The bus did not answer (TimeoutError). Send the same body again."
        ),
    }


def describe_body() -> dict[str, Any]:
    """Return what the pages of the API say of lines."""
    schema = {"type": "string", "minLength": 1}
    return {
        "required": True,
        "content": {"text/plain": {"schema": schema, "example": LINES}},
    }


def describe_query() -> dict[str, Any]:
    """Return what the pages of the API say of a query."""
    statement = {"type": "string", "pattern": "^CREATE DATABASE "}
    schema = {"type": "object", "properties": {"q": statement}, "required": ["q"]}
    example = {"q": 'CREATE DATABASE "telegraf"'}
    return {
        "required": True,
        "content": {"application/x-www-form-urlencoded": {"schema": schema, "example": example}},
    }
