"""Readers: what a door makes of a body, columns of raw events and the rows that are none.

A door of another protocol brings a reader of its own; all that follows is the same for all.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

import orjson
import polars as pl

from core.arrow_events import read_arrow
from core.crowds import refuse_rows, refuse_values
from core.errors import BadRequestError, UnsupportedMediaError
from core.events import RejectedRow
from core.json_lines import read_json_list
from core.ndjson import read_ndjson

Rows: TypeAlias = tuple[pl.DataFrame, list[RejectedRow]]
"""Columns of ``RAW_SCHEMA`` with ``index``, each row's place, and the unreadable rows."""

Reader: TypeAlias = Callable[[bytes], Rows]

JSON_TYPE: Final = "application/json"
NDJSON_TYPES: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
ARROW_TYPE: Final = "application/vnd.apache.arrow.stream"


def choose_reader(media_type: str, *, bytes_max: int) -> Reader:
    """Return the reader of a media type.

    Args:
        media_type: Without its parameters.
        bytes_max: How large a body may be once all in it is plain.

    Raises:
        UnsupportedMediaError: None is read here.
    """
    if media_type in NDJSON_TYPES:
        return read_lines
    if media_type == JSON_TYPE:
        return read_json
    if media_type == ARROW_TYPE:
        return partial(read_arrow, bytes_max=bytes_max)
    raise UnsupportedMediaError(
        f"{media_type[:100] or 'No content type'} is not read here."
        f" Send {JSON_TYPE}, application/x-ndjson or {ARROW_TYPE}."
    )


def read_lines(body: bytes) -> Rows:
    """Read NDJSON.

    Raises:
        BadRequestError: There is nothing.
        TooLargeError: There are more lines than the body has room for events.
    """
    _refuse_nothing(body)
    return read_ndjson(body)


def read_json(body: bytes) -> Rows:
    """Read one event, or a list of them.

    Raises:
        BadRequestError: There is nothing, or it is not JSON.
        TooLargeError: There are more events than the body has room for.
    """
    _refuse_nothing(body)
    frame = read_json_list(body)
    return (frame.with_row_index("index"), []) if frame is not None else _read_any_json(body)


def _read_any_json(body: bytes) -> Rows:
    refuse_values(body)
    try:
        events = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"The body is not JSON: {error}.") from None
    if not isinstance(events, list):
        events = [events]
    refuse_rows(len(events), body)
    return read_ndjson(b"\n".join(map(_write_line, events)))


def _write_line(event: object) -> bytes:
    try:
        return orjson.dumps(event)
    except orjson.JSONEncodeError:
        # It reads deeper than it writes: what is refused here would not be read again.
        return b"[" * 2_000


def _refuse_nothing(body: bytes) -> None:
    if not body or body.isspace():
        raise BadRequestError(
            "The body is empty. Send one event, a list of events, NDJSON or an Arrow stream."
        )
