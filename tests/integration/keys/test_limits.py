"""Limits: so many requests a minute of one key or one address, whichever process they reach."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import httpx
import pytest
import websockets
from redis.asyncio import Redis
from websockets.asyncio.client import connect

from api.app import build_app
from api.keys.rates import LEASE_S, RateLimiter
from core import metrics
from core.scopes import STREAMS_ALL
from core.settings import Settings
from tests.fixtures.api_keys import make_key
from tests.fixtures.apis import calling, serving
from tests.integration.api.paths import STREAMS
from tests.integration.api.problems import read_problem


@pytest.fixture
def limited(settings: Settings) -> Settings:
    """Settings with a limit of three requests a minute."""
    return settings.model_copy(update={"rate_limit_per_minute": 3})


@pytest.fixture
async def client(limited: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application with that limit."""
    async with calling(build_app(limited)) as client:
        yield client


def read_skipped() -> float:
    return next(iter(metrics.rate_limits_skipped_total.collect())).samples[0].value


async def test_the_fourth_request_of_a_minute_is_refused_and_told_when(client: httpx.AsyncClient):
    rests = []
    for _ in range(3):
        answer = await client.get(STREAMS)
        assert answer.status_code == 200
        assert answer.headers["RateLimit-Policy"] == '"default";q=3;w=60'
        rests.append(answer.headers["RateLimit"].split(";")[1])
    assert rests == ["r=2", "r=1", "r=0"]
    answer = await client.get(STREAMS)
    read_problem(answer, 429, "rate_limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 20
    assert answer.headers["RateLimit"].startswith('"default";r=0;t=')


async def test_a_request_that_finds_its_shortcut_closed_is_counted_once(limited: Settings):
    app = build_app(limited)
    rests = []
    async with calling(app) as client:
        for _ in range(3):
            answer = await client.get(STREAMS)
            rests.append(answer.headers["RateLimit"].split(";")[1])
            # Old now: the next one is let in, finds nothing at hand, and goes to the route.
            await app.state.resources.cache.touch(STREAMS_ALL)
    assert rests == ["r=2", "r=1", "r=0"]


async def test_probes_and_the_page_are_not_counted(client: httpx.AsyncClient):
    for _ in range(10):
        assert (await client.get("/health")).status_code == 200
    answer = await client.get(STREAMS)
    assert answer.headers["RateLimit"].startswith('"default";r=2')


async def test_a_key_has_its_own_bucket_and_wrong_keys_that_of_their_address(
    limited: Settings, connection: asyncpg.Connection
):
    _, one = await make_key(connection, "read")
    _, two = await make_key(connection, "read")
    wrong = {"X-API-Key": "no"}
    async with calling(build_app(limited)) as client:

        async def ask(headers: dict[str, str]) -> list[int]:
            return [(await client.get(STREAMS, headers=headers)).status_code for _ in range(4)]

        assert await ask(one) == [200, 200, 200, 429]
        assert await ask(two) == [200, 200, 200, 429]
        assert await ask(wrong) == [401, 401, 401, 429]


async def test_copies_of_the_api_count_together(limited: Settings, monkeypatch: pytest.MonkeyPatch):
    # Four copies in one loop on a busy machine: who waits for its turn is not without Redis.
    monkeypatch.setattr("api.keys.rates.ANSWER_TIMEOUT_S", 30)
    async with AsyncExitStack() as stack:
        copies = [await stack.enter_async_context(calling(build_app(limited))) for _ in range(4)]
        answers = await asyncio.gather(
            *(copy.get(STREAMS) for copy in copies), *(copy.get(STREAMS) for copy in copies)
        )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 3 + [429] * 5


async def test_a_bucket_fills_up_again_and_leaves_nothing_behind(redis_client: Redis):
    limiter = RateLimiter(redis_client, 2)
    taken = [await limiter.take("a") for _ in range(3)]
    assert [item.is_allowed for item in taken if item] == [True, True, False]
    assert 0 < await redis_client.pttl("rate:a") <= 60_000
    # As half a minute later: the time at which it is full lies that much nearer.
    full_at = int(await redis_client.get("rate:a") or 0)
    await redis_client.set("rate:a", full_at - 30_000_000)
    taken = [await limiter.take("a") for _ in range(2)]
    assert [item.is_allowed for item in taken if item] == [True, False]


async def count_asked(client: Redis) -> int:
    """Return how often Redis was asked for requests of a bucket."""
    stats = await client.info("commandstats")
    return int(stats.get("cmdstat_eval", {}).get("calls", 0))


async def test_who_asks_a_lot_takes_several_at_a_time(redis_client: Redis):
    limiter = RateLimiter(redis_client, 6000, monotonic=lambda: 0.0)
    before = await count_asked(redis_client)
    taken = await asyncio.gather(*(limiter.take("a") for _ in range(500)))
    assert all(item is not None and item.is_allowed for item in taken)
    # 1, 2, 4, 8, 16 and then 30 at a time.
    assert await count_asked(redis_client) - before == 5 + 16
    # All that was taken is known to everyone: another process sees no more than what is left.
    last = await RateLimiter(redis_client, 6000).take("a")
    assert last is not None
    assert last.remaining < 6000 - 500 + 100


async def test_no_more_than_the_limit_get_through_however_many_ask_wherever(redis_client: Redis):
    limiters = [RateLimiter(redis_client, 1000) for _ in range(3)]
    taken = await asyncio.gather(*(each.take("a") for each in limiters for _ in range(800)))
    allowed = sum(item is not None and item.is_allowed for item in taken)
    # Some come back while they ask, sixteen a second; what is left of a lease is lost.
    assert 1000 - 3 * 5 <= allowed <= 1100


async def test_what_was_taken_ahead_is_lost_after_a_second(redis_client: Redis):
    now = 0.0
    limiter = RateLimiter(redis_client, 6000, monotonic=lambda: now)
    for _ in range(4):
        await limiter.take("a")
    before = await count_asked(redis_client)
    await limiter.take("a")
    assert await count_asked(redis_client) == before
    now = LEASE_S
    await limiter.take("a")
    assert await count_asked(redis_client) == before + 1


async def test_without_a_limit_nothing_is_counted(settings: Settings, redis_client: Redis):
    async with calling(build_app(settings)) as client:
        answer = await client.get(STREAMS)
    assert "RateLimit" not in answer.headers
    assert not await redis_client.keys("rate:*")


async def test_without_redis_everyone_is_let_through_and_it_is_counted(
    limited: Settings, dead_redis_url: str
):
    before = read_skipped()
    app = build_app(limited.model_copy(update={"redis_url": dead_redis_url}))
    async with calling(app) as client:
        for _ in range(5):
            assert (await client.get(STREAMS)).status_code == 200
    assert read_skipped() == before + 5


async def test_a_socket_too_many_closes_with_4429(limited: Settings):
    codes = []
    async with serving(build_app(limited)) as address:
        for _ in range(4):
            async with connect(f"ws://{address}/ws/live") as socket:
                try:
                    await socket.recv()
                except websockets.ConnectionClosed:
                    codes.append(socket.close_code)
    assert codes == [4429]
