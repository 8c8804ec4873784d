"""Judges: what minutes are measured by, and what is unusual in each kind of them."""

import pickle
from datetime import datetime, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest

from core.baselines import NORMAL_FROM_MAD, BaselinePolicy
from core.changes import Changes
from core.moments import Moment
from core.tails import THRESHOLD_MIN
from streaming.detect.levels import Levelled, Levels, Minutes
from streaming.flow.judges.base import expect_counts
from streaming.flow.judges.readings import expect_values
from streaming.flow.shards import FlowPolicy, Shard
from tests.fixtures.clocks import START
from tests.fixtures.events import Event, chat, make_batch, make_entry, reading, transaction, viewers

FIRST = 1_000_000
"""The number of a minute."""

POLICY = BaselinePolicy()


def make_levels() -> Levels:
    return Levels(POLICY, expect_counts, reopened=POLICY.span)


def give(
    levels: Levels, minute: int, value: float, *, final: bool = True, series: int = 0
) -> Levelled:
    """Set one minute's value and return what is said of it."""
    return levels.judge(
        Minutes(
            np.array([series]), np.array([FIRST + minute]), np.array([value]), np.array([final])
        )
    )


def warm_up(levels: Levels, value: float, minutes: int = 12, series: int = 0) -> None:
    for minute in range(minutes):
        give(levels, minute, value, series=series)


def test_a_minute_is_measured_in_spreads_from_the_median_of_the_minutes_before():
    levels = make_levels()
    for minute in range(30):
        give(levels, minute, 1000.0 + 100 * (minute % 3))
    said = give(levels, 30, 4100.0)
    assert said.expected.item() == 1100.0
    assert said.z_scores.item() == pytest.approx(3000 / (100 * NORMAL_FROM_MAD))
    assert said.scores.item() > 1


def test_a_score_is_not_capped_by_the_number_of_points():
    levels = make_levels()
    warm_up(levels, 1.0, POLICY.least)
    assert give(levels, POLICY.least, 1_000_001.0).z_scores.item() == 1_000_000.0


def test_warming_up_gives_no_verdict():
    levels = make_levels()
    warm_up(levels, 1.0, POLICY.least - 1)
    said = give(levels, 30, 99.0)
    assert np.isnan([said.expected.item(), said.z_scores.item()]).all()
    assert said.scores.item() == 0.0


def test_a_running_minute_is_measured_anew_when_the_minute_before_it_closes():
    levels = make_levels()
    for minute in range(10):
        give(levels, minute, float(minute))
    assert give(levels, 11, 6.0, final=False).expected.item() == 4.5
    give(levels, 10, 7.0)
    assert give(levels, 11, 6.0, final=False).expected.item() == 5.0


def test_unusual_minutes_are_left_out_of_what_the_next_are_measured_by():
    levels = make_levels()
    for minute in range(30):
        give(levels, minute, 100.0 + 10 * (minute % 3))
    for minute in range(30, 45):
        assert give(levels, minute, 400.0).expected.item() == 110.0


def test_what_stays_unusual_for_an_hour_is_what_is_usual_then():
    levels = make_levels()
    for minute in range(30):
        give(levels, minute, 100.0 + 10 * (minute % 3))
    for minute in range(30, 95):
        give(levels, minute, 400.0 + 10 * (minute % 3))
    assert give(levels, 95, 410.0).scores.item() < 1


def test_after_a_pause_a_running_minute_is_not_measured_by_what_was_before_it():
    levels = make_levels()
    warm_up(levels, 10.0)
    assert give(levels, 12, 12.0, final=False).expected.item() == 10.0
    assert np.isnan(give(levels, 90, 12.0, final=False).expected.item())


def test_a_closed_minute_of_another_series_leaves_the_baseline_as_it_is():
    levels = make_levels()
    warm_up(levels, 10.0, series=0)
    warm_up(levels, 500.0, series=1)
    first = give(levels, 12, 40.0, final=False, series=0)
    give(levels, 12, 9000.0, series=1)
    assert give(levels, 12, 40.0, final=False, series=0) == first


def test_a_minute_that_closes_is_not_measured_by_itself():
    levels = make_levels()
    warm_up(levels, 100.0)
    running = give(levels, 12, 900.0, final=False)
    assert give(levels, 12, 900.0)[:3] == running[:3]
    assert give(levels, 12, 900.0)[:3] == running[:3]


def test_of_a_series_that_wanders_a_step_is_measured_by_where_it_is_now():
    levels = make_levels()
    for minute in range(60):
        give(levels, minute, 1000.0 + 300 * np.sin(minute / 8))
    now = 1000.0 + 300 * np.sin(60 / 8)
    step = give(levels, 60, now + 500)
    assert step.expected.item() == pytest.approx(now, abs=120)
    assert step.scores.item() > 1
    assert give(make_wandering(), 60, now).scores.item() < 1


def make_wandering() -> Levels:
    levels = make_levels()
    for minute in range(60):
        give(levels, minute, 1000.0 + 300 * np.sin(minute / 8))
    return levels


def test_the_return_from_a_long_incident_is_nothing_unusual():
    levels = make_levels()
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(100, 8, 60), rng.normal(400, 8, 12), rng.normal(100, 8, 5)])
    scores = [give(levels, minute, value).scores.item() for minute, value in enumerate(values)]
    assert min(scores[60:72]) > 1
    assert max(scores[72:]) < 1


