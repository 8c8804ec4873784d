"""Listener over a real Redis: hears touches, knows when it may have missed some, and comes back."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import redis.asyncio
from structlog.testing import capture_logs

from api.cache.listeners import PING_S, TouchListener
from api.cache.redis import RedisCache
from api.cache.touches import Touches
from core.clock import SystemClock
from core.scopes import TOUCHED
from tests.fixtures.waiting import eventually

SCOPE = "stream:a"


@pytest.fixture
async def listener(redis_client: redis.asyncio.Redis) -> AsyncIterator[TouchListener]:
    listener = TouchListener(redis_client, Touches())
    listener.start()
    await eventually(lambda: listener.touches.is_trusted)
    yield listener
    await listener.stop()


async def touch_and_wait(listener: TouchListener, client: redis.asyncio.Redis) -> int:
    """Touch a scope as another process does, and return its mark once everything was heard."""
    await RedisCache(client, SystemClock()).touch(SCOPE)
    told_at = time.monotonic()
    await eventually(lambda: listener.touches.heard_at, holds=told_at.__le__)
    return listener.touches.mark(SCOPE)


async def test_a_touch_by_somebody_else_is_heard(
    listener: TouchListener, redis_client: redis.asyncio.Redis
):
    before = listener.touches.mark(SCOPE), listener.touches.mark("stream:b")
    assert await touch_and_wait(listener, redis_client) > before[0]
    assert listener.touches.mark("stream:b") == before[1]


async def test_garbage_on_the_channel_is_passed_over(
    listener: TouchListener, redis_client: redis.asyncio.Redis
):
    before = listener.touches.mark(SCOPE)
    with capture_logs() as lines:
        await redis_client.publish(TOUCHED, b"\xff\x00")
        assert await touch_and_wait(listener, redis_client) == before + 1
    assert [line["event"] for line in lines] == ["touches_unreadable"]


async def test_a_connection_that_is_cut_makes_everything_old_once_it_is_back(
    listener: TouchListener, redis_client: redis.asyncio.Redis
):
    before = listener.touches.mark("stream:b")
    assert await redis_client.client_kill_filter(_type="pubsub") == 1
    await eventually(lambda: listener.touches.mark("stream:b"), holds=lambda mark: mark > before)
    await eventually(lambda: listener.touches.is_trusted)
    again = listener.touches.mark(SCOPE)
    assert await touch_and_wait(listener, redis_client) > again


async def test_a_process_with_much_to_do_hears_all_the_same(
    listener: TouchListener, redis_client: redis.asyncio.Redis
):
    async def work_for_ever() -> None:
        while True:
            time.sleep(2 * PING_S)  # noqa: ASYNC251 - that nobody else gets a turn is the point.
            await asyncio.sleep(0)

    before = listener.touches.mark("stream:b")
    with capture_logs() as lines:
        working = asyncio.create_task(work_for_ever())
        marks = [await touch_and_wait(listener, redis_client) for _ in range(5)]
        working.cancel()
    assert marks == sorted(set(marks))
    # The connection was never given up.
    assert (listener.touches.mark("stream:b"), lines) == (before, [])


async def test_a_redis_that_does_not_answer_is_not_trusted_until_it_does(
    listener: TouchListener, redis_client: redis.asyncio.Redis
):
    await redis_client.client_pause(500)
    await eventually(lambda: not listener.touches.is_trusted)
    before = listener.touches.mark(SCOPE)
    await eventually(lambda: listener.touches.is_trusted)
    assert await touch_and_wait(listener, redis_client) > before


async def test_a_redis_that_is_silent_for_long_is_connected_to_anew(
    listener: TouchListener, redis_client: redis.asyncio.Redis
):
    before = listener.touches.mark("stream:b")
    with capture_logs() as lines:
        await redis_client.client_pause(3000)
        await eventually(
            lambda: listener.touches.mark("stream:b"), holds=lambda mark: mark > before
        )
    assert "touches_silent" in [line["event"] for line in lines]
    await eventually(lambda: listener.touches.is_trusted)


async def test_a_redis_that_does_not_run_is_never_trusted(dead_redis_url: str):
    async with redis.asyncio.from_url(dead_redis_url) as client:
        listener = TouchListener(client, Touches())
        with capture_logs() as lines:
            listener.start()
            await eventually(lambda: len(lines), holds=lambda count: count >= 2)
            await listener.stop()
    assert {line["event"] for line in lines} == {"touches_away"}
    assert not listener.touches.is_trusted
