"""Paging: cursors are opaque, and what is none of ours is refused."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.paging import (
    SpanQuery,
    read_cursor,
    read_numbered_place,
    read_place,
    read_point_cursor,
    read_time_cursor,
    write_cursor,
    write_page,
    write_place,
)
from core.errors import InvalidError
from db.minutes import BEGINNING, END
from tests.fixtures.clocks import START


@given(st.text())
def test_a_position_comes_back(position: str):
    cursor = write_cursor(position)
    assert read_cursor(cursor) == position
    assert cursor.isascii()
    assert not set(cursor) & set("+/= ")


@given(st.text(max_size=50))
def test_any_other_text_is_read_or_refused(cursor: str):
    with suppress(InvalidError):
        assert read_time_cursor(cursor).utcoffset() == timedelta(0)


@pytest.mark.parametrize("cursor", ["!", "a", "é", "//8", write_cursor("no time")])
def test_a_foreign_cursor_is_refused(cursor: str):
    with pytest.raises(InvalidError, match="next_cursor"):
        read_time_cursor(cursor)


def test_a_place_comes_back_and_one_that_no_list_has_is_refused():
    assert read_place(write_cursor(write_place(START, "a|b"))) == (START, "a|b")
    assert read_point_cursor(write_cursor(write_place(START, 7))) == (START, 7)
    for name in ("", "-1", "x", str(1 << 63)):
        with pytest.raises(InvalidError, match="next_cursor"):
            read_numbered_place(write_cursor(write_place(START, name)))
    for place in ("yesterday|a", write_place(START, "a\x00")):
        with pytest.raises(InvalidError, match="next_cursor"):
            read_place(write_cursor(place))


def test_a_span_is_one_row_longer_to_see_whether_there_are_more():
    span = SpanQuery().to_span()
    assert (span.start, span.end, span.limit) == (BEGINNING, END, 101)


@pytest.mark.parametrize(("end", "expected"), [("10:30", "10:05"), ("10:01", "10:01")])
def test_a_cursor_only_ever_shortens_the_span(end: str, expected: str):
    cursor = write_cursor((START + timedelta(minutes=5)).isoformat())
    query = SpanQuery.model_validate({"end": f"2026-01-26T{end}:00Z", "cursor": cursor})
    assert query.to_span().end == datetime.fromisoformat(f"2026-01-26T{expected}:00Z")


def test_an_end_before_the_start_is_refused():
    with pytest.raises(ValidationError, match="end lies before start"):
        SpanQuery.model_validate({"start": "2026-01-26T11:00:00Z", "end": "2026-01-26T10:00:00Z"})


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_limit_out_of_bounds_is_refused(limit: int):
    with pytest.raises(ValidationError, match="limit"):
        SpanQuery.model_validate({"limit": limit})


def test_times_are_read_in_every_form():
    query = SpanQuery.model_validate({"start": "1769421600", "end": "2026-01-26T12:00:00 02:00"})
    assert query.start == query.end == START
    assert query.start is not None
    assert query.start.tzinfo is UTC


def test_a_page_is_rows_and_the_way_to_the_next():
    assert orjson.loads(write_page([{"at": START}], next_position="x")) == {
        "data": [{"at": "2026-01-26T10:00:00Z"}],
        "next_cursor": "eA",
    }
    assert orjson.loads(write_page([], next_position=None)) == {"data": [], "next_cursor": None}
