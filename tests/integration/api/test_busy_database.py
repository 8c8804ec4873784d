"""A database that hangs, or that too many wait for: told at once, with answers from before."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY

from api.app import build_app
from api.replies import STALE
from core.settings import Settings
from db import pool as pools
from tests.fixtures.apis import calling
from tests.fixtures.proxies import Proxy, proxying
from tests.fixtures.waiting import eventually
from tests.integration.api.paths import METRICS, ONE, STREAMS
from tests.integration.api.problems import read_problem

ORIGIN = "https://pages.example"


def read_metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"telemetra_{name}", labels) or 0


@pytest.fixture
async def proxied(database_url: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before the test's database."""
    async with proxying(database_url) as (proxy, url):
        yield proxy, url


async def test_while_the_database_hangs_old_answers_and_refusals_come_without_asking_it(
    settings: Settings, proxied: tuple[Proxy, str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pools, "PROBE_EVERY_S", 0.02)
    monkeypatch.setattr(pools, "PROBE_TIMEOUT_S", 0.05)
    proxy, url = proxied
    chosen = {"database_url": url, "db_statement_timeout_ms": 100}
    async with calling(build_app(settings.model_copy(update=chosen))) as client:
        assert (await client.put(ONE, json={"title": "First"})).status_code == 200
        before = await client.get(METRICS)
        # The title makes the answer old.
        assert (await client.put(ONE, json={"title": "Second"})).status_code == 200
        proxy.hang()
        paths = [f"{METRICS}?limit={number}" for number in range(1, 4)]
        for answer in await asyncio.gather(*map(client.get, paths)):
            read_problem(answer, 503, "database_away")
        assert read_metric("database_hanging") == 1
        refused = read_metric("database_requests_refused_total", reason="hanging")
        for number in range(10, 20):
            sent = proxy.bytes_in
            answer = await client.get(METRICS)
            assert (answer.status_code, answer.content) == (200, before.content)
            assert STALE in answer.headers
            problem = await client.get(f"{METRICS}?limit={number}")
            read_problem(problem, 503, "database_away")
            assert int(problem.headers["Retry-After"]) >= 1
            assert proxy.bytes_in == sent
        assert read_metric("database_requests_refused_total", reason="hanging") == refused + 20
        read_problem(await client.get("/readyz"), 503, "service_missing")
        proxy.go_on()
        answer = await eventually(
            lambda: client.get(METRICS), holds=lambda answer: STALE not in answer.headers
        )
        assert answer.status_code == 200
        assert (await client.get(ONE)).json()["title"] == "Second"


async def test_more_requests_than_may_wait_are_refused_with_a_problem(
    settings: Settings, connection: asyncpg.Connection
):
    chosen = {"db_pool_max_size": 1, "db_pool_queue_max": 1, "db_pool_wait_ms": 60_000}
    async with calling(build_app(settings.model_copy(update=chosen))) as client:
        assert (await client.get(STREAMS)).status_code == 200
        async with connection.transaction():
            await connection.execute("LOCK TABLE streams IN ACCESS EXCLUSIVE MODE")
            asked = [asyncio.create_task(client.get(f"{STREAMS}?q={n}")) for n in range(2)]
            await eventually(lambda: read_metric("database_requests_waiting"))
            answer = await client.get(f"{STREAMS}?q=third")
            read_problem(answer, 503, "database_busy")
            assert answer.headers["Retry-After"] == "1"
            # What is only busy is not taken out of service.
            health = (await client.get("/api/v1/health")).json()
            assert health["database"]["status"] == "degraded"
            assert (await client.get("/readyz")).status_code == 200
        assert [answer.status_code for answer in await asyncio.gather(*asked)] == [200, 200]


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """An application that a page from elsewhere may call."""
    return build_app(settings.model_copy(update={"cors_origins": (ORIGIN,)}))


async def test_a_page_from_elsewhere_may_read_how_old_an_answer_is_and_when_to_ask_again(
    client: httpx.AsyncClient,
):
    answer = await client.get(STREAMS, headers={"Origin": ORIGIN})
    told = {name.strip() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}
    assert told >= {"ETag", "Age", "Retry-After", "X-Request-ID", STALE}
    assert told >= {"RateLimit", "RateLimit-Policy", "Content-Disposition"}
