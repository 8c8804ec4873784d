"""Line protocol: what InfluxDB's clients write, as columns of readings.

    body -> core.line_scans -> streams, channels, numbers, times -> columns
                            └> lines that are none -> core.line_faults -> why

A line becomes a reading for each of its numbers and truths; texts have no place among readings and
are passed over. A line is taken whole or not at all. ``api.influx`` is the door.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import nanoarrow
import numpy as np
import polars as pl

from core.compiled import Bytes, count_byte, making
from core.errors import TooLargeError
from core.events import RAW_SCHEMA, TIMESTAMP, VALUE_MAX, RejectedRow
from core.json_texts import TEXT, make_texts
from core.line_faults import explain_line
from core.line_names import BREAK, EQUALS, escape_key
from core.line_scans import TOO_MANY, Table, Texts, Wanted, make_table, scan_lines
from core.line_values import NO_TIME
from core.rows import Ints
from core.safe_names import make_stream_id
from core.times import EPOCH

READINGS_MAX: Final = 500_000
"""Readings, and bad lines, of one body. A field of four bytes becomes an event of some hundreds, so
the limit on a body's bytes alone would not bound the memory; collectors send some 5 000 lines."""

EXPLAINED_MAX: Final = 1000
"""Bad lines that are looked at one by one; of the others only their place is told."""

UNEXPLAINED: Final = "not in the line protocol"

UNITS: Final = {
    "ns": 1,
    "n": 1,
    "us": 1_000,
    "u": 1_000,
    "µ": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
"""How many nanoseconds a time counts, by the name of the precision."""

_INDEX: Final = pl.UInt32()


@dataclass(frozen=True, slots=True)
class LinePolicy:
    """Decides what lines tell of."""

    stream_tags: Sequence[str]
    """Tags that name the stream; the first of these that a line has is taken."""

    bucket: str
    """Names the stream of the lines without any of them."""

    precision: str
    """What times count; a name of ``UNITS``."""


@dataclass(frozen=True, slots=True)
class Lines:
    """What a body holds."""

    frame: pl.DataFrame
    """Columns of ``RAW_SCHEMA``, times read, and ``index``: the line from 0."""

    rejected: list[RejectedRow]
    texts_skipped: int
    """Fields that hold a text."""


def read_line_protocol(body: bytes, policy: LinePolicy, now: datetime) -> Lines:
    """Read a body; what has no time of its own happens now.

    An id makes a reading that is sent again count once: in InfluxDB a series has one value at a
    time. A line without a time is another one whenever it is sent.

    Raises:
        TooLargeError: There are more readings than are taken at once.
    """
    body = _clean(body)
    data = np.frombuffer(body, np.uint8)
    rows = count_byte(data, EQUALS) + count_byte(data, BREAK)
    table = make_table(len(data), min(rows, READINGS_MAX))
    unit = UNITS[policy.precision]
    texts_skipped = scan_lines(data, _want(policy.stream_tags), unit, table)
    if texts_skipped == TOO_MANY:
        raise TooLargeError(
            f"The body has more than {READINGS_MAX} readings. Send it in parts;"
            " nothing of it was taken."
        )
    lines, readings, bad = table.counts[:3].tolist()
    rejected = _explain(body, table.bad[:bad].tolist(), unit)
    if not readings:
        empty = pl.DataFrame(schema={**RAW_SCHEMA, "index": _INDEX})
        return Lines(empty, rejected, texts_skipped)
    frame = _make_readings(data, table, readings).hstack(
        _make_lines(table, lines, policy, now)[table.lines[:readings]]
    )
    frame, wild = _refuse_wild(frame)
    rejected = sorted([*rejected, *wild], key=lambda row: row.index) if wild else rejected
    return Lines(_name_readings(frame), rejected, texts_skipped)


@making("line_protocol")
def warm_up() -> None:
    """Make the machine code, or the first request on a new machine waits some seconds for it."""
    policy = LinePolicy(("host",), "a", "ns")
    read_line_protocol(b'a,host=b,unit=c,d=e f=1,g=2i,h=t,i="j" 1\nk\n', policy, EPOCH)


def _clean(body: bytes) -> bytes:
    """Return a body that ends with a break.

    What is not UTF-8 becomes a null byte, which no name may hold.
    """
    try:
        body.decode()
    except UnicodeDecodeError:
        body = body.decode(errors="replace").replace("\ufffd", "\0").encode()
    return body if body.endswith(b"\n") else body + b"\n"


def _want(stream_tags: Sequence[str]) -> Wanted:
    keys = [*map(escape_key, stream_tags), b"unit"]
    return Wanted(np.frombuffer(b"".join(keys), np.uint8), np.cumsum([0, *map(len, keys)]))


def _make_readings(data: Bytes, table: Table, count: int) -> pl.DataFrame:
    numbers = pl.Series(make_texts(data, table.values[:count])).cast(pl.Float64, strict=False)
    truths = pl.Series(table.truths[:count]).cast(pl.Float64)
    return pl.DataFrame(
        {"channel": _make_column(table.channels, count), "value": numbers.fill_null(truths)}
    )


def _make_lines(table: Table, count: int, policy: LinePolicy, now: datetime) -> pl.DataFrame:
    """Return what all readings of a line share."""
    times: Ints = table.times[:count]
    arrived = (now - EPOCH) // timedelta(microseconds=1)
    micros = np.where(times == NO_TIME, arrived, times // 1000)
    streams, units = _make_column(table.streams, count), _make_column(table.units, count)
    lines = {
        "index": pl.Series(table.places[:count]).cast(_INDEX),
        "stream_id": streams.replace("", make_stream_id(policy.bucket)),
        "timestamp": pl.Series(micros).cast(TIMESTAMP),
        "time": pl.Series(times).replace(NO_TIME, None),
    }
    if table.units.ends[count]:
        lines["unit"] = units.replace("", None)
    return pl.DataFrame(lines)


def _refuse_wild(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Put aside whole lines of which one value is larger than an event's may be."""
    is_wild = frame["value"].abs() > VALUE_MAX
    if not is_wild.any():
        return frame, []
    places = frame["index"].filter(is_wild).unique()
    reason = f"a value is not a number of at most {VALUE_MAX:g}"
    rejected = [RejectedRow(place, reason) for place in places.to_list()]
    return frame.filter(~pl.col("index").is_in(places.implode())), rejected


def _name_readings(frame: pl.DataFrame) -> pl.DataFrame:
    """Return readings that tell apart, by their ids, which of them are the same."""
    time = pl.col("time").cast(pl.String)
    named = frame.with_columns(
        type=pl.lit("reading"), id=pl.concat_str(time, "channel", separator="@")
    )
    return named.drop("time")


def _make_column(texts: Texts, count: int) -> pl.Series:
    ends = texts.ends[: count + 1]
    buffers = [None, ends, texts.letters[: ends[-1]]]
    return pl.Series(nanoarrow.c_array_from_buffers(TEXT, count, buffers))


def _explain(body: bytes, bad: list[list[int]], unit: int) -> list[RejectedRow]:
    reasons = [explain_line(body[begin:end], unit) for begin, end, _ in bad[:EXPLAINED_MAX]]
    reasons += [UNEXPLAINED] * (len(bad) - len(reasons))
    return [
        RejectedRow(place, reason or UNEXPLAINED)
        for (_, _, place), reason in zip(bad, reasons, strict=True)
    ]
