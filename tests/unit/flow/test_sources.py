"""Sources: how a shard of the bus is read, how far it lets go, and what it does when it is away."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from core.batches import Entry, make_offset
from core.clock import ManualClock
from core.errors import BusAwayError
from streaming.bus.memory import MemoryBusReader, MemoryBusWriter, MemoryLog
from streaming.flow.lookaheads import ENTRIES_A_READ, EVENT_BYTES_A_FRAME, Lookahead
from streaming.flow.preparations import prepare
from streaming.flow.sources import RETRY_AFTER, SNAPSHOTS_KEPT, BusSource, ShardPartition
from tests.fixtures.clocks import START
from tests.fixtures.events import chat, make_entry

INTERVAL = timedelta(milliseconds=250)
RETENTION = timedelta(minutes=15)
PAYLOAD = make_entry(START, [chat(START)]).payload


class ClosedReader(MemoryBusReader):
    """A bus that is away."""

    def read(self, shard: int, *, after: int, limit: int) -> list[Entry]:
        del after, limit
        raise BusAwayError(f"Shard {shard} did not answer.")


class DeafReader(MemoryBusReader):
    """A bus that is away when it is told what it may drop."""

    is_deaf = True

    def release(self, shard: int, *, through: int) -> None:
        if self.is_deaf:
            raise BusAwayError(f"Shard {shard} did not answer.")
        super().release(shard, through=through)


@pytest.fixture
def log(clock: ManualClock) -> MemoryLog:
    return MemoryLog(clock)


@pytest.fixture
def writer(log: MemoryLog) -> MemoryBusWriter:
    return MemoryBusWriter(log, max_entries=100_000)


def open_partition(reader: MemoryBusReader, clock: ManualClock, after: int = 0) -> ShardPartition:
    source = BusSource(
        Lookahead(reader, prepare), clock, shards=4, interval=INTERVAL, retention=RETENTION
    )
    assert source.list_parts() == ["0", "1", "2", "3"]
    return source.build_part("bus", "2", after or None)


async def test_all_that_waits_becomes_one_batch(log: MemoryLog, writer: MemoryBusWriter):
    for _ in range(ENTRIES_A_READ * 2 + 3):
        await writer.append({2: PAYLOAD, 3: PAYLOAD})
    partition = open_partition(MemoryBusReader(log, "flow", consumers=["flow"]), ManualClock(START))
    (frame,) = partition.next_batch()
    assert frame.batch.shard == 2
    assert len(frame.batch.entries) == ENTRIES_A_READ * 2 + 3
    assert (
        frame.batch.offset
        == partition.snapshot()
        == make_offset(int(START.timestamp()) * 1000, 130)
    )
    assert partition.next_batch() == []


async def test_a_restart_goes_on_after_its_snapshot(log: MemoryLog, writer: MemoryBusWriter):
    await writer.append({2: PAYLOAD})
    partition = open_partition(MemoryBusReader(log, "flow", consumers=["flow"]), ManualClock(START))
    partition.next_batch()
    kept = partition.snapshot()
    await writer.append({2: PAYLOAD})
    again = open_partition(
        MemoryBusReader(log, "flow", consumers=["flow"]), ManualClock(START), after=kept
    )
    (frame,) = again.next_batch()
    assert [entry.offset for entry in frame.batch.entries] == [kept + 1]


async def test_a_caught_up_partition_sleeps_and_one_behind_does_not(
    log: MemoryLog, writer: MemoryBusWriter, clock: ManualClock
):
    partition = open_partition(MemoryBusReader(log, "flow", consumers=["flow"]), clock)
    assert partition.next_awake() is None
    partition.next_batch()
    assert partition.next_awake() == START + INTERVAL
    large = PAYLOAD + b"\0" * (EVENT_BYTES_A_FRAME // ENTRIES_A_READ)
    for _ in range(ENTRIES_A_READ + 1):
        await writer.append({2: large})
    (frame,) = partition.next_batch()
    assert len(frame.batch.entries) == ENTRIES_A_READ
    assert partition.next_awake() is None
    (rest,) = partition.next_batch()
    assert len(rest.batch.entries) == 1
    assert partition.next_awake() == START + INTERVAL


def test_a_bus_that_is_away_is_asked_again_later(log: MemoryLog, clock: ManualClock):
    partition = open_partition(ClosedReader(log, "flow"), clock)
    assert partition.next_batch() == []
    assert partition.next_awake() == START + RETRY_AFTER


async def test_entries_stay_until_they_are_old_and_a_stored_snapshot_lies_beyond_them(
    log: MemoryLog, writer: MemoryBusWriter, clock: ManualClock
):
    partition = open_partition(MemoryBusReader(log, "flow", consumers=["flow"]), clock)
    await writer.append({2: PAYLOAD})
    partition.next_batch()
    partition.snapshot()
    clock.advance(RETENTION - timedelta(minutes=1))
    await writer.append({2: PAYLOAD})
    partition.next_batch()
    for _ in range(SNAPSHOTS_KEPT):
        partition.snapshot()
    assert len(log.shards[2]) == 2
    clock.advance(timedelta(minutes=2))
    partition.snapshot()
    assert len(log.shards[2]) == 1


async def test_entries_that_no_snapshot_covers_stay_however_old_they_are(
    log: MemoryLog, writer: MemoryBusWriter, clock: ManualClock
):
    partition = open_partition(MemoryBusReader(log, "flow", consumers=["flow"]), clock)
    for _ in range(SNAPSHOTS_KEPT):
        partition.snapshot()
    await writer.append({2: PAYLOAD})
    partition.next_batch()
    clock.advance(timedelta(days=1))
    for _ in range(SNAPSHOTS_KEPT):
        partition.snapshot()
    assert len(log.shards[2]) == 1
    partition.snapshot()
    assert len(log.shards[2]) == 0


async def test_entries_go_thirty_snapshots_after_the_one_that_covers_them_and_not_one_before(
    log: MemoryLog, writer: MemoryBusWriter, clock: ManualClock
):
    partition = open_partition(MemoryBusReader(log, "flow", consumers=["flow"]), clock)
    for _ in range(3):
        await writer.append({2: PAYLOAD})
        partition.next_batch()
        partition.snapshot()
        clock.advance(timedelta(milliseconds=1))
    clock.advance(RETENTION * 2)
    left = []
    for _ in range(SNAPSHOTS_KEPT):
        partition.snapshot()
        left.append(len(log.shards[2]))
    assert left == [3] * (SNAPSHOTS_KEPT - 3) + [2, 1, 0]


async def test_a_bus_that_is_away_when_entries_are_let_go_of_is_told_later(
    log: MemoryLog, writer: MemoryBusWriter, clock: ManualClock
):
    reader = DeafReader(log, "flow", consumers=["flow"])
    partition = open_partition(reader, clock)
    for _ in range(2):
        await writer.append({2: PAYLOAD})
        partition.next_batch()
        partition.snapshot()
        clock.advance(timedelta(milliseconds=1))
    clock.advance(RETENTION * 2)
    for _ in range(SNAPSHOTS_KEPT - 1):
        partition.snapshot()
    assert len(log.shards[2]) == 2
    reader.is_deaf = False
    partition.snapshot()
    assert len(log.shards[2]) == 0


async def test_the_lag_of_a_shard_is_known_also_while_nothing_is_read(
    log: MemoryLog, writer: MemoryBusWriter, clock: ManualClock
):
    def read_lag() -> float | None:
        return REGISTRY.get_sample_value("telemetra_bus_read_lag_seconds", {"shard": "2"})

    partition = open_partition(MemoryBusReader(log, "flow", consumers=["flow"]), clock)
    partition.next_batch()
    assert read_lag() == 0
    await writer.append({2: PAYLOAD})
    clock.advance(timedelta(seconds=7))
    assert read_lag() == 7
    partition.next_batch()
    assert read_lag() == 0
    partition.close()
    assert read_lag() is None


async def test_a_shard_that_is_behind_lags_by_the_age_of_what_was_read(
    log: MemoryLog, writer: MemoryBusWriter, clock: ManualClock
):
    large = b"x" * (EVENT_BYTES_A_FRAME // ENTRIES_A_READ + 1)
    for _ in range(2 * ENTRIES_A_READ):
        await writer.append({2: large})
    clock.advance(timedelta(seconds=30))
    partition = open_partition(MemoryBusReader(log, "flow", consumers=["flow"]), clock)
    assert partition.next_batch()
    lag = REGISTRY.get_sample_value("telemetra_bus_read_lag_seconds", {"shard": "2"})
    assert lag == 30
    partition.close()
