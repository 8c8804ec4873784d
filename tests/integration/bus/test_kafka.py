"""Kafka as the bus: what is its own, against brokers in another process.

The brokers are librdkafka's. They do not hide what a transaction wrote from anybody, so that an
aborted transaction stays invisible is not shown here; that one is aborted, is.
"""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
import redis.asyncio
from confluent_kafka import Consumer as Client
from redis.commands.core import AsyncScript

from core.errors import (
    BusAwayError,
    BusFullError,
    ConflictError,
    SettingsInvalidError,
    TooLargeError,
)
from streaming.bus.base import Once
from streaming.bus.claims import CLAIM_TTL_S
from streaming.bus.kafka import readers
from streaming.bus.kafka.readers import KafkaBusReader
from streaming.bus.kafka.topics import ENTRY_BYTES_MAX, connect, name_group, name_partition
from streaming.bus.kafka.writers import KafkaBusWriter
from streaming.bus.redis import ONCE_TTL_S
from tests.fixtures.kafkas import SHARDS, Asked, Kafka, running_kafka
from tests.fixtures.waiting import eventually

MAX_ENTRIES = 1000
PRODUCER_FENCED = 90
TOO_LARGE = 10


@pytest.fixture
async def writer(kafka: Kafka, redis_url: str) -> AsyncIterator[KafkaBusWriter]:
    writer = KafkaBusWriter(kafka.servers, redis_url, shards=SHARDS, max_entries=MAX_ENTRIES)
    yield writer
    await writer.close()


@pytest.fixture
def reader(kafka: Kafka) -> KafkaBusReader:
    return KafkaBusReader(kafka.servers, "flow", shards=SHARDS)


def list_payloads(reader: KafkaBusReader, shard: int, after: int = 0) -> list[bytes]:
    return [entry.payload for entry in reader.read(shard, after=after, limit=10_000)]


async def test_an_append_is_a_transaction_and_ends_before_it_is_answered(
    writer: KafkaBusWriter, kafka: Kafka
):
    await writer.append({0: b"a", 9: b"b"})
    steps = [kind for kind in kafka.list_asked() if kind in set(Asked) - {Asked.FETCH}]
    assert steps[0] == Asked.BEGIN
    assert steps[-1] == Asked.END
    assert Asked.PRODUCE in steps


async def test_appends_at_once_share_transactions(writer: KafkaBusWriter, kafka: Kafka):
    await writer.append({0: b"first"})
    await asyncio.gather(*(writer.append({number % SHARDS: b"x"}) for number in range(400)))
    assert kafka.list_asked().count(Asked.END) <= 20


async def test_the_first_entry_has_an_offset_after_zero(
    writer: KafkaBusWriter, reader: KafkaBusReader
):
    await writer.append({5: b"a"})
    (entry,) = reader.read(5, after=0, limit=10)
    assert entry.offset == 1
    assert reader.read(5, after=1, limit=10) == []


async def test_a_commit_that_is_refused_is_told_and_the_next_one_succeeds(
    writer: KafkaBusWriter, kafka: Kafka
):
    await writer.append({0: b"before"})
    kafka.refuse(Asked.END, PRODUCER_FENCED)
    with pytest.raises(BusAwayError) as caught:
        await writer.append({0: b"a", 1: b"a"})
    assert caught.value.retry_after_s is not None
    assert await writer.append({0: b"after"})


async def test_a_transaction_with_a_refused_entry_is_aborted_for_all_and_one_is_to_blame(
    writer: KafkaBusWriter, kafka: Kafka
):
    await writer.append({0: b"before"})
    ends = kafka.list_asked().count(Asked.END)
    kafka.refuse(Asked.PRODUCE, TOO_LARGE)
    answers = await asyncio.gather(
        writer.append({0: b"a"}), writer.append({1: b"b"}), return_exceptions=True
    )
    assert TooLargeError in [type(answer) for answer in answers]
    assert await writer.append({0: b"after"})
    # The refused one ends as well, before the next begins.
    assert kafka.list_asked().count(Asked.END) >= ends + 2


