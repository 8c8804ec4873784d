"""The flow with Kafka as its bus: killed and started again, it counts every event once."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from core.batches import encode_events, split_by_shard
from core.clock import SystemClock
from core.settings import Settings
from streaming.bus.base import BusWriter
from streaming.bus.connections import open_writer
from streaming.bus.kafka.writers import KafkaBusWriter
from tests.fixtures.events import Event, chat, make_events
from tests.fixtures.expectations import CHAT_EXACT, recompute_chat
from tests.fixtures.flows import FlowProcess
from tests.fixtures.kafkas import SHARDS, Kafka
from tests.fixtures.waiting import eventually

STREAMS = [f"stream-{number}" for number in range(8)]


@pytest.fixture
def settings(settings: Settings, kafka: Kafka) -> Settings:
    """Kafka as the bus, quick commits and short silences."""
    chosen = {
        "kafka_bootstrap_servers": kafka.servers,
        "bus_shards": SHARDS,
        "live_interval_ms": 50,
        "silence_seconds": 3,
    }
    return settings.model_copy(update=chosen)


@pytest.fixture
async def writer(settings: Settings) -> AsyncIterator[BusWriter]:
    writer = open_writer(settings)
    yield writer
    await writer.close()


async def test_killed_and_started_again_it_counts_every_event_once(
    flow_process: FlowProcess, writer: BusWriter, connection: asyncpg.Connection
):
    assert isinstance(writer, KafkaBusWriter)
    beginning = SystemClock().now().replace(second=0, microsecond=0) - timedelta(minutes=3)
    events: list[Event] = []

    async def send(number: int) -> None:
        at = beginning + timedelta(seconds=number * 7 % 120)
        sent = [chat(at, f"user{number % 9}", "great Kappa", stream_id=name) for name in STREAMS]
        events.extend(sent)
        parts = split_by_shard(make_events(sent), SHARDS)
        await writer.append({shard: encode_events(part) for shard, part in parts.items()})

    async def count() -> int:
        query = "SELECT coalesce(sum(chat_count), 0) FROM chat_summary_minute"
        return int(await connection.fetchval(query))

    for life in range(3):
        flow_process.start()
        for number in range(life * 15, life * 15 + 15):
            await send(number)
        wanted = len(events) - 5 * len(STREAMS)
        await eventually(count, holds=lambda found: found >= wanted, within_s=60)  # noqa: B023
        flow_process.kill()
    await send(99)
    flow_process.start()
    exact = [name for name in CHAT_EXACT if name != "top_emotes"]
    expected = {
        key: {name: row[name] for name in exact} for key, row in recompute_chat(events).items()
    }

    async def read_final() -> dict[tuple[str, datetime], dict[str, Any]]:
        rows = await connection.fetch("SELECT * FROM chat_summary_minute WHERE final")
        return {
            (row["stream_id"], row["window_start"]): {name: row[name] for name in exact}
            for row in rows
        }

    # What silence completed between two lives is revised by what came afterwards.
    await eventually(read_final, holds=lambda stored: stored == expected, within_s=60)
    assert await connection.fetchval("SELECT count(*) FROM late_events") == 0
    assert flow_process.is_running, flow_process.read_log()
