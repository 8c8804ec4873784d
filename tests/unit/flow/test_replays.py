"""Replays: however entries are cut, delayed, interrupted and applied again, the rows are the same.

The machine below is all that can happen between the bus and the database: batches of any size,
a clock that runs far ahead of the bus, minutes closed between batches, and a crash after which the
flow begins at an older snapshot while the database keeps what it has.
"""

import math
import pickle
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.batches import Entry
from streaming.flow.shards import FlowPolicy, ShardState, apply_batch, close_minutes
from tests.fixtures.clocks import START
from tests.fixtures.events import Event, chat, make_batch, make_entry, reading, viewers
from tests.fixtures.expectations import (
    CHAT_EXACT,
    recompute_chat,
    recompute_readings,
    start_of_minute,
)
from tests.unit.flow.tables import Key, Tables

POLICY: Final = FlowPolicy()
LONG_AFTER: Final = timedelta(days=3)
STEPS: Final = [
    timedelta(milliseconds=1),
    timedelta(seconds=4),
    timedelta(seconds=35),
    timedelta(seconds=75),
    timedelta(minutes=8),
    timedelta(minutes=62),
]


@dataclass(slots=True)
class Arrival:
    """Events that came together."""

    at: datetime
    events: list[Event]

    @property
    def entry(self) -> Entry:
        return make_entry(self.at, self.events)


@dataclass(slots=True)
class Machine:
    """A shard, its database, its snapshots and its clock."""

    entries: list[Entry]
    arrivals: list[Arrival]
    rng: random.Random
    position: int = 0
    now: datetime = START
    state: ShardState = field(default_factory=lambda: ShardState.empty(0))
    tables: Tables = field(default_factory=Tables)
    snapshots: list[tuple[int, bytes]] = field(default_factory=list)

    def run(self, *, crashes: int) -> Tables:
        """Apply everything, with so many crashes, and complete it."""
        self.snapshot()
        while self.position < len(self.entries):
            if crashes and self.rng.random() < 0.3:
                crashes -= 1
                self.crash()
            self.apply(self.rng.randint(1, 4))
            if self.rng.random() < 0.4:
                self.close(self.now)
            if self.rng.random() < 0.5:
                self.snapshot()
        self.close(self.now + LONG_AFTER)
        return self.tables

    def apply(self, count: int) -> None:
        end = min(self.position + count, len(self.entries))
        lag = self.rng.choice([timedelta(0), timedelta(seconds=11), timedelta(hours=3)])
        self.now = max(self.now, self.arrivals[end - 1].at + lag)
        batch = make_batch(self.entries[self.position : end])
        self.state, changes = apply_batch(self.state, batch, now=self.now, policy=POLICY)
        self.tables.commit(changes)
        self.position = end

    def close(self, now: datetime) -> None:
        self.state, changes = close_minutes(self.state, now=now, policy=POLICY)
        self.tables.commit(changes)

    def snapshot(self) -> None:
        self.snapshots.append((self.position, pickle.dumps(self.state)))

    def crash(self) -> None:
        # Any older snapshot, and at times the newest: what was applied since is applied again.
        self.position, kept = self.rng.choice(self.snapshots)
        self.state = pickle.loads(kept)  # noqa: S301 (our own state)


@st.composite
def arrival_lists(draw: st.DrawFn) -> list[Arrival]:
    arrivals = []
    at = START
    for _ in range(draw(st.integers(1, 9))):
        at += draw(st.sampled_from(STEPS))
        arrivals.append(Arrival(at, draw(st.lists(event_before(at), min_size=1, max_size=5))))
    return arrivals


@st.composite
def event_before(draw: st.DrawFn, at: datetime) -> Event:
    """Draw an event that is no more than the allowed lateness behind."""
    time = at - timedelta(seconds=draw(st.integers(0, 240)))
    stream_id = draw(st.sampled_from(["one", "two"]))
    kind = draw(st.sampled_from(["chat", "chat", "viewers", "reading"]))
    if kind == "chat":
        user = draw(st.sampled_from(["ada", "bob", "cleo"]))
        text = draw(st.sampled_from(["hi", "great Kappa", "bad LUL LUL", "\U0001f602"]))
        return chat(time, user, text, stream_id=stream_id)
    if kind == "viewers":
        return viewers(time, draw(st.integers(0, 1000)), stream_id=stream_id)
    value = draw(st.integers(-1000, 1000)) / 8
    return reading(time, value, draw(st.sampled_from(["temp", "load"])), stream_id=stream_id)


def two_batches_after_a_long_outage() -> list[Arrival]:
    times = [START + timedelta(seconds=20), START + timedelta(seconds=40)]
    return [Arrival(time, [chat(time, stream_id="one")]) for time in times]


@settings(max_examples=60)
@given(arrival_lists(), st.integers(0, 3), st.integers(0, 2**32))
@example(two_batches_after_a_long_outage(), 0, 1)
@example(two_batches_after_a_long_outage(), 0, 2)
def test_rows_equal_a_recomputation_however_they_came_about(
    arrivals: list[Arrival], crashes: int, seed: int
):
    entries = [arrival.entry for arrival in arrivals]
    tables = Machine(entries, arrivals, random.Random(seed)).run(crashes=crashes)
    events = [event for arrival in arrivals for event in arrival.events]
    _assert_chat(tables, events)
    _assert_readings(tables, events)
    _assert_revisions(tables, arrivals, entries)


def _assert_chat(tables: Tables, events: list[Event]) -> None:
    expected = recompute_chat(events)
    rows = tables.chat.rows
    assert rows.keys() == expected.keys()
    for key, row in expected.items():
        assert {name: rows[key][name] for name in CHAT_EXACT} == {
            name: row[name] for name in CHAT_EXACT
        }, key
        assert rows[key]["avg_viewers"] == row["avg_viewers"]
        assert rows[key]["chat_rate"] == row["chat_count"] / 60
        assert rows[key]["final"]


def _assert_readings(tables: Tables, events: list[Event]) -> None:
    expected = recompute_readings(events)
    rows = tables.readings.rows
    assert rows.keys() == expected.keys()
    for key, row in expected.items():
        for name in ("count", "min", "max", "last", "last_at"):
            assert rows[key][name] == row[name], (key, name)
        assert math.isclose(rows[key]["mean"], row["mean"], rel_tol=1e-12, abs_tol=1e-9)
        assert math.isclose(rows[key]["stddev"], row["stddev"], rel_tol=1e-9, abs_tol=1e-9)
        assert rows[key]["final"]


def _assert_revisions(tables: Tables, arrivals: list[Arrival], entries: list[Entry]) -> None:
    """Each row's revision is the offset of the last entry that touched it."""
    last: dict[Key, int] = {}
    for arrival, (offset, _, _) in zip(arrivals, entries, strict=True):
        for event in arrival.events:
            minute = start_of_minute(event["timestamp"])
            if event["type"] == "reading":
                last[event["stream_id"], event["channel"], minute] = offset
            else:
                last[event["stream_id"], minute] = offset
    rows = tables.chat.rows | tables.readings.rows
    assert {key: row["revision"] for key, row in rows.items()} == last
