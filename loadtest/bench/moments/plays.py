"""Plays: feeds through a shard, and what was found in them beside what happened.

A play has a beginning that does not count: a stream that nothing is known of warms up.
"""

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from core.settings import load_settings
from core.times import EPOCH
from core.words import warm_up
from loadtest.bench.detection.injections import ROWS, draw_ordinary
from loadtest.bench.moments.feeds import (
    Step,
    count_series,
    feed_series,
    feed_worlds,
    label_worlds,
)
from streaming.backtest.matches import Found, Judged, find_truths, judge_sightings
from streaming.backtest.overrides import Rules
from streaming.backtest.rehearsals import Rehearsal, Sighting
from streaming.backtest.truths import Truth
from streaming.flow.dataflow import build_policy
from streaming.simulator.profiles import list_profiles
from streaming.simulator.scenarios import SCENARIOS
from streaming.simulator.worlds import RATE_USUAL, World

BEGIN: Final = datetime.fromisoformat("2026-01-26T10:00:00+00:00")
STREAMS: Final = 8

CLOCK_S: Final = 5
"""How often the clock looks at series between whose readings nothing comes."""

BEFORE_END: Final = timedelta(minutes=3)
"""What begins later has no time to be told."""


@dataclass(frozen=True, slots=True)
class WorldPlan:
    """Worlds to be played together."""

    name: str
    scenario: str
    seeds: tuple[int, ...]
    hours: float
    warm_up: timedelta
    step_s: int = 1


@dataclass(frozen=True, slots=True)
class SeriesPlan:
    """Ordinary series to be played together."""

    name: str
    interval_s: int
    rounds: int
    warm_up: timedelta
    seed: int = 2026


Plan: TypeAlias = WorldPlan | SeriesPlan


@dataclass(frozen=True, slots=True)
class Play:
    """What came of one."""

    name: str
    found: list[Found]
    judged: list[Judged]
    series: int
    counted: timedelta
    """How long, without the beginning."""

    seconds: float = 0.0

    @property
    def series_weeks(self) -> float:
        """For how many weeks of one series it counts."""
        return self.series * self.counted / timedelta(days=7)


def play(plan: Plan) -> Play:
    """Play one plan, under the rules of the product's settings."""
    warm_up()
    rules, began = Rules(build_policy(load_settings())), time.perf_counter()
    found = play_worlds(plan, rules) if isinstance(plan, WorldPlan) else play_series(plan, rules)
    took = time.perf_counter() - began
    sys.stderr.write(f"{plan.name}: {len(found.judged)} moments, {took:.0f} s\n")
    return replace(found, seconds=took)


def play_worlds(plan: WorldPlan, rules: Rules) -> Play:
    """Play the worlds of several seeds."""
    worlds = [
        World(seed, list_profiles(STREAMS), RATE_USUAL, SCENARIOS[plan.scenario])
        for seed in plan.seeds
    ]
    end = BEGIN + timedelta(hours=plan.hours)
    span = _to_ms(BEGIN), _to_ms(end)
    sightings = rehearse(feed_worlds(worlds, span, plan.step_s), rules, plan.step_s)
    return count_play(plan, worlds, sightings, label_worlds(worlds, span))


def play_series(plan: SeriesPlan, rules: Rules) -> Play:
    """Play series in which nothing happens."""
    series = list(draw_ordinary(plan.seed, plan.rounds))
    sightings = rehearse(feed_series(series, _to_ms(BEGIN), plan.interval_s), rules, CLOCK_S)
    since, length = BEGIN + plan.warm_up, timedelta(seconds=ROWS * plan.interval_s)
    late = [each for each in sightings if each.opened_at >= since]
    judged = judge_sightings(late, [], is_all_known=True)
    return Play(plan.name, [], judged, len(series), length - plan.warm_up)


def rehearse(steps: Iterable[Step], rules: Rules, step_s: int = 1) -> list[Sighting]:
    """Send a feed through a shard, and its clock through the gaps of the feed."""
    rehearsal = Rehearsal(rules, step=timedelta(seconds=step_s))
    for step in steps:
        if step.events.height:
            rehearsal.tell(step.at, step.events)
        else:
            rehearsal.wait_until(step.at)
    rehearsal.finish()
    return rehearsal.sightings


def count_play(
    plan: WorldPlan, worlds: list[World], sightings: list[Sighting], truths: list[Truth]
) -> Play:
    """Hold what was found against what happened, the beginning and the very end left out."""
    since, end = BEGIN + plan.warm_up, BEGIN + timedelta(hours=plan.hours)
    wanted = [each for each in truths if since <= each.started_at < end - BEFORE_END]
    counted = [each for each in sightings if each.opened_at >= since]
    return Play(
        plan.name,
        find_truths(sightings, wanted),
        judge_sightings(counted, truths, is_all_known=True),
        count_series(worlds),
        end - since,
    )


def _to_ms(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)
