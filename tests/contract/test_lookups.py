"""Look-ups over every cache: one load for all who ask; an old answer only without a database."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import redis.asyncio
from prometheus_client import REGISTRY
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from api.cache.base import Answer, Cache
from api.cache.lookups import ABSENCE_TTL_S, STALE_S_MAX, Lookups, Wanted
from api.cache.redis import RedisCache
from core.clock import ManualClock
from core.errors import DatabaseAwayError, NotFoundError, TelemetraError
from tests.fixtures.caches import CACHES, make_cache
from tests.fixtures.waiting import eventually

SCOPE = "stream:a"
TTL_S = 60
MANY = 500


class Database:
    """What is loaded from: a number, which a test may hold back or take away."""

    def __init__(self) -> None:
        self.number = 0
        self.loads = 0
        self.error: TelemetraError | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def load(self) -> bytes:
        self.loads += 1
        number = self.number
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return b"%d" % number


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
async def queueing(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    """A client of Redis with fewer connections than requests, as the API has one."""
    pool = redis.asyncio.BlockingConnectionPool.from_url(redis_url, max_connections=20)
    async with redis.asyncio.Redis.from_pool(pool) as client:
        yield client


@pytest.fixture(params=CACHES)
def cache(
    request: pytest.FixtureRequest, clock: ManualClock, queueing: redis.asyncio.Redis
) -> Cache:
    return make_cache(request.param, queueing, clock)


@pytest.fixture
def lookups(cache: Cache, clock: ManualClock) -> Lookups:
    return Lookups(cache, clock)


@pytest.fixture
def wanted(database: Database) -> Wanted:
    return Wanted(SCOPE, "k", TTL_S, database.load)


def count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"telemetra_cache_{name}_total", labels) or 0


async def test_an_answer_is_loaded_once_until_it_is_old(
    lookups: Lookups, wanted: Wanted, cache: Cache, database: Database
):
    assert [(await lookups.find(wanted)).body for _ in range(2)] == [b"0", b"0"]
    database.number = 1
    await cache.touch(SCOPE)
    assert [(await lookups.find(wanted)).body for _ in range(2)] == [b"1", b"1"]
    assert database.loads == 2


async def test_at_hand_are_good_answers_and_never_that_there_is_nothing(
    queueing: redis.asyncio.Redis, clock: ManualClock, wanted: Wanted, database: Database
):
    lookups = Lookups(make_cache("layered", queueing, clock), clock)
    assert lookups.find_at_hand(SCOPE, "k") is None
    database.error = NotFoundError("There is no stream 'a'.")
    with pytest.raises(NotFoundError):
        await lookups.find(wanted)
    assert lookups.find_at_hand(SCOPE, "k") is None
    database.error = None
    clock.advance(timedelta(seconds=ABSENCE_TTL_S))
    answer = await lookups.find(wanted)
    hits = count("reads", noun="stream", result="memory")
    assert lookups.find_at_hand(SCOPE, "k") == answer
    assert count("reads", noun="stream", result="memory") == hits + 1


async def test_an_answer_is_loaded_again_when_its_time_is_over(
    lookups: Lookups, wanted: Wanted, database: Database, clock: ManualClock
):
    await lookups.find(wanted)
    clock.advance(timedelta(seconds=TTL_S * 0.89))
    await lookups.find(wanted)
    assert database.loads == 1
    clock.advance(timedelta(seconds=TTL_S * 0.11))
    await lookups.find(wanted)
    assert database.loads == 2


async def test_many_who_ask_at_once_share_one_load(
    lookups: Lookups, wanted: Wanted, database: Database
):
    database.open.clear()
    others = float(MANY - 1) + count("reads", noun="stream", result="waited")
    asking = [asyncio.create_task(lookups.find(wanted)) for _ in range(MANY)]
    await eventually(lambda: count("reads", noun="stream", result="waited"), holds=others.__eq__)
    database.open.set()
    assert await asyncio.gather(*asking) == [Answer.of(b"0")] * MANY
    assert database.loads == 1


async def test_a_failure_is_told_to_all_who_wait_and_the_next_tries_again(
    lookups: Lookups, wanted: Wanted, database: Database
):
    database.error = DatabaseAwayError("It is away.", retry_after_s=2)
    asking = [lookups.find(wanted) for _ in range(MANY)]
    told = await asyncio.gather(*asking, return_exceptions=True)
    assert {type(each) for each in told} == {DatabaseAwayError}
    database.error = None
    assert (await lookups.find(wanted)).body == b"0"


async def test_one_who_is_cancelled_cancels_nobody_else(
    lookups: Lookups, wanted: Wanted, database: Database
):
    database.open.clear()
    first, second = (asyncio.create_task(lookups.find(wanted)) for _ in range(2))
    await eventually(lambda: database.loads)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    database.open.set()
    assert (await second).body == b"0"
    assert database.loads == 1


async def test_one_who_asks_after_a_touch_does_not_wait_for_a_load_from_before_it(
    lookups: Lookups, wanted: Wanted, cache: Cache, database: Database
):
    database.open.clear()
    early = asyncio.create_task(lookups.find(wanted))
    await eventually(lambda: database.loads, holds=(1).__eq__)
    database.number = 1
    await cache.touch(SCOPE)
    late = asyncio.create_task(lookups.find(wanted))
    await eventually(lambda: database.loads, holds=(2).__eq__)
    database.open.set()
    assert ((await early).body, (await late).body) == (b"0", b"1")
    assert (await lookups.find(wanted)).body == b"1"
    assert database.loads == 2


async def test_that_there_is_nothing_is_remembered_for_some_seconds(
    lookups: Lookups, wanted: Wanted, database: Database, clock: ManualClock
):
    database.error = NotFoundError("There is no stream 'é'.")
    for _ in range(2):
        with pytest.raises(NotFoundError, match="no stream 'é'"):
            await lookups.find(wanted)
    assert database.loads == 1
    clock.advance(timedelta(seconds=ABSENCE_TTL_S))
    with pytest.raises(NotFoundError):
        await lookups.find(wanted)
    assert database.loads == 2


async def test_the_first_commit_of_a_stream_ends_that_there_is_nothing(
    lookups: Lookups, wanted: Wanted, cache: Cache, database: Database
):
    database.error = NotFoundError("There is no stream 'a'.")
    with pytest.raises(NotFoundError):
        await lookups.find(wanted)
    database.error = None
    await cache.touch(SCOPE)
    assert (await lookups.find(wanted)).body == b"0"


async def test_while_the_database_is_away_the_answer_from_before_is_served_with_its_age(
    lookups: Lookups, wanted: Wanted, cache: Cache, database: Database, clock: ManualClock
):
    before = count("stale", noun="stream")
    await lookups.find(wanted)
    await cache.touch(SCOPE)
    database.error = DatabaseAwayError("It is away.")
    clock.advance(timedelta(seconds=42))
    stale = await lookups.find(wanted)
    assert (stale.body, stale.etag, stale.stale_s) == (b"0", Answer.of(b"0").etag, 42)
    assert count("stale", noun="stream") == before + 1
    database.error, database.number = None, 1
    good = await lookups.find(wanted)
    assert (good.body, good.stale_s) == (b"1", None)


async def test_an_answer_that_is_too_old_is_not_served_at_all(
    lookups: Lookups, wanted: Wanted, database: Database, clock: ManualClock
):
    await lookups.find(wanted)
    database.error = DatabaseAwayError("It is away.")
    clock.advance(timedelta(seconds=STALE_S_MAX + 1))
    with pytest.raises(DatabaseAwayError):
        await lookups.find(wanted)


async def test_that_there_was_nothing_is_no_answer_while_the_database_is_away(
    lookups: Lookups, wanted: Wanted, cache: Cache, database: Database
):
    database.error = NotFoundError("There is no stream 'a'.")
    with pytest.raises(NotFoundError):
        await lookups.find(wanted)
    await cache.touch(SCOPE)
    database.error = DatabaseAwayError("It is away.")
    with pytest.raises(DatabaseAwayError):
        await lookups.find(wanted)


@pytest.fixture
async def away(dead_redis_url: str, clock: ManualClock) -> AsyncIterator[RedisCache]:
    """A cache over a Redis that does not run."""
    async with redis.asyncio.from_url(dead_redis_url, retry=Retry(NoBackoff(), 0)) as client:
        yield RedisCache(client, clock)


async def test_without_a_cache_loads_are_shared_for_an_instant_only(
    away: RedisCache, clock: ManualClock, wanted: Wanted, database: Database
):
    now = 0.0
    lookups = Lookups(away, clock, monotonic=lambda: now)
    database.open.clear()
    asking = [asyncio.create_task(lookups.find(wanted)) for _ in range(3)]
    await eventually(lambda: database.loads)
    now = 1.0
    asking.append(asyncio.create_task(lookups.find(wanted)))
    await eventually(lambda: database.loads, holds=(2).__eq__)
    database.open.set()
    assert {answer.body for answer in await asyncio.gather(*asking)} == {b"0"}
    assert database.loads == 2
