"""Arrow events: every type that means the same is taken, and no claim is believed unseen."""

import contextlib
import io
import struct
import tracemalloc
from datetime import UTC, datetime
from typing import Any, Literal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arrow_events import read_arrow
from core.errors import BadRequestError, TelemetraError, TooLargeError
from core.events import RAW_SCHEMA, TimePolicy, check_events, fill_columns

Compression = Literal["uncompressed", "lz4", "zstd"]

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
CHAT = {"stream_id": "a", "type": "chat", "user": "ada", "text": "hi"}
LIMIT = 1_000_000


def write(frame: pl.DataFrame, compression: Compression = "uncompressed") -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compression=compression)
    return buffer.getvalue()


def make(rows: int = 2, **columns: pl.Expr) -> pl.DataFrame:
    return pl.DataFrame([CHAT] * rows).with_columns(**columns)


def check(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[int, str | None]]]:
    raw, lost = read_arrow(write(frame))
    events, refused = check_events(raw, now=AT, policy=TimePolicy())
    return events, [(row.index, row.field) for row in (*lost, *refused)]


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_rows_are_numbered_from_0_and_have_the_columns_of_events(
    compression: Compression,
):
    frame = make(3, value=pl.lit(1.5), emotes=pl.lit(["Kappa", None]), other=pl.lit(1))
    raw, lost = read_arrow(write(frame, compression))
    assert lost == []
    assert raw["index"].to_list() == [0, 1, 2]
    assert raw.drop("index").equals(frame.drop("other"))


@pytest.mark.parametrize(
    ("column", "read"),
    [
        (pl.lit("ada").cast(pl.Categorical).alias("user"), "ada"),
        (pl.lit("ada").cast(pl.Enum(["ada"])).alias("user"), "ada"),
        (pl.lit(7, pl.UInt8).alias("id"), "7"),
        (pl.lit(5, pl.UInt16).alias("value"), 5.0),
        (pl.lit(0.5, pl.Float32).alias("value"), 0.5),
        (pl.lit("1.25").cast(pl.Decimal(10, 2)).alias("amount"), 1.25),
        (pl.lit(3, pl.Int8).alias("bits"), 3),
        (pl.lit(3.0).alias("bits"), 3),
        (pl.lit(9, pl.UInt64).alias("viewers"), 9),
        (pl.lit(None).alias("unit"), None),
        (pl.lit(["a"]).cast(pl.List(pl.Categorical)).alias("badges"), ["a"]),
        (pl.lit(["a"]).list.to_array(1).alias("emotes"), ["a"]),
        (pl.lit([], pl.List(pl.Null)).alias("emotes"), []),
    ],
)
def test_types_that_mean_the_same_are_taken(column: pl.Expr, read: object):
    name = column.meta.output_name()
    events, wrong = check(pl.DataFrame([CHAT] * 2).with_columns(column))
    assert wrong == []
    found = fill_columns(events, [name])[name]
    assert found.dtype == RAW_SCHEMA[name]
    assert found.to_list() == [read] * 2


@pytest.mark.parametrize(
    "column",
    [
        *(pl.lit(AT).dt.cast_time_unit(unit) for unit in ("ms", "us", "ns")),
        pl.lit(AT).dt.convert_time_zone("Asia/Kolkata"),
        pl.lit(AT.replace(tzinfo=None)),
        pl.lit("2026-11-21T14:30:00+05:30"),
        pl.lit("2026-11-21T09:00:00Z").cast(pl.Categorical),
        *(pl.lit(int(AT.timestamp()) * size) for size in (1, 10**3, 10**6, 10**9)),
        pl.lit(AT.timestamp()),
        pl.lit(int(AT.timestamp()), pl.UInt32),
    ],
)
def test_a_time_is_taken_in_every_form(column: pl.Expr):
    events, wrong = check(make(timestamp=column))
    assert wrong == []
    assert events["timestamp"].to_list() == [AT] * 2


def test_an_event_without_a_time_gets_that_of_its_arrival():
    for kind in (pl.Datetime("ns", "UTC"), pl.Int64(), pl.String(), pl.Null()):
        events, wrong = check(make(timestamp=pl.lit(None, kind)))
        assert wrong == []
        assert events["timestamp"].to_list() == [AT] * 2


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pl.lit(1.5).alias("user"), "user is a column of Float64, and texts are wanted"),
        (pl.lit("1").alias("value"), "value is a column of String, and numbers are wanted"),
        (pl.lit("1").alias("bits"), "bits is a column of String, and whole numbers are wanted"),
        (pl.lit(b"x").alias("text"), "text is a column of Binary, and texts are wanted"),
        (pl.lit("x").alias("emotes"), "emotes is a column of String, and lists of texts are"),
        (pl.struct(x=1).alias("title"), "title is a column of Struct, and texts are wanted"),
        (pl.lit(AT.time()).alias("timestamp"), "timestamp is a column of Time, and times are"),
        (pl.lit(value=True).alias("value"), "value is a column of Boolean, and numbers are"),
    ],
)
def test_a_column_of_another_type_refuses_the_body_by_its_name(column: pl.Expr, words: str):
    with pytest.raises(BadRequestError, match=words) as caught:
        read_arrow(write(pl.DataFrame([CHAT]).with_columns(column)))
    assert [error.field for error in caught.value.errors] == [column.meta.output_name()]


