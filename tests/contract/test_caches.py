"""Caches: what every cache does, in memory, in Redis, and in memory before Redis."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from api.cache.base import Answer, Cache, Kept
from api.cache.layered import LayeredCache
from api.cache.memory import MemoryCache
from api.cache.redis import RedisCache
from api.cache.touches import Touches
from core.clock import ManualClock
from core.scopes import TOUCHED
from tests.fixtures.caches import CACHES, keep_until, listening, make_cache
from tests.fixtures.waiting import eventually

SCOPE = "stream:a"
ANSWER = Answer.of(b'{"data":["\xc3\xa9\n\\n"]}')


@pytest.fixture(params=CACHES)
def cache(
    request: pytest.FixtureRequest, clock: ManualClock, redis_client: redis.asyncio.Redis
) -> Cache:
    return make_cache(request.param, redis_client, clock)


@pytest.fixture
def kept(clock: ManualClock) -> Kept:
    return keep_until(ANSWER, clock)


async def find(cache: Cache, key: str = "k", scope: str = SCOPE) -> Answer | None:
    found = await cache.read(scope, key)
    assert found is not None
    return None if found.kept is None else found.kept.answer


async def keep(cache: Cache, kept: Kept, key: str = "k") -> None:
    found = await cache.read(SCOPE, key)
    assert found is not None
    await cache.write(SCOPE, key, found.version, kept)


async def test_what_was_never_kept_is_not_found(cache: Cache):
    assert await find(cache) is None
    assert await cache.recall(SCOPE, "k") is None


async def test_what_was_kept_is_found_byte_for_byte(cache: Cache, kept: Kept):
    await keep(cache, kept)
    found = await cache.read(SCOPE, "k")
    assert found is not None
    assert found.kept == kept
    assert await find(cache, "other") is None
    assert await find(cache, scope="stream:b") is None


async def test_what_is_at_hand_is_what_a_look_up_would_find(cache: Cache, kept: Kept):
    assert cache.find_at_hand(SCOPE, "k") is None
    await keep(cache, kept)
    found = cache.find_at_hand(SCOPE, "k")
    # A cache that has to wait for it, or may have missed a touch, has nothing at hand.
    assert found is None or found == kept
    assert cache.find_at_hand(SCOPE, "other") is None
    await cache.touch(SCOPE)
    assert cache.find_at_hand(SCOPE, "k") is None


async def test_in_layers_the_shelf_is_at_hand_while_every_touch_is_heard(
    redis_client: redis.asyncio.Redis, clock: ManualClock, kept: Kept
):
    for kind, expected in (("memory", kept), ("layered", kept), ("layered_unheard", None)):
        cache = make_cache(kind, redis_client, clock)
        await keep(cache, kept)
        assert cache.find_at_hand(SCOPE, "k") == expected, kind


async def test_that_there_is_nothing_can_be_kept(cache: Cache, clock: ManualClock):
    absence = Answer.of_absence("There is no 'é'.\nNone.")
    await keep(cache, keep_until(absence, clock))
    found = await find(cache)
    assert found == absence
    assert found.is_absence
    assert not ANSWER.is_absence


async def test_a_touch_makes_every_answer_of_the_scope_old(cache: Cache, kept: Kept):
    await keep(cache, kept, "k")
    await keep(cache, kept, "l")
    await cache.touch("stream:b")
    assert await find(cache, "k") == ANSWER
    await cache.touch(SCOPE)
    assert await find(cache, "k") is None
    assert await find(cache, "l") is None
    await keep(cache, kept)
    assert await find(cache) == ANSWER


async def test_an_answer_loaded_before_a_touch_is_old_when_it_is_kept_after_it(
    cache: Cache, kept: Kept
):
    before = await cache.read(SCOPE, "k")
    assert before is not None
    await cache.touch(SCOPE)
    await cache.write(SCOPE, "k", before.version, kept)
    assert await find(cache) is None


async def test_versions_are_equal_only_while_nothing_is_touched(cache: Cache):
    first, second = await cache.read(SCOPE, "k"), await cache.read(SCOPE, "k")
    await cache.touch(SCOPE)
    third = await cache.read(SCOPE, "k")
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.version == second.version != third.version


async def test_what_a_touch_made_old_can_be_recalled(cache: Cache, kept: Kept):
    await keep(cache, kept)
    await cache.touch(SCOPE)
    assert await find(cache) is None
    assert await cache.recall(SCOPE, "k") == kept


async def test_an_answer_is_good_until_its_time_is_over(
    cache: Cache, kept: Kept, clock: ManualClock
):
    await keep(cache, kept)
    clock.advance(timedelta(milliseconds=kept.until_ms - kept.loaded_ms - 1))
    assert await find(cache) == ANSWER
    clock.advance(timedelta(milliseconds=1))
    assert await find(cache) is None


async def test_redis_keeps_an_answer_for_its_time_and_no_longer(
    redis_client: redis.asyncio.Redis, clock: ManualClock, kept: Kept
):
    cache = RedisCache(redis_client, clock)
    await cache.write(SCOPE, "k", b"", kept)
    assert 50_000 <= await redis_client.pttl("cache:stream:a:k") <= 60_000
    assert await redis_client.pexpire("cache:stream:a:k", 1)

    async def is_gone() -> bool:
        return await cache.recall(SCOPE, "k") is None

    assert await eventually(is_gone)
    clock.advance(timedelta(minutes=1))
    await cache.write(SCOPE, "k", b"", kept)
    assert not await redis_client.exists("cache:stream:a:k")


@pytest.mark.parametrize("entry", [b"", b"\n", b'v\n"etag"\n{}', b"1 2 e", b"a b c d\n{}"])
async def test_an_entry_that_cannot_be_read_is_none(
    redis_client: redis.asyncio.Redis, clock: ManualClock, entry: bytes
):
    cache = RedisCache(redis_client, clock)
    await redis_client.set("cache:stream:a:k", entry)
    assert await find(cache) is None
    assert await cache.recall(SCOPE, "k") is None


async def test_a_touch_in_redis_is_told_after_the_version_has_changed(
    redis_client: redis.asyncio.Redis, clock: ManualClock
):
    async with redis_client.pubsub(ignore_subscribe_messages=True) as subscription:
        await subscription.subscribe(TOUCHED)
        await RedisCache(redis_client, clock).touch(SCOPE)
        message = await eventually(lambda: subscription.get_message(timeout=1))
    assert message["data"] == b"stream:a"
    assert await redis_client.exists("version:stream:a")


async def test_in_layers_what_is_at_hand_is_served_while_redis_is_away_for_an_instant(
    away: RedisCache, clock: ManualClock, kept: Kept
):
    cache = LayeredCache(away, listening(), clock)
    assert await cache.read(SCOPE, "k") is None
    await cache.write(SCOPE, "k", b"%d v" % listening().mark(SCOPE), kept)
    assert await find(cache) == ANSWER


async def test_in_layers_nothing_at_hand_is_trusted_while_touches_may_be_missed(
    redis_client: redis.asyncio.Redis, clock: ManualClock, kept: Kept
):
    behind = RedisCache(redis_client, clock)
    cache = LayeredCache(behind, Touches(), clock)
    await keep(cache, kept)
    assert await find(cache) == ANSWER
    await behind.touch(SCOPE)
    assert await find(cache) is None


async def test_in_layers_what_another_process_loaded_is_put_at_hand(
    redis_client: redis.asyncio.Redis, clock: ManualClock, kept: Kept
):
    behind = RedisCache(redis_client, clock)
    await keep(behind, kept)
    cache = LayeredCache(behind, listening(), clock)
    layers = [found.layer for _ in range(2) if (found := await cache.read(SCOPE, "k"))]
    assert layers == ["redis", "memory"]


@pytest.fixture
async def away(dead_redis_url: str, clock: ManualClock) -> AsyncIterator[RedisCache]:
    """A cache over a Redis that does not run."""
    async with redis.asyncio.from_url(dead_redis_url, retry=Retry(NoBackoff(), 0)) as client:
        yield RedisCache(client, clock)


async def test_a_cache_that_is_away_finds_nothing_and_hurts_nobody(away: RedisCache, kept: Kept):
    assert await away.read(SCOPE, "k") is None
    await away.write(SCOPE, "k", b"", kept)
    await away.touch(SCOPE)
    assert await away.recall(SCOPE, "k") is None


async def test_memory_in_one_process_needs_nobody_to_be_told(clock: ManualClock, kept: Kept):
    cache = MemoryCache(clock)
    await keep(cache, kept)
    found = await cache.read(SCOPE, "k")
    assert found is not None
    assert found.layer == "memory"
