"""The past through a shard of its own, by a clock of its own."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl

from core.changes import Changes
from streaming.backtest.overrides import Rules, change_rules
from streaming.backtest.rehearsals import Rehearsal
from streaming.flow.shards import FlowPolicy
from tests.fixtures.clocks import START
from tests.fixtures.events import make_events, reading

SECOND = timedelta(seconds=1)
STEP = 20 * SECOND
HASTY = change_rules(Rules(FlowPolicy()), ["silence_after_seconds=5"])


def list_steps(minutes: int) -> Iterator[tuple[datetime, pl.DataFrame]]:
    """Return a reading a second, gathered."""
    for begin in (START + number * STEP for number in range(3 * minutes)):
        yield (
            begin + STEP,
            make_events(reading(begin + n * SECOND, 20 + n % 7 / 10) for n in range(20)),
        )


def rehearse(step: timedelta) -> Rehearsal:
    rehearsal = Rehearsal(HASTY, step=step)
    for at, events in list_steps(12):
        rehearsal.tell(at, events)
    return rehearsal


def list_types(rehearsal: Rehearsal) -> set[str]:
    return {each.moment.moment_type for each in rehearsal.sightings}


def test_what_a_step_gathered_is_no_silence_and_what_pauses_longer_is():
    assert "silence" not in list_types(rehearse(STEP))
    assert "silence" in list_types(rehearse(SECOND))


def test_the_clock_goes_on_while_nothing_comes_and_the_end_is_no_silence():
    paused, ended = rehearse(STEP), rehearse(STEP)
    paused.wait_until(START + timedelta(minutes=20))
    ended.finish()
    assert "silence" in list_types(paused)
    assert "silence" not in list_types(ended)


def test_a_sighting_is_the_moment_as_it_was_last_and_when_it_was_first_shown():
    rehearsal = rehearse(STEP)
    end = START + timedelta(minutes=12)
    rehearsal.wait_until(end + timedelta(minutes=3))
    (first,) = (each for each in rehearsal.sightings if each.moment.moment_type == "silence")
    late = reading(end + timedelta(minutes=3), 20.0)
    rehearsal.tell(end + timedelta(minutes=3) + STEP, make_events([late]))
    (last,) = (each for each in rehearsal.sightings if each.moment.moment_type == "silence")
    assert end < first.opened_at <= end + timedelta(minutes=1)
    assert last.opened_at == first.opened_at
    assert (first.moment.ended_at, last.moment.ended_at is None) == (None, False)


def test_whoever_watches_is_told_of_all_that_changes():
    told: list[Changes] = []
    rehearsal = Rehearsal(replace(HASTY), told.append)
    for at, events in list_steps(2):
        rehearsal.tell(at, events)
    rehearsal.finish()
    assert sum(changes.events for changes in told) == 120
    assert told[-1].readings["final"].all()
