"""What the tests of the archive share: a small bus, and a past whose minutes are over."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from core.batches import encode_events, split_by_shard
from core.clock import SystemClock
from core.settings import Settings
from streaming.archive.archivers import Archiver
from streaming.bus.redis import RedisBusReader, RedisBusWriter
from tests.fixtures.events import Event, make_events
from tests.fixtures.flows import Flow

SHARDS = 4


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Four shards."""
    return settings.model_copy(update={"bus_shards": SHARDS})


@pytest.fixture
async def writer(redis_url: str) -> AsyncIterator[RedisBusWriter]:
    """The door's end of the bus."""
    writer = RedisBusWriter(redis_url, max_entries=100_000)
    yield writer
    await writer.close()


@pytest.fixture
def beginning() -> datetime:
    """A minute of a while ago; none of the minutes after it runs any more."""
    return SystemClock().now().replace(second=0, microsecond=0) - timedelta(minutes=30)


class Ground:
    """A bus with its two consumers, driven by the test."""

    def __init__(self, settings: Settings, writer: RedisBusWriter, flow: Flow) -> None:
        self.settings = settings
        self.flow = flow
        self._writer = writer
        settings.archive_dir.mkdir(parents=True, exist_ok=True)
        self._reader = RedisBusReader(settings.require_redis_url(), "archive")
        self._archiver = Archiver(self._reader, settings.archive_dir, shards=SHARDS)

    async def send(self, events: list[Event]) -> None:
        """Put events on the bus, as one request does."""
        parts = split_by_shard(make_events(events), SHARDS)
        await self._writer.append({shard: encode_events(part) for shard, part in parts.items()})

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


@pytest.fixture
async def ground(settings: Settings, writer: RedisBusWriter, flow: Flow) -> AsyncIterator[Ground]:
    """A bus, a flow and an archive, driven by the test."""
    ground = Ground(settings, writer, flow)
    yield ground
    ground.close()
