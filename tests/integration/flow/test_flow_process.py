"""The flow as it really runs: killed at any moment, it counts every event exactly once."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
import redis.asyncio

from core.batches import encode_events, split_by_shard
from core.clock import SystemClock
from core.settings import Settings
from streaming.bus.redis import RedisBusWriter
from tests.fixtures.events import Event, chat, make_events, reading, transaction, viewers
from tests.fixtures.expectations import CHAT_EXACT, recompute_chat, recompute_readings
from tests.fixtures.flows import FlowProcess
from tests.fixtures.waiting import eventually

STREAMS = [f"stream-{number}" for number in range(6)]
RAW = {"viewers": "viewer_timeseries", "reading": "readings", "transaction": "transactions"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Four shards, quick commits and short silences."""
    chosen = {"bus_shards": 4, "live_interval_ms": 50, "silence_seconds": 3}
    return settings.model_copy(update=chosen)


@pytest.fixture
async def writer(redis_url: str) -> AsyncIterator[RedisBusWriter]:
    writer = RedisBusWriter(redis_url, max_entries=100_000)
    yield writer
    await writer.close()


@pytest.fixture
def beginning() -> datetime:
    """Three minutes ago: all of it is within the allowed lateness, and over."""
    return SystemClock().now().replace(second=0, microsecond=0) - timedelta(minutes=3)


def make_round(beginning: datetime, number: int) -> list[Event]:
    """Return some events of every type, spread over two minutes; users and emotes come again."""
    events: list[Event] = []
    for place, stream_id in enumerate(STREAMS):
        at = beginning + timedelta(seconds=(number * 7 + place * 13) % 120, milliseconds=number)
        text = ["great Kappa", "LUL LUL", "lag again", "\U0001f602 nice"][number % 4]
        events += [
            chat(at, f"user{number % 9}", text, stream_id=stream_id),
            viewers(at, 100 + number, stream_id=stream_id),
            reading(at, number / 8, stream_id=stream_id, unit="V"),
            transaction(at, float(number), stream_id=stream_id),
        ]
    return events


async def send(writer: RedisBusWriter, events: list[Event]) -> None:
    parts = split_by_shard(make_events(events), 4)
    await writer.append({shard: encode_events(part) for shard, part in parts.items()})


async def read_counts(connection: asyncpg.Connection) -> int:
    query = "SELECT coalesce(sum(chat_count), 0) FROM chat_summary_minute"
    return int(await connection.fetchval(query))


async def read_chat(connection: asyncpg.Connection) -> dict[tuple[str, datetime], dict[str, Any]]:
    rows = await connection.fetch("SELECT * FROM chat_summary_minute")
    return {(row["stream_id"], row["window_start"]): dict(row) for row in rows}


async def assert_exact(connection: asyncpg.Connection, events: list[Event]) -> None:
    """Wait until every minute is complete, and hold all tables against a recomputation."""
    expected = recompute_chat(events)

    async def is_complete() -> bool:
        rows = await read_chat(connection)
        counted = sum(row["chat_count"] for row in rows.values())
        # On a slow machine a minute is over before its last events come, and is revised.
        is_counted = counted >= sum(minute["chat_count"] for minute in expected.values())
        return (
            is_counted and len(rows) == len(expected) and all(row["final"] for row in rows.values())
        )

    await eventually(is_complete, within_s=60)
    for key, row in (await read_chat(connection)).items():
        wanted = expected[key]
        row["top_emotes"] = [
            {"emote": emote, "count": row["emote_counts"][emote]} for emote in row["top_emotes"]
        ]
        assert {name: row[name] for name in CHAT_EXACT} == {n: wanted[n] for n in CHAT_EXACT}, key
        assert row["avg_viewers"] == wanted["avg_viewers"]
    await _assert_readings_exact(connection, events)
    for event_type, table in RAW.items():
        count = await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 (ours)
        assert count == sum(event["type"] == event_type for event in events), table
    assert await connection.fetchval("SELECT count(*) FROM late_events") == 0