async def test_an_entry_that_no_topic_takes_never_leaves(writer: KafkaBusWriter):
    with pytest.raises(TooLargeError, match="64 MB"):
        await writer.append({0: bytes(ENTRY_BYTES_MAX + 1)})


async def test_a_flow_that_is_far_behind_makes_senders_wait_until_it_has_released(
    writer: KafkaBusWriter, reader: KafkaBusReader
):
    async def is_accepted() -> bool:
        try:
            return bool(await writer.append({3: b"x"}))
        except BusFullError:
            return False

    await asyncio.gather(*(writer.append({3: b"x"}) for _ in range(MAX_ENTRIES)))
    await eventually(is_accepted, holds=lambda accepted: not accepted)
    assert await writer.append({4: b"y"})
    entries = reader.read(3, after=0, limit=100_000)
    reader.release(3, through=entries[-1].offset)
    assert await eventually(is_accepted)


async def test_a_release_is_what_the_group_reads_next(
    writer: KafkaBusWriter, reader: KafkaBusReader, kafka: Kafka
):
    for payload in (b"a", b"b", b"c"):
        await writer.append({2: payload})
    first, second, _ = reader.read(2, after=0, limit=10)
    reader.release(2, through=second.offset)
    group = Client({**connect(kafka.servers), "group.id": name_group("flow")})

    def list_committed() -> list[int]:
        return [place.offset for place in group.committed([name_partition(2)], timeout=5)]

    await eventually(list_committed, holds=lambda offsets: offsets == [second.offset])
    assert [entry.payload for entry in reader.read(2, after=second.offset, limit=10)] == [b"c"]
    assert first.offset < second.offset


async def test_reading_goes_on_elsewhere_and_after_a_restart(
    writer: KafkaBusWriter, reader: KafkaBusReader, kafka: Kafka
):
    for number in range(30):
        await writer.append(dict.fromkeys(range(4), b"%d" % number))
    expected = [b"%d" % number for number in range(30)]
    seen: dict[int, list[bytes]] = {shard: [] for shard in range(4)}
    after = dict.fromkeys(seen, 0)
    for _ in range(10):
        for shard, payloads in seen.items():
            entries = reader.read(shard, after=after[shard], limit=3)
            payloads += [entry.payload for entry in entries]
            after[shard] = entries[-1].offset
    assert list(seen.values()) == [expected] * 4
    middle = reader.read(1, after=0, limit=10)[-1].offset
    assert list_payloads(reader, 1, after=middle) == expected[10:]
    reader.close()
    again = KafkaBusReader(kafka.servers, "flow", shards=SHARDS)
    assert list_payloads(again, 1, after=middle) == expected[10:]
    assert list_payloads(again, 3, after=after[3]) == []
    again.close()


async def test_what_retention_took_is_passed_over(
    writer: KafkaBusWriter, reader: KafkaBusReader, kafka: Kafka
):
    for number in range(10):
        await writer.append({0: b"%d" % number})
    entries = reader.read(0, after=0, limit=10)
    kafka.trim(0, entries[6].offset - 1)
    assert list_payloads(reader, 0, after=entries[2].offset) == [b"6", b"7", b"8", b"9"]
    assert list_payloads(reader, 0) == [b"6", b"7", b"8", b"9"]


async def test_a_position_beyond_the_end_is_refused_and_takes_nothing_from_other_shards(
    writer: KafkaBusWriter, reader: KafkaBusReader
):
    await writer.append({0: b"a", 1: b"b"})
    for _ in range(2):
        with pytest.raises(BusAwayError, match="Shard 0 was read up to 5000 and ends at"):
            reader.read(0, after=5000, limit=10)
        assert list_payloads(reader, 1) == [b"b"]
    assert list_payloads(reader, 0) == [b"a"]


