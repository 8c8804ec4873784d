"""What the tests of the archive share: a small bus, and a past whose minutes are over."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from core.clock import SystemClock
from core.settings import Settings
from streaming.bus.redis import RedisBusWriter
from tests.fixtures.flows import Flow
from tests.integration.archive.grounds import SHARDS, Ground


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
    """A minute of a while ago, with its neighbours in its hour; none of them runs any more."""
    at = SystemClock().now().replace(second=0, microsecond=0) - timedelta(minutes=30)
    return at.replace(minute=min(max(at.minute, 5), 50))


@pytest.fixture
async def ground(settings: Settings, writer: RedisBusWriter, flow: Flow) -> AsyncIterator[Ground]:
    """A bus, a flow and an archive, driven by the test."""
    ground = Ground(settings, writer, flow)
    yield ground
    ground.close()
