"""Buses: what every bus does, in memory, in Redis and in Kafka.

Memory and Redis let go of what every consumer has released, at once; Kafka lets go by age, and
counts what waits about once a second. What follows from that is asked of a ``trimming_bus``, and
of Kafka in ``tests/integration/bus``.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise

import pytest

from core.batches import Entry
from core.clock import SystemClock
from core.errors import BusAwayError, BusFullError, ConflictError
from streaming.bus.base import BusReader, BusWriter, Once
from streaming.bus.kafka.readers import KafkaBusReader
from streaming.bus.kafka.writers import KafkaBusWriter
from streaming.bus.memory import MemoryBusReader, MemoryBusWriter, MemoryLog
from streaming.bus.redis import RedisBusReader, RedisBusWriter
from tests.fixtures.kafkas import SHARDS
from tests.fixtures.waiting import eventually

MAX_ENTRIES = 300
CONTEXT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ALL = 10_000


@dataclass(slots=True)
class Bus:
    """Both ends of a bus."""

    writer: BusWriter
    reader: BusReader

    def read(self, shard: int, after: int = 0, limit: int = ALL) -> list[Entry]:
        return self.reader.read(shard, after=after, limit=limit)

    def payloads(self, shard: int) -> list[bytes]:
        return [entry.payload for entry in self.read(shard)]


@dataclass(slots=True)
class SharedBus(Bus):
    """A bus that two consumers read."""

    archive: BusReader


def _memory() -> SharedBus:
    log = MemoryLog(SystemClock())
    writer = MemoryBusWriter(log, max_entries=MAX_ENTRIES)
    return SharedBus(writer, MemoryBusReader(log, "flow"), MemoryBusReader(log, "archive"))


def _redis(url: str) -> SharedBus:
    writer = RedisBusWriter(url, max_entries=MAX_ENTRIES)
    return SharedBus(writer, RedisBusReader(url, "flow"), RedisBusReader(url, "archive"))


def _kafka(servers: str, redis_url: str) -> SharedBus:
    writer = KafkaBusWriter(servers, redis_url, shards=SHARDS, max_entries=MAX_ENTRIES)
    flow = KafkaBusReader(servers, "flow", shards=SHARDS)
    return SharedBus(writer, flow, KafkaBusReader(servers, "archive", shards=SHARDS))


@asynccontextmanager
async def _lending(bus: SharedBus) -> AsyncIterator[SharedBus]:
    yield bus
    await bus.writer.close()
    bus.reader.close()
    bus.archive.close()


@pytest.fixture(params=["memory", "redis"])
async def shared_bus(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[SharedBus]:
    """A bus that lets go of what both of its consumers have released."""
    async with _lending(_memory() if request.param == "memory" else _redis(redis_url)) as bus:
        yield bus


@pytest.fixture
def trimming_bus(shared_bus: SharedBus) -> Bus:
    """One whose other consumer needs nothing."""
    for shard in range(SHARDS):
        shared_bus.archive.release(shard, through=1 << 62)
    return shared_bus


@pytest.fixture(params=["memory", "redis", "kafka"])
async def bus(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[SharedBus]:
    """Any bus."""
    buses: dict[str, Callable[[], SharedBus]] = {
        "memory": _memory,
        "redis": lambda: _redis(redis_url),
        "kafka": lambda: _kafka(request.getfixturevalue("kafka").servers, redis_url),
    }
    async with _lending(buses[request.param]()) as bus:
        yield bus


async def test_entries_come_in_the_order_they_were_appended_with_rising_offsets(bus: Bus):
    payloads = [b"%d" % number for number in range(50)]
    for payload in payloads:
        assert await bus.writer.append({3: payload})
    assert bus.payloads(3) == payloads
    offsets = [entry.offset for entry in bus.read(3)]
    assert all(first < second for first, second in pairwise(offsets))


async def test_a_trace_comes_with_the_entries_of_its_append_and_of_no_other(bus: Bus):
    for once in (None, Once("key", "content")):
        await bus.writer.append({0: b"traced", 1: b"traced"}, once=once, trace=CONTEXT)
        await bus.writer.append({0: b"plain"})
    assert [(e.payload, e.trace) for e in bus.read(0)] == 2 * [
        (b"traced", CONTEXT),
        (b"plain", None),
    ]
    assert [entry.trace for entry in bus.read(1)] == [CONTEXT, CONTEXT]


async def test_a_trace_that_is_none_is_not_handed_on(bus: Bus):
    await bus.writer.append({0: b"odd"}, trace="\r\nno context")
    assert [(entry.payload, entry.trace) for entry in bus.read(0)] == [(b"odd", None)]


async def test_bytes_arrive_as_they_were_sent(bus: Bus):
    payload = bytes(range(256)) * 4000
    await bus.writer.append({0: payload})
    assert bus.payloads(0) == [payload]


async def test_reading_goes_on_after_an_offset_and_no_further_than_the_limit(bus: Bus):
    for number in range(10):
        await bus.writer.append({0: b"%d" % number})
    first = bus.read(0, limit=4)
    second = bus.read(0, after=first[-1][0], limit=4)
    third = bus.read(0, after=second[-1][0], limit=4)
    assert [entry.payload for entry in first + second + third] == bus.payloads(0)
    assert [len(first), len(second), len(third)] == [4, 4, 2]
    assert bus.read(0, after=third[-1][0]) == []


async def test_a_shard_nobody_wrote_to_is_empty(bus: Bus):
    assert bus.read(7) == []
    bus.reader.release(7, through=1 << 62)


async def test_shards_do_not_see_one_another(bus: Bus):
    await bus.writer.append({1: b"a", 2: b"b"})
    await bus.writer.append({2: b"c"})
    assert bus.payloads(1) == [b"a"]
    assert bus.payloads(2) == [b"b", b"c"]


async def test_a_full_shard_refuses_and_none_of_the_others_takes_its_part(trimming_bus: Bus):
    for _ in range(MAX_ENTRIES):
        await trimming_bus.writer.append({0: b"x"})
    with pytest.raises(BusFullError) as caught:
        await trimming_bus.writer.append({1: b"y", 0: b"y", 2: b"y"}, once=Once("k", "c"))
    assert caught.value.retry_after_s is not None
    assert (trimming_bus.read(1), trimming_bus.read(2), len(trimming_bus.read(0))) == (
        [],
        [],
        MAX_ENTRIES,
    )
    last = trimming_bus.read(0)[0][0]
    trimming_bus.reader.release(0, through=last)
    assert await trimming_bus.writer.append({1: b"y", 0: b"y", 2: b"y"}, once=Once("k", "c"))
    assert trimming_bus.payloads(2) == [b"y"]


async def test_a_repeat_counts_once(bus: Bus):
    once = Once("key", "content")
    assert await bus.writer.append({0: b"a", 1: b"b"}, once=once)
    assert await bus.writer.append({0: b"a", 1: b"b"}, once=once) is None
    assert (bus.payloads(0), bus.payloads(1)) == ([b"a"], [b"b"])
    assert await bus.writer.append({0: b"a"}, once=Once("other", "content"))


async def test_who_appends_learns_where_the_entries_stand(bus: Bus):
    await bus.writer.append({0: b"before"})
    for once in (None, Once("key", "content")):
        offsets = await bus.writer.append({0: b"a", 3: b"b"}, once=once)
        assert offsets == {shard: bus.read(shard)[-1].offset for shard in (0, 3)}


async def test_the_same_key_with_another_content_is_a_conflict(bus: Bus):
    await bus.writer.append({0: b"a"}, once=Once("key", "content"))
    with pytest.raises(ConflictError, match="Idempotency-Key"):
        await bus.writer.append({0: b"b"}, once=Once("key", "other"))
    assert bus.payloads(0) == [b"a"]


async def test_entries_stay_until_every_consumer_has_released_them(shared_bus: SharedBus):
    for number in range(4):
        await shared_bus.writer.append({0: b"%d" % number})
    first, second, *_ = shared_bus.read(0)
    shared_bus.reader.release(0, through=second.offset)
    assert len(shared_bus.read(0)) == 4
    shared_bus.archive.release(0, through=first.offset)
    assert shared_bus.payloads(0) == [b"1", b"2", b"3"]
    shared_bus.archive.release(0, through=1 << 62)
    assert shared_bus.payloads(0) == [b"2", b"3"]


async def test_an_entry_tells_when_it_arrived(bus: Bus):
    before = SystemClock().now_ms()
    await bus.writer.append({0: b"a"})
    assert before <= bus.read(0)[0].arrived_ms <= SystemClock().now_ms()


async def test_releasing_lets_go_up_to_and_including_an_offset(trimming_bus: Bus):
    for number in range(5):
        await trimming_bus.writer.append({0: b"%d" % number})
    trimming_bus.reader.release(0, through=trimming_bus.read(0)[2][0])
    assert trimming_bus.payloads(0) == [b"3", b"4"]


async def test_offsets_go_on_rising_after_everything_was_let_go(bus: Bus):
    for _ in range(20):
        await bus.writer.append({0: b"before"})
    last = bus.read(0)[-1][0]
    bus.reader.release(0, through=last)
    await bus.writer.append({0: b"after"})
    (entry,) = await eventually(lambda: bus.read(0, after=last))
    assert (entry.payload, entry.offset > last) == (b"after", True)


async def test_many_at_once_lose_nothing(bus: Bus):
    payloads = [b"%d" % number for number in range(200)]
    await asyncio.gather(*(bus.writer.append({0: payload, 1: payload}) for payload in payloads))
    assert sorted(bus.payloads(0)) == sorted(payloads)
    assert bus.payloads(0) == bus.payloads(1)
    assert len({entry.offset for entry in bus.read(0)}) == len(payloads)


async def test_of_many_repeats_at_once_one_counts(bus: Bus):
    once = Once("key", "content")
    answers = await asyncio.gather(*(bus.writer.append({0: b"a"}, once=once) for _ in range(20)))
    assert [answer is None for answer in answers].count(True) == 19
    assert bus.payloads(0) == [b"a"]


@pytest.fixture(params=["redis", "kafka"])
async def dead_bus(
    request: pytest.FixtureRequest, dead_redis_url: str, dead_servers: str, redis_url: str
) -> AsyncIterator[SharedBus]:
    """A bus whose servers do not run."""
    is_redis = request.param == "redis"
    bus = _redis(dead_redis_url) if is_redis else _kafka(dead_servers, redis_url)
    async with _lending(bus) as bus:
        yield bus


async def test_a_bus_that_is_away_is_said_to_be(dead_bus: SharedBus):
    with pytest.raises(BusAwayError) as caught:
        await dead_bus.writer.append({0: b"a"})
    assert caught.value.retry_after_s is not None
    with pytest.raises(BusAwayError):
        dead_bus.read(0)


async def test_a_redis_that_is_away_refuses_a_release(dead_redis_url: str):
    reader = RedisBusReader(dead_redis_url, "flow")
    with pytest.raises(BusAwayError):
        reader.release(0, through=1)
    reader.close()