async def test_a_shard_nobody_reads_does_not_fill_the_memory_and_loses_nothing(
    writer: KafkaBusWriter, reader: KafkaBusReader, monkeypatch
):
    monkeypatch.setattr(readers, "SHELF_BYTES_MAX", 50_000)
    payloads = [b"%6d" % number * 500 for number in range(200)]
    assert reader.read(0, after=0, limit=10) == []
    assert reader.read(1, after=0, limit=10) == []
    for payload in payloads:
        await writer.append({0: payload})
    await writer.append({1: b"other"})
    # Shard 0 is fetched too while shard 1 is asked for.
    (entry,) = await eventually(lambda: reader.read(1, after=0, limit=10))

    async def is_paused() -> bool:
        assert reader.read(1, after=entry.offset, limit=10) == []
        return reader._shelves[0].is_paused

    await eventually(is_paused)
    assert reader._shelves[0].size < 100_000
    # Reading on from elsewhere begins anew, paused or not.
    found = [entry.payload for entry in reader.read(0, after=0, limit=1)]
    after = 1
    assert len(reader.read(0, after=0, limit=2)) == 2

    def go_on() -> int:
        nonlocal after
        for found_entry in reader.read(0, after=after, limit=7):
            found.append(found_entry.payload)
            after = found_entry.offset
        return len(found)

    await eventually(go_on, holds=lambda count: count == len(payloads))
    assert found == payloads


async def test_brokers_that_go_away_are_said_to_be(
    writer: KafkaBusWriter, reader: KafkaBusReader, kafka: Kafka
):
    await writer.append({0: b"a"})
    assert list_payloads(reader, 0) == [b"a"]
    kafka.kill()
    with pytest.raises(BusAwayError):
        await writer.append({0: b"b"}, once=Once("key", "content"))

    def is_away() -> bool:
        try:
            reader.read(0, after=1, limit=10)
        except BusAwayError:
            return True
        return False

    await eventually(is_away)
    with pytest.raises(BusAwayError):
        reader.release(0, through=1)
    reader.close()


async def test_brokers_that_come_back_are_used_again(
    writer: KafkaBusWriter, reader: KafkaBusReader, kafka: Kafka
):
    await writer.append({0: b"before"})
    assert list_payloads(reader, 0) == [b"before"]
    kafka.go_away()

    def read() -> list[bytes] | None:
        try:
            return list_payloads(reader, 0)
        except BusAwayError:
            return None

    async def is_appended() -> bool:
        try:
            return bool(await writer.append({0: b"after"}))
        except BusAwayError:
            return False

    assert not await is_appended()
    await eventually(read, holds=lambda found: found is None)
    kafka.come_back()
    await eventually(is_appended)
    found = await eventually(read, holds=lambda found: found is not None and len(found) > 1)
    # The one that was refused may still have come through: librdkafka's brokers abort nothing.
    assert found in ([b"before", b"after"], [b"before", b"after", b"after"])


async def test_a_shard_that_no_broker_leads_does_not_hold_up_the_others(
    writer: KafkaBusWriter, reader: KafkaBusReader, kafka: Kafka
):
    await writer.append({0: b"a", 1: b"b"})
    kafka.lead(0, None)
    with pytest.raises(BusAwayError, match="shard 0"):
        reader.read(0, after=0, limit=10)
    assert reader._shelves[0].is_stuck
    assert list_payloads(reader, 1) == [b"b"]
    kafka.lead(0, 2)

    def read() -> list[bytes]:
        try:
            return list_payloads(reader, 0)
        except BusAwayError:
            return []

    assert await eventually(read) == [b"a"]
    assert not reader._shelves[0].is_stuck


async def test_a_failed_append_lets_its_key_go(
    writer: KafkaBusWriter, kafka: Kafka, redis_client: redis.asyncio.Redis
):
    kafka.kill()
    with pytest.raises(BusAwayError):
        await writer.append({0: b"b"}, once=Once("key", "content"))
    assert await redis_client.keys("once:*") == []


