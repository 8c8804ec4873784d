"""Worlds and ordinary series as they are fed to the flow, and what is counted of a play."""

from datetime import timedelta

import polars as pl
import pytest

from core.times import EPOCH
from loadtest.bench.detection.injections import BASES, ROWS, draw_ordinary
from loadtest.bench.moments.feeds import (
    count_series,
    feed_series,
    feed_worlds,
    label_worlds,
    name_prefix,
)
from loadtest.bench.moments.plays import BEGIN, Play, WorldPlan, count_play
from loadtest.bench.moments.tallies import tally_kinds, tally_moments, tally_play, tally_truths
from streaming.backtest.matches import judge_sightings
from streaming.simulator.profiles import list_profiles
from streaming.simulator.scenarios import SCENARIOS
from streaming.simulator.tables import Tables
from streaming.simulator.worlds import World
from tests.unit.backtest.sightings import make_sighting, make_truth

BEGIN_MS = (BEGIN - EPOCH) // timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
WORLDS = [World(seed, list_profiles(8), 60.0, SCENARIOS["outage"]) for seed in (1, 2)]


@pytest.mark.parametrize("step_s", [1, 20])
def test_worlds_come_step_by_step_each_under_names_of_its_own(step_s: int):
    steps = list(feed_worlds(WORLDS, (BEGIN_MS, BEGIN_MS + 40_000), step_s))
    assert [step.at for step in steps] == [
        BEGIN + step_s * (number + 1) * SECOND for number in range(40 // step_s)
    ]
    for at, events in steps:
        first, last = events.select(
            pl.col("timestamp").min().alias("a"), pl.col("timestamp").max()
        ).row(0)
        assert at - step_s * SECOND <= first <= last < at
    fed = pl.concat([step.events for step in steps], how="diagonal")
    world = WORLDS[1]
    alone = [
        Tables(world.profiles).make_frame(rows)
        for rows in world.rows_between(BEGIN_MS, BEGIN_MS + 40_000)
    ]
    prefix = name_prefix(world)
    own = fed.filter(pl.col("stream_id").str.starts_with(prefix))
    expected = pl.concat(alone)
    assert own["id"].to_list() == expected["id"].to_list()
    assert own["stream_id"].to_list() == (prefix + expected["stream_id"]).to_list()


def test_labels_have_the_names_of_the_streams():
    truths = label_worlds(WORLDS, (BEGIN_MS, BEGIN_MS + 1_800_000))
    assert {truth.stream_id.split(".")[0] for truth in truths} == {"seed-01", "seed-02"}
    # Six chats of four metrics and eight channels, twice.
    assert count_series(WORLDS) == 2 * (6 * 4 + 8)


def test_series_come_as_channels_a_stream_for_each_round():
    series = list(draw_ordinary(1, 2))
    steps = list(feed_series(series, BEGIN_MS, 60))
    assert len(steps) == ROWS
    assert steps[1].at - steps[0].at == timedelta(minutes=1)
    events = steps[7].events
    assert events["value"].to_list() == [each.values[7] for each in series]
    assert events.select("stream_id", "channel").is_unique().all()
    assert set(events["stream_id"]) == {"ordinary-1", "ordinary-2"}


def make_play() -> Play:
    plan = WorldPlan("raid", "raid", (1,), 2.0, timedelta(hours=1))
    raids = [make_truth(minute=minute) for minute in (30, 70, 90, 118.5)]
    mood = make_truth(minute=70, metric="avg_sentiment", types=("sentiment_shift",))
    sightings = [
        make_sighting(1, minute=30),
        make_sighting(2, minute=70, delay_s=4),
        make_sighting(3, minute=100),
        make_sighting(4, minute=110, is_withdrawn=True),
    ]
    return count_play(plan, WORLDS[:1], sightings, [*raids, mood])


def test_the_beginning_and_the_very_end_do_not_count():
    play = make_play()
    assert [found.truth.started_at - BEGIN for found in play.found] == [
        timedelta(minutes=minute) for minute in (70, 90, 70)
    ]
    assert [judged.is_right for judged in play.judged] == [True, False, False]
    assert play.counted == timedelta(hours=1)
    assert play.series_weeks == pytest.approx(32 / (7 * 24))


def test_a_play_is_counted():
    tally = tally_play(make_play())
    assert (tally.incidents, tally.incidents_found) == (2, 1)
    assert (tally.labels, tally.labels_found) == (3, 1)
    assert (tally.moments.shown, tally.moments.withdrawn, tally.moments.right) == (3, 1, 1)
    assert tally.moments.false_a_week == pytest.approx(7 * 24 / 32)
    assert tally.sharp is not None
    assert (tally.sharp.count, tally.sharp.p50, tally.sharp_labels) == (1, 4.0, 2)
    (spikes,) = tally_moments(make_play())
    assert (spikes.moment_type, spikes.precision) == ("chat_spike", 0.5)
    lines = {(line.kind, line.metric): line.recall for line in tally_truths(make_play())}
    assert lines == {("raid", "chat_count"): 0.5, ("raid", "avg_sentiment"): 0.0}


def test_ordinary_series_are_counted_by_kind():
    found = [make_sighting(n, metric_name="heavy-tails", moment_type="flatline") for n in (1, 2)]
    judged = judge_sightings(found, [], is_all_known=True)
    play = Play("series", [], judged, 2 * len(BASES), timedelta(days=7))
    lines = {line.moment_type: line.false_a_week for line in tally_kinds(play)}
    assert len(lines) == len(BASES)
    assert {kind: rate for kind, rate in lines.items() if rate} == {"heavy-tails": 1.0}