def test_a_wild_series_is_given_a_wider_margin():
    rng = np.random.default_rng(5)
    tame, wild = make_levels(), make_levels()
    for minute in range(2000):
        give(tame, minute, 1000 + 40 * rng.standard_normal())
        give(wild, minute, 1000 + 40 * rng.standard_t(2.5))
    thresholds = [give(levels, 2000, 1000.0).thresholds.item() for levels in (tame, wild)]
    assert THRESHOLD_MIN <= thresholds[0] < 5.5
    assert thresholds[1] > thresholds[0] + 1


def test_chance_alone_is_no_anomaly():
    assert expect_counts(np.array([0.0, 0.5, 100.0])).tolist() == [1.0, 1.0, 10.0]
    assert expect_values(np.array([0.0, -2000.0])).tolist() == [1e-9, 2.0]


def test_a_series_that_is_forgotten_warms_up_again():
    levels = make_levels()
    warm_up(levels, 10.0)
    levels.forget(np.array([0]))
    assert np.isnan(give(levels, 12, 99.0).expected.item())


def test_several_minutes_that_close_at_once_are_each_measured_by_those_before():
    numbers = np.arange(12)
    said = make_levels().judge(
        Minutes(
            np.zeros(12, np.int64),
            numbers + FIRST,
            numbers.astype(np.float64),
            np.ones(12, np.bool_),
        )
    )
    assert said.expected[:10].tolist() == pytest.approx([np.nan] * 10, nan_ok=True)
    assert said.expected[10:].tolist() == [4.5, 5.0]


class Played:
    """A shard that is told of minute after minute."""

    def __init__(self) -> None:
        self.shard = Shard(0, FlowPolicy())
        self.moments: dict[str, Moment] = {}
        self._rng = np.random.default_rng(11)

    def play(self, minutes: range, **wanted: float) -> list[Changes]:
        """Tell of minutes in which something is as wanted, and everything else as usual."""
        told = []
        for minute in minutes:
            at = START + timedelta(minutes=minute, seconds=59)
            (changes,) = self.shard.apply(
                make_batch([make_entry(at, self._make_minute(minute, wanted))])
            )
            self.moments |= {each.moment_id: each for each in changes.moments}
            told.append(changes)
        return told

    def list_types(self, since: int) -> list[tuple[str, str, str]]:
        """Return type, metric and direction of what began since a minute."""
        start = START + timedelta(minutes=since)
        found = [each for each in self.moments.values() if each.started_at >= start]
        return sorted((each.moment_type, each.metric_name, each.direction) for each in found)

    def _make_minute(self, minute: int, wanted: dict[str, float]) -> list[Event]:
        def at(second: float) -> datetime:
            return START + timedelta(minutes=minute, seconds=second)

        usual = {"chat": 60.0, "viewers": 500.0, "gifts": 2.0, "level": 20.0, "scatter": 0.5}
        told = usual | wanted
        text = "love this so good" if wanted.get("mood") else "hello there you all"
        events = [
            chat(at(60 * n / told["chat"]), f"u{n}", text=text) for n in range(int(told["chat"]))
        ]
        counts = told["viewers"] + 5 * self._rng.standard_normal(6)
        events += [viewers(at(10 * n + 1), round(count)) for n, count in enumerate(counts)]
        values = told["level"] + told["scatter"] * self._rng.standard_normal(12)
        events += [
            reading(at(5 * n + 2), round(value, 3), channel="temp")
            for n, value in enumerate(values)
        ]
        events += [transaction(at(3 + n / 10), 5.0) for n in range(int(told["gifts"]))]
        return sorted(events, key=lambda event: event["timestamp"])


@cache
def pickle_usual() -> bytes:
    """Return a shard that was told of forty minutes, played once for all tests."""
    played = Played()
    played.play(range(40))
    return pickle.dumps(played)


def play_as_usual() -> Played:
    """Return a shard of one's own to which nothing happened in forty minutes."""
    played: Played = pickle.loads(pickle_usual())  # noqa: S301 (ours)
    return played


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"chat": 300}, ("chat_spike", "chat_count", "up")),
        ({"chat": 5}, ("chat_drop", "chat_count", "down")),
        ({"viewers": 1500}, ("viewer_spike", "avg_viewers", "up")),
        ({"viewers": 100}, ("viewer_drop", "avg_viewers", "down")),
        ({"gifts": 30}, ("transaction_spike", "transaction_count", "up")),
        ({"mood": 1}, ("sentiment_shift", "avg_sentiment", "up")),
        ({"level": 26}, ("reading_anomaly", "temp", "up")),
        ({"level": 14}, ("reading_anomaly", "temp", "down")),
    ],
)
def test_each_kind_of_incident_is_found_and_nothing_else(
    wanted: dict[str, float], found: tuple[str, str, str]
):
    played = play_as_usual()
    assert played.list_types(0) == []
    played.play(range(40, 42), **wanted)
    played.play(range(42, 44))
    assert played.list_types(40) == [found]


def test_readings_that_scatter_more_than_usual_are_unusual_though_their_mean_is_not():
    played = play_as_usual()
    played.play(range(40, 42), scatter=6)
    played.play(range(42, 44))
    (moment,) = played.moments.values()
    assert (moment.moment_type, moment.metric_name) == ("reading_anomaly", "temp")


def test_what_is_stored_beside_a_minute_says_what_opened_the_moment():
    played = play_as_usual()
    *_, changes = played.play(range(40, 42), level=26)
    minutes = changes.readings.filter(pl.col("final"))
    assert minutes["is_anomaly"].to_list() == [True]
    assert minutes["z_score"].item() > THRESHOLD_MIN
