"""Exports: however a table is cut into pages, the file is the same table."""

import io
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import polars as pl
import pytest

from core.exports import ArrowWriter, CsvWriter, Writer
from core.windows import CHANNEL, CHAT
from tests.fixtures.clocks import START

EMOTES: Final = [{"emote": 'Ka"p,pa', "count": 5}, {"emote": "LÜL", "count": 1}]


def make_row(number: int) -> dict[str, Any]:
    start = START + timedelta(minutes=number)
    row: dict[str, Any] = dict.fromkeys(CHAT.schema.names())
    return row | {
        "stream_id": "a",
        "window_start": start,
        "window_end": start + timedelta(minutes=1),
        "chat_count": number,
        "top_emotes": EMOTES if number % 2 else [],
        "avg_sentiment": None if number % 3 else 0.25,
        "final": True,
    }


ROWS: Final = [make_row(number) for number in range(7)]


def write_pages(writer: Writer, size: int) -> bytes:
    pages = [CHAT.to_frame(ROWS[at : at + size]) for at in range(0, len(ROWS), size)]
    return b"".join([*(writer.write(page) for page in pages), writer.close()])


@pytest.mark.parametrize("size", [1, 3, 7])
def test_an_arrow_stream_is_whole_however_it_is_cut(size: int):
    frame = pl.read_ipc_stream(io.BytesIO(write_pages(ArrowWriter(), size)))
    assert frame.equals(CHAT.to_frame(ROWS))
    assert dict(frame.schema) == dict(CHAT.schema)


@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_csv_file_has_one_header_however_it_is_cut(size: int):
    frame = pl.read_csv(io.BytesIO(write_pages(CsvWriter(), size)))
    assert frame.columns == CHAT.schema.names()
    assert frame["chat_count"].to_list() == list(range(7))
    assert frame["avg_sentiment"].to_list() == [0.25, None, None, 0.25, None, None, 0.25]
    assert [datetime.fromisoformat(text) for text in frame["window_start"]] == [
        row["window_start"] for row in ROWS
    ]
    assert [orjson.loads(text) for text in frame["top_emotes"]] == [
        row["top_emotes"] for row in ROWS
    ]


@pytest.mark.parametrize("table", [CHAT, CHANNEL])
def test_a_table_without_rows_still_names_its_columns(table: Any):
    empty = table.to_frame([])
    assert CsvWriter().write(empty).decode().strip().split(",") == empty.columns
    arrow = ArrowWriter()
    frame = pl.read_ipc_stream(io.BytesIO(arrow.write(empty) + arrow.close()))
    assert frame.schema == empty.schema


@pytest.mark.parametrize("text", ["=1+2", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_text_that_begins_like_a_formula_is_disarmed_in_csv_only(text: str):
    row: dict[str, Any] = dict.fromkeys(CHANNEL.schema.names())
    row |= {"stream_id": text, "channel": "a=b", "unit": text, "mean": -1.5, "last": -2.0}
    page = CHANNEL.to_frame([row, row | {"unit": None}])
    frame = pl.read_csv(io.BytesIO(CsvWriter().write(page)))
    assert frame["stream_id"].to_list() == [f"'{text}"] * 2
    assert frame["unit"].to_list() == [f"'{text}", None]
    assert frame["channel"].to_list() == ["a=b"] * 2
    assert (frame["mean"][0], frame["last"][0]) == (-1.5, -2.0)
    arrow = ArrowWriter()
    told = pl.read_ipc_stream(io.BytesIO(arrow.write(page) + arrow.close()))
    assert told["unit"].to_list() == [text, None]
