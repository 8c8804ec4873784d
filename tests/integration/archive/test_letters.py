"""Dead letters: on the bus again, each once, and only those that were meant."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest
import redis.asyncio

from core.batches import encode_events
from core.errors import BusFullError
from core.settings import Settings
from db.dead_letters import PAGE_LETTERS, DeadLetterStore
from streaming.archive.letters import Posted, replay_letters
from streaming.bus.redis import RedisBusReader, RedisBusWriter, name_shard
from tests.fixtures.api_keys import list_audit
from tests.fixtures.archives import ArchiveRunner
from tests.fixtures.events import chat, make_events
from tests.integration.archive.grounds import SHARDS

AT = datetime(2026, 1, 26, 10, tzinfo=UTC)


async def list_letter(
    connection: asyncpg.Connection, offset: int, reason: str, *, shard: int = 1
) -> bytes:
    payload = encode_events(make_events([chat(AT, f"user{offset}")]))
    await connection.execute(
        "INSERT INTO dead_letters (shard, batch_offset, arrived_at, reason, payload)"
        " VALUES ($1, $2, $3, $4, $5)",
        shard,
        offset,
        AT,
        reason,
        payload,
    )
    return payload


def read_bus(settings: Settings) -> list[bytes]:
    reader = RedisBusReader(settings.require_redis_url(), "flow")
    try:
        return [
            entry.payload
            for shard in range(SHARDS)
            for entry in reader.read(shard, after=0, limit=1000)
        ]
    finally:
        reader.close()


async def test_letters_are_put_on_the_bus_again_in_order_and_once(
    settings: Settings, writer: RedisBusWriter, connection: asyncpg.Connection
):
    numbers = range(PAGE_LETTERS + 3)
    payloads = [await list_letter(connection, number, "no column") for number in numbers]
    posted = await replay_letters(settings, writer, reason=None)
    assert posted == Posted(len(payloads), sum(map(len, payloads)))
    assert read_bus(settings) == payloads
    assert await replay_letters(settings, writer, reason=None) == Posted(0, 0)
    assert await DeadLetterStore(connection).count_waiting(reason=None) == 0


async def test_only_those_with_the_reason_that_was_named_are_replayed(
    settings: Settings, writer: RedisBusWriter, connection: asyncpg.Connection
):
    await list_letter(connection, 1, "Bad magic number")
    wanted = await list_letter(connection, 2, "no column stream_id", shard=3)
    assert (await replay_letters(settings, writer, reason="Column")).letters == 1
    assert read_bus(settings) == [wanted]
    assert await DeadLetterStore(connection).count_waiting(reason=None) == 1


async def test_a_letter_that_was_appended_and_not_marked_counts_once(
    settings: Settings, writer: RedisBusWriter, connection: asyncpg.Connection
):
    await list_letter(connection, 1, "no column")
    await replay_letters(settings, writer, reason=None)
    await connection.execute("UPDATE dead_letters SET replayed_at = NULL")
    await replay_letters(settings, writer, reason=None)
    assert len(read_bus(settings)) == 1


async def test_a_full_bus_leaves_the_rest_waiting(
    settings: Settings, connection: asyncpg.Connection, redis_client: redis.asyncio.Redis
):
    for number in range(3):
        await list_letter(connection, number, "no column")
    narrow = RedisBusWriter(settings.require_redis_url(), max_entries=2)
    with pytest.raises(BusFullError):
        await replay_letters(settings, narrow, reason=None)
    await narrow.close()
    assert await DeadLetterStore(connection).count_waiting(reason=None) == 1
    assert await redis_client.xlen(name_shard(1)) == 2


async def test_the_command_says_how_many_there_were(
    archive_process: ArchiveRunner, connection: asyncpg.Connection
):
    payload = await list_letter(connection, 1, "no column")
    done = await asyncio.to_thread(archive_process.run, "replay", "--dead-letters")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"1 dead letters replayed, {len(payload)} bytes\n"
    (entry,) = await list_audit(connection)
    assert (entry["action"], entry["target"]) == ("dead_letter.replay", "1-1")
    assert entry["actor_name"] == "command line"