def test_a_value_that_does_not_fit_refuses_its_row():
    frame = make(4).with_columns(
        bits=pl.Series([1.0, 1.5, float("nan"), None]),
        viewers=pl.Series([2**63, 1, 1, None], dtype=pl.UInt64),
    )
    raw, lost = read_arrow(write(frame))
    assert [(row.index, row.field) for row in lost] == [(0, "viewers"), (1, "bits"), (2, "bits")]
    assert lost[0].reason == "viewers is not a whole number of 64 bits"
    assert raw["index"].to_list() == [3]


def test_several_batches_are_one_body():
    whole = pl.concat([make(2), make(3)], rechunk=False)
    assert read_arrow(write(whole))[0].height == 5


def test_a_stream_without_rows_has_none_and_one_without_columns_is_refused():
    assert read_arrow(write(make(2).clear()))[0].height == 0
    with pytest.raises(BadRequestError, match="none of the columns of an event"):
        read_arrow(write(pl.DataFrame({"x": [1]})))


GOOD = write(make(3, emotes=pl.lit(["a"]), value=pl.lit(1.5), timestamp=pl.lit(AT)), "lz4")


@pytest.mark.parametrize(
    "stream", [b"", b"nonsense", b"ARROW1\0\0", b"\xff" * 8, b"\xff\xff\xff\xff" + b"\x7f" * 4]
)
def test_what_is_no_stream_is_refused(stream: bytes):
    with pytest.raises(BadRequestError, match="no Arrow stream"):
        read_arrow(stream)


@given(st.integers(0, len(GOOD) - 9))
def test_a_stream_that_is_cut_off_is_refused(length: int):
    with pytest.raises(BadRequestError, match="no Arrow stream"):
        read_arrow(GOOD[:length])


@given(st.data())
def test_a_damaged_stream_is_refused_or_read_and_nothing_else(data: st.DataObject):
    stream = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        stream[data.draw(st.integers(0, len(GOOD) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadRequestError, TooLargeError):
        raw, _ = read_arrow(bytes(stream))
        check_events(raw, now=AT, policy=TimePolicy())


def refuse(stream: bytes, words: str) -> None:
    """Make sure that a stream is refused before much is made room for."""
    tracemalloc.start()
    try:
        with pytest.raises(TelemetraError, match=words) as caught:
            read_arrow(stream, bytes_max=LIMIT)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.status in {400, 413}
    assert peak < 10 * LIMIT


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_buffers_that_would_burst_are_refused(compression: Compression):
    frame = make(300, text=pl.lit("x" * 10_000))
    bomb = write(frame, compression)
    assert len(bomb) < LIMIT / 10
    refuse(bomb, "over the limit of 1 MB")


def test_one_text_that_stands_in_many_rows_is_refused():
    refuse(write(make(1000, text=pl.lit("x" * 10_000).cast(pl.Categorical))), "texts of the stream")


def test_more_rows_than_there_can_be_events_are_refused():
    refuse(write(pl.DataFrame({"stream_id": [None] * 100_000})), "more than 31250 rows")


def test_a_length_that_nothing_stands_for_is_refused():
    frame = make(5)
    stream = write(frame)
    claimed = stream.replace(struct.pack("<q", 5), struct.pack("<q", 2**40))
    assert claimed != stream
    refuse(claimed, "more than 31250 rows")


def test_columns_nested_too_deep_or_too_many_are_refused():
    deep: Any = pl.Int8()
    for _ in range(17):
        deep = pl.List(deep)
    refuse(write(make(1, other=pl.lit(None, deep))), "nested over 16 deep")
    refuse(
        write(pl.DataFrame({f"c{n}": [1] for n in range(1_001)})), "over 1000 columns|metadata of"
    )


def test_more_batches_than_are_worth_their_start_are_refused():
    stream = write(make(1))
    size = struct.unpack_from("<i", stream, 4)[0] + 8
    head, batch, end = stream[:size], stream[size:-8], stream[-8:]
    assert read_arrow(head + batch * 100 + end)[0].height == 100
    refuse(head + batch * 10_001 + end, "over 10000 batches")
