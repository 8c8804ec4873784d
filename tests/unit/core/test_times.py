"""Times: every way a client may write one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.times import parse_time

TIME = datetime(2026, 1, 26, 10, 32, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-26T10:32:15Z",
        "2026-01-26T10:32:15",
        "2026-01-26 10:32:15",
        " 2026-01-26T10:32:15Z ",
        "2026-01-26T12:32:15+02:00",
        "2026-01-26T12:32:15 02:00",
        "2026-01-26T12:32:15 +0200",
        "2026-01-26T05:32:15.000-05:00",
        "1769423535",
        "1769423535.0",
        "1769423535000",
        "1769423535000000",
        "1769423535000000000",
    ],
)
def test_one_time_in_every_form(text: str):
    assert parse_time(text) == TIME
    assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-26", datetime(2026, 1, 26, tzinfo=UTC)),
        ("2026-01-26 10:32", datetime(2026, 1, 26, 10, 32, tzinfo=UTC)),
        ("2026-01-26T10:32Z", datetime(2026, 1, 26, 10, 32, tzinfo=UTC)),
        ("-1", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_other_ways_to_write_a_time_are_read(text: str, time: datetime):
    assert parse_time(text) == time


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "nan",
        "inf",
        "-inf",
        "1e30",
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "99999999999999999999",
        "\0",
    ],
)
def test_what_is_no_time_is_refused_with_an_example(text: str):
    with pytest.raises(ValueError, match="2026-01-26T10:32:15Z"):
        parse_time(text)


@given(st.text())
def test_any_text_is_a_time_in_utc_or_refused(text: str):
    try:
        time = parse_time(text)
    except ValueError:
        return
    assert time.utcoffset() is not None


@given(st.datetimes(datetime(1975, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001 (no zone is the point)
def test_what_is_written_is_read_back(time: datetime):
    assert parse_time(time.isoformat()) == time.replace(tzinfo=UTC)
    assert parse_time(time.replace(tzinfo=UTC).isoformat()) == time.replace(tzinfo=UTC)
