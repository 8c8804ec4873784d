"""Watermarks: which events come too late, however their entries are cut into batches."""

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.batches import Entry
from core.minutes import to_times
from core.names import Names
from core.watermarks import LatenessPolicy, Watermarks
from tests.fixtures.clocks import START
from tests.fixtures.events import Event, make_entry, read_entries, reading

POLICY: Final = LatenessPolicy()
MINUTE: Final = timedelta(minutes=1)

Marks = tuple[datetime, datetime]
"""The watermark of a stream, and when its last entry arrived."""


def judge(*batches: list[Entry]) -> tuple[list[float], list[float], dict[str, Marks]]:
    """Return the values of the events on time and late, and the watermarks after them."""
    watermarks, streams = Watermarks(POLICY), Names()
    on_time: list[float] = []
    late: list[float] = []
    for entries in batches:
        frame, _ = read_entries(*entries, streams=streams)
        arrival = watermarks.judge(frame, len(streams))
        watermarks.move(arrival)
        is_late = pl.repeat(False, frame.height, eager=True)
        is_late = is_late if arrival.late is None else arrival.late
        on_time += frame.filter(~is_late)["value"].to_list()
        late += frame.filter(is_late)["value"].to_list()
    times = zip(to_times(watermarks.newest), to_times(watermarks.arrived), strict=True)
    return on_time, late, dict(zip(streams.names, times, strict=True))


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
    assert [newest for newest, _ in watermarks.values()] == [at(0)]


def test_one_stream_does_not_make_another_late():
    first = make_entry(at(20), [reading(at(20), 1, stream_id="a")])
    second = make_entry(at(20.1), [reading(at(0), 2, stream_id="b")])
    third = make_entry(at(20.2), [reading(at(0), 3, stream_id="a")])
    assert judge([first, second, third])[:2] == ([1, 2], [3])


def test_after_an_hour_of_silence_only_new_minutes_are_open():
    first = make_entry(at(0), [reading(at(0), 1)])
    second = make_entry(at(61), [reading(at(0.5), 2), reading(at(1), 3)])
    assert judge([first], [second])[:2] == ([1, 3], [2])


def test_what_an_hour_of_silence_has_closed_stays_closed():
    first = make_entry(at(0), [reading(at(0), 1)])
    entries = [make_entry(at(61 + n), [reading(at(n), float(n))]) for n in range(4)]
    assert judge([first], entries)[:2] == ([1, 1, 2, 3], [0])
    again = make_entry(at(66), [reading(at(0.5), 4)])
    assert judge([first], entries[:1], [again])[:2] == ([1], [0, 4])
    assert judge([first, entries[0], again])[:2] == ([1], [0, 4])


def recompute(entries: list[tuple[datetime, list[Event]]]) -> tuple[list[float], list[float]]:
    """Decide the same entry by entry, in plain Python."""
    newest: dict[str, datetime] = {}
    arrived: dict[str, datetime] = {}
    closed: dict[str, datetime] = {}
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
                closed[name] = newest[name].replace(second=0, microsecond=0) + MINUTE
            if name in newest:
                open_from = (newest[name] - POLICY.allowed).replace(second=0, microsecond=0)
            open_from = max(open_from, closed.get(name, open_from))
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
    assert together[2] == singly[2] == cut[2]
    on_time, late = recompute(drawn)
    assert (sorted(together[0]), sorted(together[1])) == (sorted(on_time), sorted(late))


def follow(*entries: Entry) -> tuple[Watermarks, Names]:
    watermarks, streams = Watermarks(POLICY), Names()
    for entry in entries:
        frame, _ = read_entries(entry, streams=streams)
        watermarks.move(watermarks.judge(frame, len(streams)))
    return watermarks, streams


def test_judging_moves_nothing():
    frame, _ = read_entries(make_entry(at(10), [reading(at(10), 1)]))
    watermarks = Watermarks(POLICY)
    first = watermarks.judge(frame, 1)
    assert watermarks.list_idle(at(0), MINUTE).tolist() == [0]
    watermarks.move(first)
    assert watermarks.list_idle(at(0), MINUTE).tolist() == []


def test_the_time_of_a_stream_goes_on_in_its_silence_and_never_back():
    watermarks, _ = follow(make_entry(at(10), [reading(at(9), 1)]))
    assert watermarks.tell_time(0, at(10)) == at(9)
    assert watermarks.tell_time(0, at(12)) == at(11)
    assert watermarks.tell_time(0, at(5)) == at(9)


def test_streams_are_idle_when_nothing_came_for_longer_than_the_span():
    watermarks, streams = follow(
        make_entry(at(0), [reading(at(0), 1, stream_id="a")]),
        make_entry(at(30), [reading(at(30), 1, stream_id="b")]),
    )
    assert streams.names == ["a", "b"]
    assert watermarks.list_idle(at(60), 60 * MINUTE).tolist() == []
    assert watermarks.list_idle(at(61), 60 * MINUTE).tolist() == [0]
