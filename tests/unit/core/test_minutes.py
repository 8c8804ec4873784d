"""Minutes: numbers and keys that mean one minute of one series and no other."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.minutes import (
    find_minutes,
    find_series,
    make_key,
    number_minute,
    number_minutes,
    split_minutes,
    start_minute,
    start_minutes,
    to_micros,
    to_times,
)
from core.times import EPOCH
from tests.fixtures.clocks import START
from tests.fixtures.expectations import start_of_minute

times = st.datetimes(datetime(1, 1, 1), datetime(5000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
series = st.integers(0, 2**31 - 1)


def number(at: datetime) -> int:
    (minute,) = number_minutes(np.array([to_micros(at)]))
    return int(minute)


@given(times)
@pytest.mark.parametrize("known", [EPOCH, EPOCH - timedelta(microseconds=1), START])
def test_a_minute_begins_where_the_clock_says(known: datetime, at: datetime):
    for time in (known, at):
        minute = np.array([number(time)])
        (begin,) = to_times(start_minutes(minute)).to_list()
        assert begin == start_of_minute(time)


@given(st.lists(times, min_size=1, max_size=5))
def test_expressions_and_arrays_agree(drawn: list[datetime]):
    frame = pl.DataFrame({"at": [to_micros(at) for at in drawn]})
    told = frame.select(minute=number_minute(pl.col("at"))).with_columns(
        begin=start_minute(pl.col("minute"))
    )
    minutes = number_minutes(frame["at"].to_numpy())
    assert told["minute"].to_list() == minutes.tolist()
    assert told["begin"].to_list() == start_minutes(minutes).tolist()


@given(st.lists(st.tuples(series, times), min_size=1, max_size=6))
def test_a_key_gives_its_series_and_its_minute_back_and_sorts_by_both(
    drawn: list[tuple[int, datetime]],
):
    numbers, minutes = [one for one, _ in drawn], [number(at) for _, at in drawn]
    frame = pl.DataFrame({"series": numbers, "minute": minutes})
    keys = frame.select(make_key()).to_series().to_numpy()
    assert find_series(keys).tolist() == numbers
    assert find_minutes(keys).tolist() == minutes
    pairs = list(zip(numbers, minutes, strict=True))
    assert [pairs[place] for place in np.argsort(keys, kind="stable")] == sorted(pairs)


@given(times)
def test_times_survive_as_microseconds(at: datetime):
    assert to_times(np.array([to_micros(at)])).to_list() == [at]


def test_a_frame_is_taken_apart_by_its_minutes_and_nothing_is_lost():
    keys = [7 << 32 | 11, 8 << 32 | 11, 7 << 32 | 12]
    frame = pl.DataFrame({"key": keys, "value": [1, 2, 3]})
    parts = {minute: part["value"].to_list() for minute, part in split_minutes(frame)}
    assert parts == {11: [1, 2], 12: [3]}
    assert [minute for minute, _ in split_minutes(frame.head(2))] == [11]
    assert list(split_minutes(frame.clear())) == []
