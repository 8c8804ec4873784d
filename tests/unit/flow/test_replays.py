"""Replays: however entries are cut, delayed, interrupted and applied again, the rows are the same.

Late events are listed, repeats change nothing, entries that hold no events are put aside, each
exactly once.
"""

import random
from datetime import datetime, timedelta
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streaming.flow.shards import FlowPolicy
from tests.fixtures.clocks import START
from tests.fixtures.events import (
    Event,
    chat,
    make_entry,
    make_events,
    reading,
    transaction,
    viewers,
    write_frame,
)
from tests.fixtures.outcomes import Arrival
from tests.unit.flow.machines import Machine, assert_outcome

STEPS: Final = [
    timedelta(milliseconds=1),
    timedelta(milliseconds=300),
    timedelta(seconds=4),
    timedelta(seconds=35),
    timedelta(seconds=75),
    timedelta(minutes=8),
    timedelta(minutes=62),
]
POISON: Final = [
    b"",
    b"\x00\xff garbage",
    write_frame(make_events([chat(START)]).rename({"user": "who"})),
    make_entry(START, [chat(START, stream_id="one"), chat(START, stream_id=None)]).payload,
]
PACES: Final = [1, 5, 2_000]
"""Running rows a second: with the first they are written late, with the last at once."""


@st.composite
def arrival_lists(draw: st.DrawFn) -> list[Arrival]:
    arrivals: list[Arrival] = []
    at, named = START, list[Event]()
    for number in range(draw(st.integers(1, 9))):
        at += draw(st.sampled_from(STEPS))
        events = draw(st.lists(event_before(at), min_size=1, max_size=5))
        for place in range(len(events)):
            if draw(st.booleans()):
                events[place]["id"] = f"{number}-{place}"
        again = draw(st.lists(st.sampled_from(named), max_size=2)) if named else []
        named += [event for event in events if "id" in event]
        poison = draw(st.sampled_from([None] * 6 + POISON))
        arrivals.append(Arrival(at, events + again, poison))
    return arrivals


@st.composite
def event_before(draw: st.DrawFn, at: datetime) -> Event:
    """Draw an event that is mostly no more than the allowed lateness behind."""
    time = at - timedelta(seconds=draw(st.one_of(st.integers(0, 240), st.integers(-30, 900))))
    stream_id = draw(st.sampled_from(["one", "two"]))
    match draw(st.sampled_from(["chat", "chat", "viewers", "reading", "transaction", "meta"])):
        case "chat":
            user = draw(st.sampled_from(["ada", "bob", "cleo"]))
            text = draw(st.sampled_from(["hi", "great Kappa", "bad LUL LUL", "\U0001f602"]))
            return chat(time, user, text, stream_id=stream_id)
        case "viewers":
            return viewers(time, draw(st.integers(0, 1000)), stream_id=stream_id)
        case "reading":
            value = draw(st.integers(-1000, 1000)) / 8
            channel = draw(st.sampled_from(["temp", "load"]))
            return reading(time, value, channel, stream_id=stream_id)
        case "transaction":
            amount = draw(st.one_of(st.none(), st.integers(0, 1000).map(lambda n: n / 4)))
            currency = draw(st.sampled_from([None, "EUR", "SEK"]))
            kind = draw(st.sampled_from(["donation", "bits"]))
            return transaction(time, amount, stream_id=stream_id, currency=currency, kind=kind)
        case _:
            return {"stream_id": stream_id, "type": "meta", "event": "raid", "timestamp": time}


def two_batches_after_a_long_outage() -> list[Arrival]:
    times = [START + timedelta(seconds=20), START + timedelta(seconds=40)]
    return [Arrival(time, [chat(time, stream_id="one")]) for time in times]


def a_late_event_that_comes_twice() -> list[Arrival]:
    at = START + timedelta(hours=1)
    late = chat(START, id="late")
    later = [Arrival(at + timedelta(milliseconds=number), [late]) for number in (1, 2)]
    return [Arrival(at, [chat(at)]), *later]


def an_old_minute_after_an_hour_of_silence() -> list[Arrival]:
    times = [START, START + timedelta(minutes=62)]
    loud = [Arrival(time, [chat(time, stream_id="loud")]) for time in times]
    old = [
        Arrival(times[1] + timedelta(milliseconds=number), [chat(START)]) for number in range(1, 5)
    ]
    crowd = Arrival(START + timedelta(milliseconds=1), [chat(START)] * 9)
    return [loud[0], crowd, loud[1], *old]


@settings(max_examples=2 * settings().max_examples)
@given(arrival_lists(), st.integers(0, 3), st.integers(0, 2**32), st.sampled_from(PACES))
@example(two_batches_after_a_long_outage(), 0, 1, 2_000)
@example(two_batches_after_a_long_outage(), 0, 2, 2_000)
@example(a_late_event_that_comes_twice(), 0, 1, 2_000)
@example(an_old_minute_after_an_hour_of_silence(), 0, 1, 2_000)
@example(a_late_event_that_comes_twice(), 2, 3, 1)
def test_rows_equal_a_recomputation_however_they_came_about(
    arrivals: list[Arrival], crashes: int, seed: int, pace: int
):
    policy = FlowPolicy(running_rows_a_second=pace)
    tables = Machine(arrivals, random.Random(seed), policy).run(crashes=crashes)
    assert_outcome(tables, arrivals)


@pytest.mark.parametrize("batch_max", [1, 2, 3])
def test_a_late_event_that_comes_twice_is_listed_once_however_it_is_cut(batch_max: int):
    arrivals = a_late_event_that_comes_twice()
    machine = Machine(arrivals, random.Random(batch_max), FlowPolicy(), batch_max=batch_max)
    outcome = assert_outcome(machine.run(crashes=0), arrivals)
    assert sum(outcome.late.values()) == 1


@pytest.mark.parametrize("poison", POISON, ids=["nothing", "bytes", "columns", "no stream"])
def test_the_events_around_an_entry_that_holds_none_are_counted(poison: bytes):
    times = [START + timedelta(seconds=second) for second in range(5)]
    arrivals = [
        Arrival(time, [chat(time, stream_id="one")], poison if place in {1, 3} else None)
        for place, time in enumerate(times)
    ]
    tables = Machine(arrivals, random.Random(1), FlowPolicy(), batch_max=5).run(crashes=1)
    outcome = assert_outcome(tables, arrivals)
    assert len(outcome.counted) == 3
    assert len(tables.dead) == 2
