"""Readers: what a door makes of a body, columns of raw events and the rows that are none.

A door of another protocol brings a reader of its own; all that follows is the same for all.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import orjson
import polars as pl

from core.errors import BadRequestError, UnsupportedMediaError
from core.events import RejectedRow
from core.ndjson import read_ndjson

Reader: TypeAlias = Callable[[bytes], tuple[pl.DataFrame, list[RejectedRow]]]
"""Returns columns of ``RAW_SCHEMA`` with ``index``, each row's place, and the unreadable rows."""

NDJSON_TYPES: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})


def choose_reader(media_type: str) -> Reader:
    """Return the reader of a media type.

    Raises:
        UnsupportedMediaError: None is read here.
    """
    if media_type in NDJSON_TYPES:
        return read_lines
    if media_type == "application/json":
        return read_json
    raise UnsupportedMediaError(
        f"{media_type or 'no content type'} is not read here."
        " Send application/json or application/x-ndjson."
    )


def read_lines(body: bytes) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Read NDJSON.

    Raises:
        BadRequestError: There is nothing.
    """
    _refuse_nothing(body)
    return read_ndjson(body)


def read_json(body: bytes) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Read one event, or a list of them.

    Raises:
        BadRequestError: There is nothing, or it is not JSON.
    """
    _refuse_nothing(body)
    try:
        events = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"The body is not JSON: {error}.") from None
    if not isinstance(events, list):
        events = [events]
    return read_ndjson(b"\n".join(orjson.dumps(event) for event in events))


def _refuse_nothing(body: bytes) -> None:
    if not body.strip():
        raise BadRequestError("The body is empty. Send one event, a list of events, or NDJSON.")
