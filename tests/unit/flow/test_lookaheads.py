"""Lookaheads: whose turn it is, what is read ahead, and what happens when that fails."""

import threading
import time

import pytest

from core.batches import Batch
from core.clock import ManualClock
from core.errors import BusAwayError
from streaming.bus.memory import MemoryBusReader, MemoryBusWriter, MemoryLog
from streaming.flow.lookaheads import ENTRIES_A_READ, EVENT_BYTES_A_FRAME, Found, Lookahead
from streaming.flow.preparations import Prepared, prepare
from tests.fixtures.clocks import START
from tests.fixtures.events import chat, make_entry

PAYLOAD = make_entry(START, [chat(START)]).payload
LARGE = PAYLOAD + b"\0" * (EVENT_BYTES_A_FRAME // ENTRIES_A_READ)
SHARDS = 3


class Bus:
    """A bus in memory with a lookahead over its shards, asked as the engine asks."""

    def __init__(self) -> None:
        self.log = MemoryLog(ManualClock(START))
        self.writer = MemoryBusWriter(self.log, max_entries=100_000)
        self.reader = FlakyReader(self.log, "flow", consumers=["flow"])
        self.lookahead = Lookahead(self.reader, prepare)

    def open(self) -> None:
        for shard in range(SHARDS):
            self.lookahead.open(shard, 0)

    async def fill(self, shard: int, frames: int) -> None:
        for _ in range(frames * ENTRIES_A_READ):
            await self.writer.append({shard: LARGE})

    def run_round(self) -> list[tuple[int, Found]]:
        """Ask every shard once, as long as it has the turn."""
        asked = (shard for shard in range(SHARDS) if self.lookahead.has_turn(shard))
        return [(shard, self.read(shard)) for shard in asked]

    def read(self, shard: int) -> Found:
        """Ask until there is an answer."""
        while (found := self.lookahead.read(shard)) is None:
            time.sleep(0.001)
        return found

    def list_rounds(self, count: int) -> list[list[int]]:
        """Return which shards gave something in each round."""
        rounds = [self.run_round() for _ in range(count)]
        return [[shard for shard, found in round_ if found.frame] for round_ in rounds]


class FlakyReader(MemoryBusReader):
    """A bus that may be away."""

    is_away = False

    def read(self, shard: int, *, after: int, limit: int):
        if self.is_away:
            raise BusAwayError("The bus did not answer.")
        return super().read(shard, after=after, limit=limit)


@pytest.fixture
def bus() -> Bus:
    return Bus()


async def test_shards_that_are_behind_give_one_frame_a_round_in_turn(bus: Bus):
    for shard in range(SHARDS):
        await bus.fill(shard, frames=2)
    bus.open()
    # The last frame of each is not full: it does not keep the next shard waiting.
    assert bus.list_rounds(6) == [[0], [1], [2], [0], [1], [2]]
    assert bus.list_rounds(1) == [[]]


async def test_shards_that_are_not_behind_do_not_wait_for_the_turn(bus: Bus):
    await bus.fill(1, frames=3)
    bus.open()
    assert bus.list_rounds(1) == [[1]]
    await bus.writer.append({0: PAYLOAD})
    await bus.writer.append({2: PAYLOAD})
    assert bus.list_rounds(2) == [[0, 2], [1]]


async def test_nothing_is_read_twice_or_left_out(bus: Bus):
    await bus.fill(0, frames=3)
    await bus.fill(2, frames=2)
    bus.open()
    seen: dict[int, list[int]] = {shard: [] for shard in range(SHARDS)}
    for _ in range(8):
        for shard, found in bus.run_round():
            if found.frame is not None:
                seen[shard] += [entry.offset for entry in found.frame.batch.entries]
    for shard in range(SHARDS):
        assert seen[shard] == [entry.offset for entry in bus.log.shards[shard]]


async def test_frames_come_prepared(bus: Bus):
    await bus.writer.append({0: PAYLOAD})
    bus.open()
    frame = bus.read(0).frame
    assert frame is not None
    assert frame.prepared is not None
    assert frame.prepared.decoded.events.height == 1
    assert frame.prepared.texts is not None


async def test_what_cannot_be_prepared_is_left_to_the_shard(bus: Bus):
    def fail(batch: Batch) -> Prepared:
        raise ValueError(batch.shard)

    bus.lookahead = Lookahead(bus.reader, fail)
    await bus.writer.append({0: PAYLOAD})
    bus.open()
    frame = bus.read(0).frame
    assert frame is not None
    assert frame.prepared is None


async def test_a_bus_that_was_away_goes_on_where_it_was(bus: Bus):
    for shard in range(SHARDS):
        await bus.fill(shard, frames=1)
    bus.open()
    bus.reader.is_away = True
    for shard in range(SHARDS):
        assert bus.lookahead.has_turn(shard)
        with pytest.raises(BusAwayError):
            bus.read(shard)
    bus.reader.is_away = False
    assert bus.list_rounds(3) == [[0], [1], [2]]


async def test_a_failure_of_what_was_read_ahead_is_told_to_its_shard_only(bus: Bus):
    await bus.fill(0, frames=2)
    await bus.fill(1, frames=2)
    bus.open()
    assert bus.list_rounds(1) == [[0]]
    # Shard 1 is being read ahead, or was: this changes nothing about what it gives.
    assert bus.lookahead.has_turn(1)
    first = bus.read(1).frame
    assert first is not None
    assert first.batch.entries[0].offset == bus.log.shards[1][0].offset


async def test_a_closed_shard_keeps_nobody_waiting(bus: Bus):
    await bus.fill(0, frames=2)
    await bus.fill(1, frames=2)
    bus.open()
    bus.lookahead.close(0)
    assert bus.lookahead.has_turn(1)
    assert bus.read(1).frame is not None


async def test_a_shard_that_is_not_behind_asks_again_while_another_is_read(bus: Bus):
    gate = threading.Event()
    prepared: list[int] = []

    def prepare_behind_gate(batch: Batch) -> Prepared:
        prepared.append(batch.shard)
        if len(prepared) == 3:
            gate.wait(10)
        return prepare(batch)

    bus.lookahead = Lookahead(bus.reader, prepare_behind_gate)
    await bus.fill(0, frames=3)
    bus.open()
    assert bus.list_rounds(2) == [[0], []]
    await bus.writer.append({1: PAYLOAD})
    assert bus.lookahead.has_turn(0)
    second = bus.lookahead.read(0)
    assert second is not None
    # Its third frame is read ahead, and does not come through the gate.
    assert bus.lookahead.has_turn(1)
    assert bus.lookahead.read(1) is None
    gate.set()
    assert bus.read(1).frame is not None
