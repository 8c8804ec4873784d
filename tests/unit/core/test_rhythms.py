"""Rhythms: a pause and a run of one value are measured by the longest ones before."""

import numpy as np
import pytest

from core.rhythms import Breaks, Rhythms, Told
from tests.fixtures.snapshots import through_snapshot

SECOND = 1_000_000
LEAST = 30 * SECOND
ONE = np.array([0])


class Series:
    """One series, told event by event."""

    def __init__(self) -> None:
        self.rhythms = Rhythms()
        self.at = 1_700_000_000 * SECOND
        self._random = np.random.default_rng(5)

    def tell(self, count: int, every_s: float = 1.0, value: float | None = None) -> Breaks:
        at = self.at + (np.arange(1, count + 1) * every_s * SECOND).astype(np.int64)
        self.at = int(at[-1])
        values = (
            np.round(20 + self._random.standard_normal(count), 3)
            if value is None
            else np.full(count, value)
        )
        told = Told(np.zeros(count, np.int64), at, values)
        return self.rhythms.follow(told, np.full(count, LEAST))

    def pause(self, seconds: float) -> bool:
        """Let time pass; return whether that is a silence by now."""
        now = np.array([self.at + int(seconds * SECOND)])
        return len(self.rhythms.find_silent(now, np.array([LEAST]), ONE).series) == 1


def test_a_series_of_each_second_is_silent_after_the_least_pause():
    series = Series()
    series.tell(900)
    assert not series.pause(30)
    assert series.pause(31)


def test_a_series_of_each_minute_may_pause_longer():
    series = Series()
    series.tell(60, every_s=60)
    assert not series.pause(179)
    assert series.pause(181)


def test_who_has_told_little_or_not_for_long_may_pause_as_it_likes():
    few, young = Series(), Series()
    few.tell(20, every_s=60)
    young.tell(400)
    assert not few.pause(100_000)
    assert not young.pause(100_000)


def test_the_event_that_ends_a_silence_says_since_when_it_was():
    series = Series()
    series.tell(900)
    since, series.at = series.at, series.at + 100 * SECOND
    breaks = series.tell(3)
    assert breaks.silent_from.tolist() == [since, 0, 0]


def test_a_silence_that_comes_every_day_is_expected_at_last():
    series, found = Series(), []
    for _ in range(30):
        series.tell(200, every_s=60)
        found.append(series.pause(8 * 3600))
        series.at += 8 * 3600 * SECOND
    assert found[0]
    assert not found[-1]


def test_a_value_that_stays_is_a_flat_line_until_it_moves():
    series = Series()
    series.tell(900)
    began = series.tell(60, value=21.5)
    (index,) = np.flatnonzero(began.flat_from)
    first = series.at - 59 * SECOND
    assert began.flat_from[index] == first
    assert index >= 30
    over = series.tell(2)
    assert over.flat_until.tolist() == [first, 0]


def test_a_sensor_that_rests_at_zero_is_stuck_only_when_it_rests_far_longer():
    series = Series()
    for _ in range(20):
        series.tell(50, value=0.0)
        series.tell(10)
    assert not series.tell(100, value=0.0).flat_from.any()
    assert series.tell(80, value=0.0).flat_from.any()


def test_disorder_makes_no_pause():
    series = Series()
    series.tell(900)
    now = series.at
    series.at -= 10 * SECOND
    assert not series.tell(5).silent_from.any()
    series.at = now
    assert not series.pause(29)


@pytest.mark.parametrize("cut", [1, 7, 300])
def test_however_events_are_cut_the_same_breaks_are_found(cut: int):
    random = np.random.default_rng(2)
    at = np.cumsum(random.choice([1, 1, 1, 200], 1500, p=[0.4, 0.3, 0.295, 0.005])) * SECOND
    values = np.round(random.standard_normal(1500), 1)
    values[900:960] = 4.0
    whole, parts = Rhythms(), Rhythms()
    expected = whole.follow(Told(np.zeros(1500, np.int64), at, values), np.full(1500, LEAST))
    found = [
        parts.follow(
            Told(np.zeros(len(some), np.int64), at[some], values[some]), np.full(len(some), LEAST)
        )
        for some in np.array_split(np.arange(1500), cut)
    ]
    for name in Breaks._fields:
        joined = np.concatenate([getattr(each, name) for each in found])
        assert joined.tolist() == getattr(expected, name).tolist()


def test_a_forgotten_series_begins_anew_and_a_snapshot_holds_the_others():
    series = Series()
    series.tell(900)
    series.rhythms = through_snapshot(series.rhythms)
    assert series.pause(31)
    series.rhythms.forget(np.array([0, 7]))
    assert not series.pause(31)
