"""Watermarks: which events come too late, however their entries are cut into batches."""

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.batches import Entry
from core.watermarks import WATERMARKS, LatenessPolicy, arrive, truncate_minute
from tests.fixtures.clocks import START
from tests.fixtures.events import Event, make_batch, make_entry, reading

POLICY: Final = LatenessPolicy()
MINUTE: Final = timedelta(minutes=1)


def judge(*batches: list[Entry]) -> tuple[list[float], list[float], pl.DataFrame]:
    """Return the values of the events on time and late, and the watermarks after them."""
    watermarks = pl.DataFrame(schema=WATERMARKS)
    on_time: list[float] = []
    late: list[float] = []
    for entries in batches:
        frame = make_batch(entries).frame.with_columns(minute=truncate_minute())
        arrival = arrive(frame, watermarks, POLICY)
        watermarks = arrival.watermarks
        on_time += arrival.on_time["value"].to_list()
        late += arrival.late["value"].to_list()
    return on_time, late, watermarks.sort("stream_id")


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def test_the_first_events_of_a_stream_are_never_late():
    entry = make_entry(at(60), [reading(at(60), 1), reading(at(0), 2)])
    assert judge([entry])[:2] == ([1, 2], [])


def test_events_behind_the_allowed_lateness_are_late():
    first = make_entry(at(10), [reading(at(10), 1)])
    second = make_entry(at(10.1), [reading(at(5), 2), reading(at(4.99), 3)])
    assert judge([first], [second])[:2] == ([1, 2], [3])


def test_what_an_entry_itself_brings_does_not_make_it_late():
    first = make_entry(at(10), [reading(at(0), 1)])
    second = make_entry(at(10.1), [reading(at(10), 2), reading(at(0), 3)])
    third = make_entry(at(10.2), [reading(at(0), 4)])
    assert judge([first], [second], [third])[:2] == ([1, 2, 3], [4])


def test_a_sender_whose_clock_runs_ahead_makes_nobody_late():
    ahead = make_entry(at(0), [reading(at(9), 1)])
    honest = make_entry(at(0.1), [reading(at(0), 2)])
    on_time, late, watermarks = judge([ahead], [honest])
    assert (on_time, late) == ([1, 2], [])
    assert watermarks["watermark"].to_list() == [at(0)]


def test_one_stream_does_not_make_another_late():
    first = make_entry(at(20), [reading(at(20), 1, stream_id="a")])
    second = make_entry(at(20.1), [reading(at(0), 2, stream_id="b")])
    third = make_entry(at(20.2), [reading(at(0), 3, stream_id="a")])
    assert judge([first, second, third])[:2] == ([1, 2], [3])


def test_after_an_hour_of_silence_only_new_minutes_are_open():
    first = make_entry(at(0), [reading(at(0), 1)])
    second = make_entry(at(61), [reading(at(0.5), 2), reading(at(1), 3)])
    assert judge([first], [second])[:2] == ([1, 3], [2])


def recompute(entries: list[tuple[datetime, list[Event]]]) -> tuple[list[float], list[float]]:
    """Decide the same entry by entry, in plain Python."""
    newest: dict[str, datetime] = {}
    arrived: dict[str, datetime] = {}
    on_time: list[float] = []
    late: list[float] = []
    for arrived_at, events in entries:
        times: defaultdict[str, list[datetime]] = defaultdict(list)
        for event in events:
            name = event["stream_id"]
            times[name].append(min(event["timestamp"], arrived_at))
            minute = event["timestamp"].replace(second=0, microsecond=0)
            open_from = minute
            if name in newest and arrived_at - arrived[name] > POLICY.forgotten:
                open_from = newest[name].replace(second=0, microsecond=0) + MINUTE
            elif name in newest:
                open_from = (newest[name] - POLICY.allowed).replace(second=0, microsecond=0)
            (late if minute < open_from else on_time).append(event["value"])
        for name, all_times in times.items():
            newest[name] = max([*all_times, newest.get(name, all_times[0])])
            arrived[name] = arrived_at
    return on_time, late


@st.composite
def entry_lists(draw: st.DrawFn) -> list[tuple[datetime, list[Event]]]:
    arrived_at = START
    entries = []
    value = 0.0
    for _ in range(draw(st.integers(1, 8))):
        arrived_at += draw(st.sampled_from([timedelta(milliseconds=1), MINUTE, 12 * MINUTE])) * 1
        if draw(st.integers(0, 9)) == 0:
            arrived_at += timedelta(hours=1)
        events = []
        for _ in range(draw(st.integers(1, 4))):
            behind = timedelta(seconds=draw(st.integers(-120, 1200)))
            value += 1
            name = draw(st.sampled_from("ab"))
            events.append(reading(arrived_at - behind, value, stream_id=name))
        entries.append((arrived_at, events))
    return entries


@given(entry_lists(), st.data())
def test_late_is_decided_alike_however_entries_are_cut_into_batches(
    drawn: list[tuple[datetime, list[Event]]], data: st.DataObject
):
    entries = [make_entry(arrived_at, events) for arrived_at, events in drawn]
    cuts = data.draw(st.sets(st.integers(1, len(entries))))
    bounds = sorted({0, len(entries), *cuts})
    batches = [entries[a:b] for a, b in pairwise(bounds)]
    together, singly, cut = judge(entries), judge(*([e] for e in entries)), judge(*batches)
    assert sorted(together[0]) == sorted(singly[0]) == sorted(cut[0])
    assert sorted(together[1]) == sorted(singly[1]) == sorted(cut[1])
    assert together[2].equals(singly[2])
    assert together[2].equals(cut[2])
    on_time, late = recompute(drawn)
    assert (sorted(together[0]), sorted(together[1])) == (sorted(on_time), sorted(late))
