"""Grounds: a bus, a flow and an archive that a test drives step by step, and their comparison."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from core.batches import encode_events, split_by_shard
from core.clock import SystemClock
from core.settings import Settings
from streaming.archive.archivers import Archiver
from streaming.archive.comparisons import Comparison
from streaming.archive.recounts import Span
from streaming.archive.sources import ArchiveSource
from streaming.archive.verify import verify
from streaming.bus.redis import RedisBusReader, RedisBusWriter
from tests.fixtures.events import Event, make_events
from tests.fixtures.flows import Flow

SHARDS: Final = 4
HOUR: Final = timedelta(hours=1)


class Ground:
    """A bus with its two consumers, driven by the test."""

    def __init__(self, settings: Settings, writer: RedisBusWriter, flow: Flow) -> None:
        self.settings = settings
        self.flow = flow
        self.writer = writer
        settings.archive_dir.mkdir(parents=True, exist_ok=True)
        self._reader = RedisBusReader(settings.require_redis_url(), "archive")
        self._archiver = Archiver(self._reader, settings.archive_dir, shards=SHARDS)

    async def send(self, events: list[Event]) -> None:
        """Put events on the bus, as one request does."""
        parts = split_by_shard(make_events(events), SHARDS)
        await self.writer.append({shard: encode_events(part) for shard, part in parts.items()})

    async def settle(self) -> None:
        """Apply and archive all that waits, and close every minute."""
        await self.flow.pump()
        await self.flow.close(SystemClock().now() + timedelta(minutes=2))
        self.archive()

    def archive(self) -> None:
        """Archive what waits."""
        self._archiver.run_round()

    def close(self) -> None:
        """Let go of the bus."""
        self._reader.close()


async def check(ground: Ground, beginning: datetime, stream_id: str | None = None) -> Comparison:
    """Compare what lies around a minute, in its hour and in those beside it."""
    source = ArchiveSource(ground.settings.archive_dir, stream_id)
    span = Span(beginning - HOUR, beginning + HOUR)
    return await verify(ground.settings, source, span, SystemClock().now())


async def check_hour(ground: Ground, beginning: datetime) -> Comparison:
    """Compare the hour of a minute alone, a third of the work."""
    hour = beginning.replace(minute=0)
    source = ArchiveSource(ground.settings.archive_dir)
    return await verify(ground.settings, source, Span(hour, hour + HOUR), SystemClock().now())


@asynccontextmanager
async def changed_by_hand(
    connection: asyncpg.Connection, table: str, change: str, *values: object
) -> AsyncIterator[None]:
    """Change the rows of a table for the length of a block; then they are as they were."""
    await connection.execute(f"CREATE TEMP TABLE kept AS TABLE {table}")
    await connection.execute(change, *values)
    try:
        yield
    finally:
        await connection.execute(f"DELETE FROM {table}")  # noqa: S608 (ours)
        await connection.execute(f"INSERT INTO {table} TABLE kept")
        await connection.execute("DROP TABLE kept")
