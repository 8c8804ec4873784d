"""Readers of telemetry: a body of points into columns of raw readings of a session's own stream.

    {"data": [ … ]} ─► the list alone ─► core.json_lines, byte by byte ─► columns
           └ written any other way ─► parsed, the list written again ─┘

No loop over points: what the door of ingest does with its lists is done with this one.
"""

import re
from typing import Any, Final

import orjson
import polars as pl

from api.ingest.readers import Rows, read_json
from api.session_telemetry.schemas import UNIT_LENGTH_MAX
from core.crowds import refuse_values
from core.errors import BadRequestError, FieldError, InvalidError, TooLargeError
from core.events import RAW_SCHEMA, RejectedRow
from core.json_lines import read_json_list

FIELDS: Final = ("index", "timestamp", "channel", "value", "unit")
NEEDED: Final = ("timestamp", "channel", "value")
TEXTS: Final = ("channel", "unit")

ERRORS_NAMED_MAX: Final = 100
"""So many bad points are named."""

_EMPTY: Final = pl.DataFrame(
    schema={"index": pl.UInt32(), **{name: RAW_SCHEMA[name] for name in FIELDS[1:]}}
)
_POINT_TYPES: Final = {
    "timestamp": pl.Datetime("us", "UTC"),
    "value": pl.Float64(),
    "unit": pl.String(),
}
_WRAPPED: Final = re.compile(rb'\s*\{\s*"data"\s*:\s*(?=\[)')
_NO_LIST: Final = 'data: a batch is {"data": [{"timestamp": …, "channel": …, "value": …}, …]}'


def read_batch(body: bytes, *, session_id: str, points_max: int) -> Rows:
    """Read a batch.

    Raises:
        BadRequestError: It is not JSON.
        InvalidError: There is no list, a point in it is no object, or a text of one is none.
        TooLargeError: There are more points than may come at once.
    """
    raw = _read_quickly(body)
    unreadable: list[RejectedRow] = []
    if raw is None:
        listed = _find_list(body)
        if listed == b"[]":
            return name_stream(_EMPTY, session_id), []
        raw, unreadable = read_json(listed)
    if raw.height + len(unreadable) > points_max:
        raise TooLargeError(
            f"The batch has more than {points_max} points. Send it in parts; nothing of it was"
            " taken."
        )
    return name_stream(raw, session_id), unreadable


def read_point(point: dict[str, Any], session_id: str, _: bytes) -> Rows:
    """Return a point that was read and checked before, as ``read_batch`` returns a batch."""
    raw = pl.DataFrame([{"index": 0, **point}], schema_overrides=_POINT_TYPES)
    return name_stream(raw, session_id), []


def name_stream(raw: pl.DataFrame, session_id: str) -> pl.DataFrame:
    """Return raw rows as readings of a session's own stream, whatever else they claim to be."""
    known = [name for name in FIELDS if name in raw.columns]
    return raw.select(known).with_columns(
        stream_id=pl.lit(session_id), type=pl.lit("reading", dtype=pl.String())
    )


def refuse_missing(raw: pl.DataFrame) -> None:
    """Refuse points without what each has to have; a reading may have no time, a point may not.

    Raises:
        InvalidError: Some lack it; the first of them are named.
    """
    for name in NEEDED:
        if name not in raw.columns:
            missing = raw["index"].head(ERRORS_NAMED_MAX)
        elif raw[name].null_count():
            missing = raw["index"].filter(raw[name].is_null()).head(ERRORS_NAMED_MAX)
        else:
            continue
        raise refuse_rows([RejectedRow(index, f"{name} is missing", name) for index in missing])


def refuse_long_units(raw: pl.DataFrame) -> None:
    """Refuse points with units of more letters than one may have.

    Raises:
        InvalidError: Some are longer; the first of them are named.
    """
    if "unit" not in raw.columns:
        return
    is_long = raw["unit"].str.len_chars() > UNIT_LENGTH_MAX
    if is_long.any():
        reason = f"unit is longer than {UNIT_LENGTH_MAX} letters"
        raise refuse_rows(
            [RejectedRow(index, reason, "unit") for index in raw["index"].filter(is_long)]
        )


def refuse_rows(rows: list[RejectedRow]) -> InvalidError:
    """Return the refusal of a batch in which some points are bad."""
    errors = [
        FieldError(".".join(filter(None, ("data", str(row.index), row.field))), row.reason)
        for row in rows[:ERRORS_NAMED_MAX]
    ]
    first = errors[0]
    return InvalidError(
        f"{first.field}: {first.reason}; of the batch nothing was taken.", errors=errors
    )


def _read_quickly(body: bytes) -> pl.DataFrame | None:
    """Read what nearly all clients send; None where it looks otherwise."""
    opening = _WRAPPED.match(body)
    rest = body[opening.end() :].rstrip() if opening is not None else b""
    if not rest.endswith(b"}"):
        return None
    frame = read_json_list(rest[:-1])
    return None if frame is None else frame.with_row_index("index")


def _find_list(body: bytes) -> bytes:
    """Return the list in a batch as JSON."""
    refuse_values(body)
    told: Any
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"The body is not JSON: {error}.") from None
    points = told.get("data") if isinstance(told, dict) else None
    if not isinstance(points, list) or not all(isinstance(point, dict) for point in points):
        raise InvalidError(_NO_LIST, errors=[FieldError("data", "is no list of points")])
    # The reader of events would take whatever stands in a text's place as one.
    if wrong := [
        RejectedRow(index, f"{name} is not a text", name)
        for index, point in enumerate(points)
        for name in TEXTS
        if not isinstance(point.get(name), str | None)
    ]:
        raise refuse_rows(wrong)
    return orjson.dumps(points)