async def test_a_key_is_remembered_for_an_hour(
    writer: KafkaBusWriter, redis_client: redis.asyncio.Redis
):
    await writer.append({0: b"a"}, once=Once("key", "content"))
    assert await redis_client.get("once:append:key") == b"content"
    assert CLAIM_TTL_S < await redis_client.ttl("once:append:key") <= ONCE_TTL_S


async def test_a_key_whose_append_is_under_way_elsewhere_is_neither_free_nor_used(
    writer: KafkaBusWriter, reader: KafkaBusReader, redis_client: redis.asyncio.Redis
):
    await redis_client.set("once:append:key", "claim:other:content", ex=CLAIM_TTL_S)
    with pytest.raises(ConflictError):
        await writer.append({0: b"a"}, once=Once("key", "different"))
    with pytest.raises(BusAwayError):
        await writer.append({0: b"a"}, once=Once("key", "content"))
    waiting = asyncio.create_task(writer.append({0: b"a"}, once=Once("key", "content")))
    await redis_client.delete("once:append:key")
    assert await waiting
    assert list_payloads(reader, 0) == [b"a"]


async def test_patience_ends_though_the_client_loses_its_cancellation(
    writer: KafkaBusWriter, redis_client: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
):
    ask = AsyncScript.__call__
    cancelled = 0

    async def ask_on(script: AsyncScript, *given: Any, **more: Any) -> Any:
        nonlocal cancelled
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            cancelled += 1
        return await ask(script, *given, **more)

    monkeypatch.setattr(AsyncScript, "__call__", ask_on)
    monkeypatch.setattr("streaming.bus.claims.TIMEOUT_S", 0.1)
    await redis_client.set("once:append:key", "claim:other:content", ex=CLAIM_TTL_S)
    async with asyncio.timeout(CLAIM_TTL_S / 2):
        with pytest.raises(BusAwayError):
            await writer.append({0: b"a"}, once=Once("key", "content"))
    assert cancelled == 1


async def test_a_sender_that_hangs_up_leaves_no_key_in_doubt(
    writer: KafkaBusWriter, reader: KafkaBusReader, redis_client: redis.asyncio.Redis
):
    once = Once("key", "content")
    sending = asyncio.create_task(writer.append({0: b"a"}, once=once))
    await eventually(lambda: redis_client.exists("once:append:key"))
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await eventually(lambda: redis_client.get("once:append:key"), holds=lambda v: v == b"content")
    assert await writer.append({0: b"a"}, once=once) is None
    assert list_payloads(reader, 0) == [b"a"]


async def test_a_topic_that_was_cut_differently_is_refused(redis_url: str):
    with running_kafka(partitions=4) as kafka:
        writer = KafkaBusWriter(kafka.servers, redis_url, shards=SHARDS, max_entries=MAX_ENTRIES)
        with pytest.raises(SettingsInvalidError, match=r"BUS_SHARDS is 16, and .* has 4"):
            await writer.append({0: b"a"})
        await writer.close()
        with pytest.raises(SettingsInvalidError, match="has 4 partitions"):
            KafkaBusReader(kafka.servers, "flow", shards=SHARDS).read(0, after=0, limit=1)


async def test_offsets_of_one_shard_rise_over_processes(kafka: Kafka, redis_url: str):
    ends = [
        KafkaBusWriter(kafka.servers, redis_url, shards=SHARDS, max_entries=MAX_ENTRIES)
        for _ in range(2)
    ]
    for number in range(20):
        await ends[number % 2].append({0: b"%d" % number})
    for writer in ends:
        await writer.close()
    reader = KafkaBusReader(kafka.servers, "archive", shards=SHARDS)
    entries = reader.read(0, after=0, limit=100)
    assert [entry.payload for entry in entries] == [b"%d" % number for number in range(20)]
    assert all(first.offset < second.offset for first, second in pairwise(entries))
