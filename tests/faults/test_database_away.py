"""A database that is killed: answers from before say so, others are refused, and it all mends."""

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from api.app import build_app
from api.replies import STALE
from core.scopes import scope_of_stream
from loadtest.bench.servers import Servers, run_servers
from tests.fixtures.apis import calling
from tests.fixtures.waiting import eventually
from tests.integration.api.problems import read_problem

ONE = "/api/v1/streams/a"
OTHER = "/api/v1/streams/b"


@pytest.fixture
def own_servers(results_dir: Path) -> Iterator[Servers]:
    """Servers of this test alone, which it may kill."""
    with run_servers(results_dir) as servers:
        yield servers


async def test_answers_from_before_are_served_until_the_database_is_back(own_servers: Servers):
    app = build_app(own_servers.settings)
    async with calling(app) as client:
        for path in (ONE, OTHER):
            assert (await client.put(path, json={"title": "First"})).status_code == 200
        before = await client.get(ONE)
        own_servers.postgres.kill()
        # What a commit does that still got through.
        await app.state.resources.cache.touch(scope_of_stream("a"))
        for _ in range(2):
            stale = await client.get(ONE)
            assert (stale.status_code, stale.content) == (200, before.content)
            assert stale.headers[STALE] == stale.headers["Age"]
        # Of this one there is no answer from before.
        refused = await client.get(OTHER)
        read_problem(refused, 503, "database_away")
        assert int(refused.headers["Retry-After"]) >= 1
        read_problem(await client.put(OTHER, json={"title": "Second"}), 503, "database_away")
        assert (await client.get("/livez")).status_code == 200
        assert (await client.get("/readyz")).status_code == 503
        await asyncio.to_thread(own_servers.postgres.start)
        await _require_good_answers(client)


async def _require_good_answers(client: httpx.AsyncClient) -> None:
    async def ask(path: str) -> tuple[int, bool]:
        answer = await client.get(path)
        return answer.status_code, STALE in answer.headers

    for path in (ONE, OTHER):
        await eventually(partial(ask, path), holds=(200, False).__eq__)
    assert (await client.put(ONE, json={"title": "Second"})).status_code == 200
    assert (await client.get(ONE)).json()["title"] == "Second"
