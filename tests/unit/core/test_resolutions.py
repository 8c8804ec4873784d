"""Resolutions: the finest that gives a range few enough rows, with windows that never shift."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.resolutions import MINUTES_MAX, RESOLUTIONS, ROWS_MAX, Resolution, choose_resolution
from core.times import EPOCH

TIMES = st.datetimes(
    min_value=datetime(1960, 1, 1),  # noqa: DTZ001 (hypothesis wants bounds without a zone)
    max_value=datetime(2999, 1, 1),  # noqa: DTZ001 (as above)
    timezones=st.just(UTC),
)

STEPS = [
    (timedelta(0), "1m"),
    (timedelta(minutes=1000), "1m"),
    (timedelta(minutes=1000, microseconds=1), "5m"),
    (timedelta(minutes=5000), "5m"),
    (timedelta(minutes=5001), "15m"),
    (timedelta(minutes=15_000), "15m"),
    (timedelta(minutes=15_001), "1h"),
    (timedelta(hours=1000), "1h"),
    (timedelta(hours=1001), "1d"),
    (timedelta(days=365_000), "1d"),
]


@pytest.mark.parametrize(("span", "name"), STEPS)
def test_a_range_gets_the_finest_resolution_that_fits(span: timedelta, name: str):
    assert choose_resolution(span).name == name


@pytest.mark.parametrize(
    ("span", "name"),
    [
        (timedelta(minutes=10_000), "1m"),
        (timedelta(minutes=MINUTES_MAX), "5m"),
        # 15m would be few enough rows, of 150 000 minutes.
        (timedelta(minutes=MINUTES_MAX + 1), "1h"),
        (timedelta(minutes=150_000), "1h"),
        (timedelta(hours=10_001), "1d"),
    ],
)
def test_a_range_to_be_thinned_is_not_put_together_from_too_many_minutes(
    span: timedelta, name: str
):
    assert choose_resolution(span, 10_000).name == name


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=ROWS_MAX)))
def test_a_chosen_resolution_never_gives_too_many_rows(span: timedelta):
    assert choose_resolution(span).count_windows(span) <= ROWS_MAX


@given(TIMES, st.sampled_from(RESOLUTIONS))
def test_a_time_is_rounded_up_to_the_start_of_a_window(at: datetime, resolution: Resolution):
    start = resolution.round_up(at)
    assert (start - EPOCH) % resolution.width == timedelta(0)
    assert timedelta(0) <= start - at < resolution.width
    assert resolution.round_up(start) == start