async def _assert_readings_exact(connection: asyncpg.Connection, events: list[Event]) -> None:
    rows = await connection.fetch("SELECT * FROM reading_summary_minute")
    stored = {(row["stream_id"], row["channel"], row["window_start"]): row for row in rows}
    expected = recompute_readings(events)
    assert stored.keys() == expected.keys()
    for key, wanted in expected.items():
        row = stored[key]
        for name in ("count", "min", "max", "last", "last_at"):
            assert row[name] == wanted[name], (key, name)
        assert row["mean"] == pytest.approx(wanted["mean"], rel=1e-12)
        assert row["stddev"] == pytest.approx(wanted["stddev"], rel=1e-9)
        assert row["final"]


async def test_events_become_rows_and_silence_completes_them(
    flow_process: FlowProcess,
    writer: RedisBusWriter,
    connection: asyncpg.Connection,
    redis_client: redis.asyncio.Redis,
    beginning: datetime,
):
    flow_process.start()
    events = [event for number in range(12) for event in make_round(beginning, number)]
    await send(writer, events)
    await assert_exact(connection, events)
    assert await redis_client.exists("latest:stream:stream-0", "version:stream:stream-0") == 2
    assert await redis_client.get("version:streams:all")
    await eventually(lambda: redis_client.exists("heartbeat:flow:0"))
    assert flow_process.is_running, flow_process.read_log()


async def test_killed_again_and_again_it_still_counts_every_event_once(
    flow_process: FlowProcess,
    writer: RedisBusWriter,
    connection: asyncpg.Connection,
    beginning: datetime,
):
    events: list[Event] = []

    async def is_under_way() -> bool:
        sent = len([event for event in events if event["type"] == "chat"])
        counted = await read_counts(connection)
        return bool(counted > sent - 8 * len(STREAMS))

    for life in range(4):
        flow_process.start()
        for number in range(life * 20, life * 20 + 20):
            sent = make_round(beginning, number)
            events += sent
            await send(writer, sent)
        # Killed while it works: some of it is committed, some is not, the snapshot is behind.
        await eventually(is_under_way, within_s=60)
        flow_process.kill()
    sent = make_round(beginning, 99)
    events += sent
    await send(writer, sent)
    flow_process.start()
    await assert_exact(connection, events)
    assert flow_process.is_running, flow_process.read_log()


async def test_what_was_open_when_it_was_killed_is_completed_after_it_comes_back(
    flow_process: FlowProcess,
    writer: RedisBusWriter,
    connection: asyncpg.Connection,
    redis_client: redis.asyncio.Redis,
    beginning: datetime,
):
    flow_process.start()
    await eventually(lambda: redis_client.exists("heartbeat:flow:0"))
    await send(writer, [chat(beginning, stream_id="stream-0")])

    async def is_stored() -> bool:
        return await read_counts(connection) == 1

    await eventually(is_stored, within_s=60)
    flow_process.kill()
    assert [row["final"] for row in (await read_chat(connection)).values()] == [False]
    flow_process.start()

    async def is_final() -> bool:
        return {row["final"] for row in (await read_chat(connection)).values()} == {True}

    await eventually(is_final, within_s=60)
    assert await read_counts(connection) == 1


async def test_it_waits_for_a_database_that_is_away_and_loses_nothing(
    flow_process: FlowProcess,
    writer: RedisBusWriter,
    connection: asyncpg.Connection,
    server_url: str,
    beginning: datetime,
):
    flow_process.start()
    events = make_round(beginning, 0)
    await send(writer, events)
    await eventually(
        lambda: read_counts(connection), holds=lambda counted: counted == len(STREAMS), within_s=60
    )
    name = await connection.fetchval("SELECT current_database()")
    admin = await asyncpg.connect(server_url)
    await admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'telemetra-flow' AND datname = $1",
        name,
    )
    more = make_round(beginning, 1)
    await send(writer, more)
    await eventually(lambda: "database_away" in flow_process.read_log())
    await admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
    await admin.close()
    await assert_exact(connection, events + more)
    assert flow_process.is_running, flow_process.read_log()
