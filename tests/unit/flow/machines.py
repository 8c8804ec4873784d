"""Machines: all that can happen between the bus and the database, and what must come of it.

Batches of any size, a clock that runs far ahead of the bus, minutes closed between batches, changes
that wait for the database, and crashes after which the flow begins at an older snapshot while the
database keeps what it has. A snapshot waits until everything before it is committed.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from core.batches import Entry
from core.changes import Changes
from streaming.flow.shards import FlowPolicy, Shard
from tests.fixtures.clocks import START
from tests.fixtures.events import make_batch
from tests.fixtures.expectations import (
    CHAT_EXACT,
    recompute_chat,
    recompute_readings,
    recompute_transactions,
)
from tests.fixtures.outcomes import Arrival, Outcome, sort_out
from tests.unit.flow.tables import Tables

LONG_AFTER: Final = timedelta(days=3)
LAGS: Final = [timedelta(0), timedelta(seconds=11), timedelta(hours=3)]
READING_EXACT: Final = ("count", "min", "max", "last", "last_at", "p50", "p95")


@dataclass(slots=True)
class Machine:
    """A shard, its database, its snapshots and its clock."""

    arrivals: Sequence[Arrival]
    rng: random.Random
    policy: FlowPolicy
    batch_max: int = 4
    position: int = 0
    now: datetime = START
    crashed: int = 0
    tables: Tables = field(default_factory=Tables)
    entries: list[Entry] = field(init=False)
    shard: Shard = field(init=False)
    pending: list[Changes] = field(default_factory=list)
    snapshots: list[tuple[int, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.entries = [arrival.entry for arrival in self.arrivals]
        self.shard = Shard(0, self.policy)

    def run(self, *, crashes: int, crash_chance: float = 0.3) -> Tables:
        """Apply everything, with so many crashes, and complete it."""
        self.snapshot()
        while self.position < len(self.entries):
            if self.crashed < crashes and self.rng.random() < crash_chance:
                self.crash()
            self.apply(self.rng.randint(1, self.batch_max))
            if self.rng.random() < 0.4:
                self.close(self.now)
            if self.rng.random() < 0.5:
                self.snapshot()
        self.close(self.now + LONG_AFTER)
        self.commit(len(self.pending))
        assert not self.shard.is_running(self.now + LONG_AFTER)
        return self.tables

    def apply(self, count: int) -> None:
        """Apply the next entries; some of what changed reaches the database."""
        end = min(self.position + count, len(self.entries))
        self.now = max(self.now, self.arrivals[end - 1].at + self.rng.choice(LAGS))
        self.pending += self.shard.apply(make_batch(self.entries[self.position : end]))
        self.position = end
        self.commit(self.rng.randint(0, len(self.pending)))

    def close(self, now: datetime) -> None:
        """Let the clock complete what it can."""
        changes = self.shard.close(now)
        self.pending += [] if changes is None else [changes]

    def commit(self, count: int) -> None:
        """Store the oldest of what is pending."""
        for changes in self.pending[:count]:
            self.tables.commit(changes)
        del self.pending[:count]

    def snapshot(self) -> None:
        """Remember where the flow would begin again."""
        self.commit(len(self.pending))
        self.snapshots.append((self.position, self.shard.snapshot()))

    def crash(self) -> None:
        """Begin again at a snapshot; what was not committed is lost."""
        self.crashed += 1
        self.pending.clear()
        # One of the newest: what was applied since is applied again, in other batches.
        self.position, kept = self.rng.choice(self.snapshots[-5:])
        self.shard = Shard.restore(kept, self.policy)


def assert_outcome(tables: Tables, arrivals: Sequence[Arrival]) -> Outcome:
    """Hold everything that was stored against a plain recomputation, and return that."""
    outcome = sort_out(arrivals)
    _assert_chat(tables, outcome)
    _assert_readings(tables, outcome)
    _assert_transactions(tables, outcome)
    rows = tables.chat.rows | tables.readings.rows | tables.transactions.rows
    assert {key: row["revision"] for key, row in rows.items()} == outcome.revisions
    assert all(row["final"] for row in rows.values())
    assert tables.late == outcome.late
    assert tables.points == outcome.points
    assert sorted(tables.dead) == outcome.dead
    poison = {arrival.entry.offset: arrival.poison for arrival in arrivals}
    assert all(letter.payload == poison[offset] for offset, letter in tables.dead.items())
    return outcome


def _pick(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _assert_chat(tables: Tables, outcome: Outcome) -> None:
    expected, rows = recompute_chat(outcome.counted), tables.chat.rows
    assert rows.keys() == expected.keys()
    for key, row in expected.items():
        assert _pick(rows[key], CHAT_EXACT) == _pick(row, CHAT_EXACT), key
        assert rows[key]["avg_viewers"] == row["avg_viewers"]
        assert rows[key]["chat_rate"] == row["chat_count"] / 60


def _assert_readings(tables: Tables, outcome: Outcome) -> None:
    expected, rows = recompute_readings(outcome.counted), tables.readings.rows
    assert rows.keys() == expected.keys()
    for key, row in expected.items():
        assert _pick(rows[key], READING_EXACT) == _pick(row, READING_EXACT), key
        assert math.isclose(rows[key]["mean"], row["mean"], rel_tol=1e-12, abs_tol=1e-9)
        assert math.isclose(rows[key]["stddev"], row["stddev"], rel_tol=1e-9, abs_tol=1e-9)


def _assert_transactions(tables: Tables, outcome: Outcome) -> None:
    expected, rows = recompute_transactions(outcome.counted), tables.transactions.rows
    assert rows.keys() == expected.keys()
    for key, row in expected.items():
        assert rows[key]["count"] == row["count"]
        assert math.isclose(rows[key]["sum"], row["sum"], rel_tol=1e-12)
