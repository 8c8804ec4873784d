"""Cached answers over HTTP: two processes over the same services, and a database that stalls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any, Final

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY

from api.app import build_app
from api.replies import STALE
from core.settings import Settings
from tests.fixtures.apis import calling
from tests.fixtures.changes import frame_rows, make_changes, make_chat_row
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM, chat
from tests.fixtures.flows import Flow
from tests.fixtures.waiting import eventually
from tests.integration.api.conftest import Send, wait_until_heard
from tests.integration.api.paths import CACHED, METRICS, OF_A_STREAM, ONE, STREAMS
from tests.integration.api.problems import read_problem

COMMITS: Final = 100

DETAILS: Final = "/api/v1/streams/{stream_id}"


async def commit(flow: Flow, number: int) -> None:
    """Commit and tell a minute with so many messages."""
    row = make_chat_row(START, number, stream_id=STREAM, chat_count=number, watermark=START)
    await flow.commit([make_changes(0, number, events=1, chat=frame_rows(row))])


async def read_count(client: httpx.AsyncClient) -> int:
    answer = await client.get(METRICS)
    assert answer.status_code == 200, answer.text
    count: int = answer.json()["data"][0]["chat_count"]
    return count


def count_hits(layer: str) -> float:
    labels = {"noun": "stream", "result": layer}
    return REGISTRY.get_sample_value("telemetra_cache_reads_total", labels) or 0


async def test_two_processes_show_every_commit_as_soon_as_they_have_heard_of_it(
    settings: Settings, flow: Flow
):
    apps = [build_app(settings), build_app(settings)]
    await commit(flow, 1)
    async with calling(apps[0]) as first, calling(apps[1]) as second:
        clients = (first, second)
        for app in apps:
            await wait_until_heard(app)
        hits = count_hits("memory")
        for number in range(2, COMMITS + 2):
            # Both have the answer at hand, and somebody asks while the commit comes in.
            asking = [asyncio.create_task(read_count(client)) for client in clients * 3]
            await commit(flow, number)
            assert set(await asyncio.gather(*asking)) <= {number - 1, number}
            if number % 2:
                for app in apps:
                    await wait_until_heard(app)
                assert [await read_count(client) for client in clients] == [number] * 2
            for client in clients:
                await eventually(partial(read_count, client), holds=number.__eq__)
        assert count_hits("memory") - hits > COMMITS


async def test_while_nothing_is_heard_every_commit_is_seen_at_once(settings: Settings, flow: Flow):
    app = build_app(settings)
    await commit(flow, 1)
    async with calling(app) as client:
        await app.state.resources.listener.stop()
        await eventually(lambda: not app.state.resources.listener.touches.is_trusted)
        hits = count_hits("memory")
        for number in range(2, 12):
            await read_count(client)
            await commit(flow, number)
            assert [await read_count(client) for _ in range(2)] == [number] * 2
        assert count_hits("memory") == hits


async def test_a_stream_that_was_not_there_is_found_with_its_first_commit(
    client: httpx.AsyncClient, send: Send, minute: datetime
):
    for path in OF_A_STREAM:
        for _ in range(2):
            read_problem(await client.get(path), 404, "not_found")
    await send(chat(minute))
    for path in OF_A_STREAM:
        assert (await client.get(path)).status_code == 200, path


async def test_a_stream_that_is_named_is_found_and_its_name_is_seen_at_once(
    client: httpx.AsyncClient,
):
    read_problem(await client.get(ONE), 404, "not_found")
    for title in ("First", "Second"):
        assert (await client.put(ONE, json={"title": title})).status_code == 200
        assert (await client.get(ONE)).json()["title"] == title
        assert (await client.get(STREAMS)).json()["data"][0]["title"] == title


@asynccontextmanager
async def stalling(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Hold the tables that every answer is read from, so that no query ends in time."""
    async with connection.transaction():
        await connection.execute(
            "LOCK TABLE chat_summary_minute, reading_summary_minute, moments, readings,"
            " transactions, transaction_summary_minute IN ACCESS EXCLUSIVE MODE"
        )
        yield


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """An application that does not wait long for the database."""
    return build_app(settings.model_copy(update={"db_statement_timeout_ms": 200}))


@pytest.mark.usefixtures("filled")
async def test_while_the_database_stalls_answers_from_before_are_served_and_say_so(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    before = {path: await client.get(path) for path in CACHED}
    # A title makes the answers of its stream old, and those of all streams.
    assert (await client.put(ONE, json={"title": "Finals"})).status_code == 200
    async with stalling(connection):
        for path in CACHED:
            answer = await client.get(path)
            assert answer.status_code == 200, path
            assert answer.content == before[path].content
            assert answer.headers[STALE] == answer.headers["Age"]
            assert int(answer.headers["Age"]) >= 0
        refused = await client.get(f"{METRICS}?limit=7")
        read_problem(refused, 503, "database_away")
        assert int(refused.headers["Retry-After"]) >= 1
    for path in CACHED:
        answer = await client.get(path)
        assert (answer.status_code, STALE in answer.headers) == (200, False), path
    assert (await client.get(ONE)).json()["title"] == "Finals"


async def test_the_pages_of_the_api_tell_of_old_answers(app: FastAPI):
    paths: dict[str, Any] = app.openapi()["paths"]
    told = {
        path
        for path, methods in paths.items()
        if STALE in methods.get("get", {}).get("responses", {}).get("200", {}).get("headers", {})
    }
    lists = {f"{DETAILS}/{noun}" for noun in ("metrics", "channels", "moments")}
    one = f"{DETAILS}/channels/{{channel}}/metrics"
    assert told >= {"/api/v1/streams", DETAILS, "/api/v1/moments", one, *lists}
    for path in told:
        assert {"304", "503"} <= set(paths[path]["get"]["responses"])
