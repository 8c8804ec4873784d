"""Touched scopes: told after their versions, by every room with a version of its own."""

from collections.abc import AsyncIterator

import polars as pl
import pytest
import redis.asyncio

from core.changes import Changes
from core.clock import ManualClock
from core.scopes import TOUCHED, unpack_scopes, version_key
from streaming.flow.news import NewsRoom
from tests.fixtures.changes import make_changes
from tests.fixtures.clocks import START
from tests.fixtures.waiting import eventually


def touch(*streams: str) -> Changes:
    """Return changes that only name streams."""
    count = len(streams)
    titled = {"stream_id": streams, "title": ["New"] * count, "last_event_at": [START] * count}
    return make_changes(0, 1, events=count, streams=pl.DataFrame(titled))


@pytest.fixture
async def subscription(
    redis_client: redis.asyncio.Redis,
) -> AsyncIterator[redis.asyncio.client.PubSub]:
    async with redis_client.pubsub(ignore_subscribe_messages=True) as subscription:
        await subscription.subscribe(TOUCHED)
        yield subscription


async def hear(subscription: redis.asyncio.client.PubSub) -> set[str]:
    message = await eventually(lambda: subscription.get_message(timeout=1))
    return set(unpack_scopes(message["data"]))


async def test_who_hears_of_a_commit_finds_the_versions_of_its_streams(
    redis_url: str,
    redis_client: redis.asyncio.Redis,
    subscription: redis.asyncio.client.PubSub,
    clock: ManualClock,
):
    async with redis_client.monitor() as monitor:
        room = NewsRoom(redis_url, clock, process=0)
        room.tell([touch("a", "é")], 2)
        room.stop()
        said: list[str] = []
        while "PUBLISH" not in said:
            command = (await monitor.next_command())["command"]
            said.append(command.split(" ", 1)[0].upper())
    assert said.index("MSET") < said.index("PUBLISH")
    scopes = await hear(subscription)
    assert scopes == {"stream:a", "stream:é", "streams:all"}
    versions = await redis_client.mget([version_key(scope) for scope in scopes])
    assert None not in versions


async def test_two_rooms_tell_different_versions_in_the_same_millisecond(
    redis_url: str, redis_client: redis.asyncio.Redis, clock: ManualClock
):
    versions = set()
    for process in range(2):
        room = NewsRoom(redis_url, clock, process=process)
        room.tell([touch("a")], 1)
        room.stop()
        versions.add(await redis_client.get(version_key("streams:all")))
    assert len(versions) == 2


async def test_what_could_not_be_told_is_told_once_redis_is_back(
    redis_url: str,
    redis_client: redis.asyncio.Redis,
    subscription: redis.asyncio.client.PubSub,
    clock: ManualClock,
):
    room = NewsRoom(redis_url, clock, process=0)
    await redis_client.client_pause(2500)
    room.tell([touch("a")], 1)
    await redis_client.ping()
    # What was sent to a Redis that answered too late may have been heard all the same.
    room.tell([touch("b")], 1)
    room.stop()
    heard: set[str] = set()
    while "stream:b" not in heard:
        heard = await hear(subscription)
    assert heard == {"stream:a", "stream:b", "streams:all"}
