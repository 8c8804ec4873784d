"""NDJSON: lines of bytes into columns, naming the bad lines and losing no good one.

body -> core.json_lines -> columns
        or, where anything is odd, Polars' reader, which knows all of JSON
        or, where that refuses it too, line by line, each bad one named
"""

import io

import orjson
import polars as pl

from core.crowds import refuse_rows, refuse_values
from core.events import RAW_SCHEMA, RejectedRow
from core.json_lines import read_json_lines

_NUMBERS = frozenset({"value", "amount"})
_WHOLE_NUMBERS = frozenset({"bits", "viewers"})
_LISTS = frozenset({"emotes", "badges"})
_BEGINNINGS = (b"{", b" ", b"\t", b"\r", b"\n")
_INT64 = range(-(2**63), 2**63)


def read_ndjson(body: bytes) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Return the rows of a body with their line numbers, from 0, and the lines that are none.

    Raises:
        TooLargeError: It holds more than there can be of events.
    """
    frame = read_json_lines(body)
    if frame is None:
        lines_count = body.count(b"\n") + (not body.endswith(b"\n"))
        refuse_rows(lines_count, body)
        refuse_values(body)
        frame = _read(body)
        if frame is None or frame.height != lines_count:
            return _read_line_by_line(body)
    return frame.with_row_index("index"), []


def _read(body: bytes) -> pl.DataFrame | None:
    # The reader would unpack what looks compressed, however large it becomes.
    if not body.startswith(_BEGINNINGS):
        return None
    try:
        return pl.read_ndjson(io.BytesIO(body), schema=RAW_SCHEMA)
    except pl.exceptions.PolarsError:
        return None


def _read_line_by_line(body: bytes) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Name the bad lines, then read the good ones together."""
    good: list[tuple[int, bytes]] = []
    rejected: list[RejectedRow] = []
    for index, line in enumerate(body.split(b"\n")):
        if not line.strip():
            continue
        if (explained := _explain_line(line)) is not None:
            reason, field = explained
            rejected.append(RejectedRow(index, reason, field))
        else:
            good.append((index, line))
    frame = _read_surviving(good, rejected)
    rejected.sort(key=lambda row: row.index)
    return frame, rejected


def _read_surviving(good: list[tuple[int, bytes]], rejected: list[RejectedRow]) -> pl.DataFrame:
    """Read lines together; where the reader still refuses, halve until the line is found."""
    if not good:
        return pl.DataFrame(schema={**RAW_SCHEMA, "index": pl.UInt32()})
    frame = _read(b"\n".join(line for _, line in good))
    if frame is not None and frame.height == len(good):
        indexes = pl.Series("index", [index for index, _ in good], dtype=pl.UInt32)
        return frame.with_columns(indexes)
    if len(good) == 1:
        rejected.append(RejectedRow(good[0][0], "the line cannot be read as an event"))
        return _read_surviving([], rejected)
    half = len(good) // 2
    parts = (_read_surviving(part, rejected) for part in (good[:half], good[half:]))
    return pl.concat(parts)


def _explain_line(line: bytes) -> tuple[str, str | None] | None:
    """Return why a line is no event and the field at fault; None when its shape is right."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return f"not JSON: {error}", None
    if not isinstance(event, dict):
        return "not a JSON object", None
    for field, value in event.items():
        if value is not None and (reason := _explain_value(field, value)) is not None:
            return f"{field} {reason}", field
    return None


def _explain_value(field: str, value: object) -> str | None:
    if field in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int | float)):
        return "is not a number"
    if field in _WHOLE_NUMBERS and not _is_whole(value):
        return "is not a whole number of 64 bits"
    if field in _LISTS and not isinstance(value, list):
        return "is not a list of texts"
    return None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in _INT64
