"""Caches: what every cache does, in memory and in Redis."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from api.cache.base import Answer, Cache, answer_from
from api.cache.memory import ENTRIES_MAX, MemoryCache
from api.cache.redis import RedisCache
from core.clock import ManualClock
from tests.fixtures.waiting import eventually

SCOPE = "stream:a"
ANSWER = Answer.of(b'{"data":["\xc3\xa9\n\\n"]}')


@pytest.fixture(params=["memory", "redis"])
def cache(
    request: pytest.FixtureRequest, clock: ManualClock, redis_client: redis.asyncio.Redis
) -> Cache:
    return MemoryCache(clock) if request.param == "memory" else RedisCache(redis_client)


async def find(cache: Cache, key: str = "k", scope: str = SCOPE) -> Answer | None:
    found = await cache.read(scope, key)
    assert found is not None
    return found.answer


async def keep(cache: Cache, key: str = "k", answer: Answer = ANSWER) -> None:
    found = await cache.read(SCOPE, key)
    assert found is not None
    await cache.write(SCOPE, key, found.version, answer, ttl_s=60)


async def test_what_was_never_kept_is_not_found(cache: Cache):
    assert await find(cache) is None


async def test_what_was_kept_is_found_byte_for_byte(cache: Cache):
    await keep(cache)
    assert await find(cache) == ANSWER
    assert await find(cache, "other") is None
    assert await find(cache, scope="stream:b") is None


async def test_a_touch_makes_every_answer_of_the_scope_old(cache: Cache):
    await keep(cache, "k")
    await keep(cache, "l")
    await cache.touch("stream:b")
    assert await find(cache, "k") == ANSWER
    await cache.touch(SCOPE)
    assert await find(cache, "k") is None
    assert await find(cache, "l") is None
    await keep(cache)
    assert await find(cache) == ANSWER


async def test_an_answer_computed_before_a_touch_is_old_when_it_is_kept_after_it(cache: Cache):
    before = await cache.read(SCOPE, "k")
    assert before is not None
    await cache.touch(SCOPE)
    await cache.write(SCOPE, "k", before.version, ANSWER, ttl_s=60)
    assert await find(cache) is None


async def test_an_answer_is_loaded_once_until_it_is_old(cache: Cache):
    loads: list[int] = []

    async def load() -> bytes:
        loads.append(len(loads))
        return b"%d" % loads[-1]

    async def answer() -> bytes:
        return (await answer_from(cache, SCOPE, "k", ttl_s=60, load=load)).body

    assert [await answer(), await answer()] == [b"0", b"0"]
    await cache.touch(SCOPE)
    assert [await answer(), await answer()] == [b"1", b"1"]


async def test_memory_forgets_after_the_time_to_live(clock: ManualClock):
    cache = MemoryCache(clock)
    await cache.write(SCOPE, "k", b"", ANSWER, ttl_s=60)
    clock.advance(timedelta(seconds=59))
    assert await find(cache) == ANSWER
    clock.advance(timedelta(seconds=1))
    assert await find(cache) is None


async def test_redis_keeps_an_answer_for_about_its_time_to_live(
    redis_client: redis.asyncio.Redis,
):
    cache = RedisCache(redis_client)
    await cache.write(SCOPE, "k", b"", ANSWER, ttl_s=60)
    assert 53_000 <= await redis_client.pttl("cache:stream:a:k") <= 60_000
    assert await redis_client.pexpire("cache:stream:a:k", 1)

    async def is_gone() -> bool:
        return await find(cache) is None

    assert await eventually(is_gone)


async def test_memory_lets_go_of_what_was_used_longest_ago(clock: ManualClock):
    cache = MemoryCache(clock)
    for number in range(ENTRIES_MAX):
        await keep(cache, str(number))
    assert await find(cache, "0") == ANSWER
    await keep(cache, "one more")
    assert await find(cache, "0") == ANSWER
    assert await find(cache, "1") is None


@pytest.fixture
async def away(dead_redis_url: str) -> AsyncIterator[RedisCache]:
    """A cache over a Redis that does not run."""
    async with redis.asyncio.from_url(dead_redis_url, retry=Retry(NoBackoff(), 0)) as client:
        yield RedisCache(client)


async def test_a_cache_that_is_away_finds_nothing_and_hurts_nobody(away: RedisCache):
    assert await away.read(SCOPE, "k") is None
    await away.write(SCOPE, "k", b"", ANSWER, ttl_s=60)
    await away.touch(SCOPE)

    async def load() -> bytes:
        return b"loaded"

    assert (await answer_from(away, SCOPE, "k", ttl_s=60, load=load)).body == b"loaded"
