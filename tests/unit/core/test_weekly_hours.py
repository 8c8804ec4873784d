"""Weekly hours: what lies in them, over midnight and over changes of the clock too."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.weekly_hours import WeeklyHours, read_hours

MONDAY = datetime(2026, 1, 26, tzinfo=UTC)
WORK = {"days": ["mon", "tue"], "from": "08:00", "to": "18:00", "zone": "Europe/Berlin"}
NIGHT = {"days": ["fri"], "from": "22:00", "to": "06:00", "zone": "UTC"}
WHOLE = {"days": ["sun"], "from": "00:00", "to": "00:00", "zone": "UTC"}


@pytest.mark.parametrize(
    ("written", "at", "expected"),
    [
        (WORK, MONDAY + timedelta(hours=6, minutes=59), False),
        (WORK, MONDAY + timedelta(hours=7), True),
        (WORK, MONDAY + timedelta(hours=17), False),
        (WORK, MONDAY + timedelta(days=2, hours=9), False),
        # In summer Berlin is two hours ahead, and not one.
        (WORK, datetime(2026, 7, 6, 6, 0, tzinfo=UTC), True),
        (NIGHT, MONDAY + timedelta(days=4, hours=22), True),
        (NIGHT, MONDAY + timedelta(days=5, hours=5, minutes=59), True),
        (NIGHT, MONDAY + timedelta(days=5, hours=6), False),
        (NIGHT, MONDAY + timedelta(days=5, hours=22), False),
        (NIGHT, MONDAY + timedelta(days=4, hours=5), False),
        (WHOLE, MONDAY - timedelta(seconds=1), True),
        (WHOLE, MONDAY, False),
    ],
)
def test_hours_hold_on_their_days_in_their_zone(
    written: dict[str, object], at: datetime, *, expected: bool
):
    hours = read_hours(written)
    assert hours is not None
    assert hours.holds(at) is expected


def test_no_hours_are_none():
    assert read_hours(None) is None


@given(
    days=st.frozensets(st.integers(0, 6), min_size=1),
    begins=st.times().map(lambda t: t.replace(microsecond=0)),
    ends=st.times().map(lambda t: t.replace(microsecond=0)),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
    minutes=st.integers(0, 60 * 24 * 400),
)
def test_the_next_time_is_the_first_that_lies_in_them(
    days: frozenset[int], begins: time, ends: time, zone: str, minutes: int
):
    hours = WeeklyHours(days, begins, ends, ZoneInfo(zone))
    at = MONDAY + timedelta(minutes=minutes)
    found = hours.find_next(at)
    assert at <= found <= at + timedelta(days=8)
    # Hours that begin in the gap of a change of the clock begin after it, or not at all that day.
    steps = (at + timedelta(minutes=step) for step in range(0, 60 * 24, 7))
    assert not any(hours.holds(step) for step in steps if step < found - timedelta(hours=1))
    assert (found == at) is hours.holds(at)
