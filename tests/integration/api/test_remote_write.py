"""Remote write: what a sender is told, and what is stored of what it sent."""

from datetime import datetime

import asyncpg
import httpx
import pytest
import redis.asyncio
from fastapi import FastAPI

from api.app import build_app
from core.remote_writes import BODY_BYTES_MAX
from core.settings import Settings
from tests.fixtures.api_keys import make_key
from tests.fixtures.apis import calling
from tests.fixtures.flows import Flow
from tests.fixtures.redises import count_entries
from tests.fixtures.remote_writes import HEADERS, pack, write_request
from tests.integration.api.problems import read_problem

WRITE = "/api/v1/prom/write"
UP = {"__name__": "up", "instance": "a:9090", "job": "shop"}
READINGS = "SELECT stream_id, channel, value FROM readings ORDER BY timestamp, channel, value"


@pytest.fixture
def now_ms(minute: datetime) -> int:
    """The start of the running minute, as Prometheus writes it."""
    return int(minute.timestamp() * 1000)


async def post(client: httpx.AsyncClient, *series, **headers: str) -> httpx.Response:
    content = pack(write_request(*series))
    return await client.post(WRITE, content=content, headers=HEADERS | headers)


async def test_samples_are_stored_as_readings(
    client: httpx.AsyncClient, flow: Flow, connection: asyncpg.Connection, now_ms: int
):
    answer = await post(client, (UP, [(1, now_ms), (0, now_ms + 1)]), ({"__name__": "x"}, []))
    assert (answer.status_code, answer.content) == (204, b"")
    assert await flow.pump() == 2
    rows = [tuple(row) for row in await connection.fetch(READINGS)]
    assert rows == [("a:9090", "up:job=shop", 1), ("a:9090", "up:job=shop", 0)]


async def test_what_comes_again_counts_once_as_a_request_and_as_a_sample(
    client: httpx.AsyncClient, flow: Flow, connection: asyncpg.Connection, now_ms: int
):
    for _ in range(2):
        assert (await post(client, (UP, [(1, now_ms)]))).status_code == 204
    assert await flow.pump() == 1
    # As after a restart of Prometheus, which cuts its log into other requests.
    assert (await post(client, (UP, [(1, now_ms), (2, now_ms + 1)]))).status_code == 204
    await flow.pump()
    assert await connection.fetchval("SELECT count(*) FROM readings") == 2


async def test_the_same_request_reaches_the_bus_once(
    client: httpx.AsyncClient, redis_client: redis.asyncio.Redis, now_ms: int
):
    for _ in range(2):
        assert (await post(client, (UP, [(1, now_ms)]))).status_code == 204
    assert await count_entries(redis_client) == 1
    assert (await post(client, (UP, [(1, now_ms + 1)]))).status_code == 204
    assert await count_entries(redis_client) == 2


async def test_good_samples_are_taken_and_bad_ones_named_at_the_beginning_of_the_answer(
    client: httpx.AsyncClient, flow: Flow, now_ms: int
):
    infinite = (UP | {"__name__": "limit"}, [(float("inf"), now_ms)])
    old = (UP | {"__name__": "old"}, [(1, 1)])
    answer = await post(client, (UP, [(1, now_ms)]), infinite, old)
    document = read_problem(answer, 400, "partial_write")
    # Prometheus logs no more than this of an answer.
    assert "2 of 3 samples refused, as limit:job=shop of a:9090: value is" in answer.text[:256]
    assert [error["field"] for error in document["errors"]] == [
        "limit:job=shop of a:9090",
        "old:job=shop of a:9090",
    ]
    assert "365 days" in document["errors"][1]["reason"]
    assert await flow.pump() == 1


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"", {}, 400, "bad_request"),
        (b"\xff" * 40, {}, 400, "bad_request"),
        (pack(b"\xff" * 40), {}, 400, "bad_request"),
        (pack(write_request((UP, [(1, 1)]))[:-1]), {}, 400, "bad_request"),
        (pack(bytes(BODY_BYTES_MAX + 1)), {}, 413, "too_large"),
        (bytes(BODY_BYTES_MAX + 1), {}, 413, "too_large"),
        (b"", {"Content-Encoding": "gzip"}, 415, "unsupported_media"),
        (b"", {"Content-Type": "application/json"}, 415, "unsupported_media"),
        (
            b"",
            {"Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"},
            415,
            "unsupported_media",
        ),
    ],
)
async def test_what_cannot_be_read_is_never_asked_for_again(
    client: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int, code: str
):
    answer = await client.post(WRITE, content=content, headers=HEADERS | headers)
    read_problem(answer, status, code)


async def test_version_1_may_be_named_in_the_type(client: httpx.AsyncClient, now_ms: int):
    named = "application/x-protobuf; proto=prometheus.WriteRequest"
    answer = await post(client, (UP, [(1, now_ms)]), **{"Content-Type": named})
    assert answer.status_code == 204


async def test_a_full_bus_is_told_so_that_prometheus_keeps_its_samples(
    settings: Settings, now_ms: int
):
    app = build_app(settings.model_copy(update={"bus_max_entries": 10}))
    async with calling(app) as client:
        for number in range(10):
            assert (await post(client, (UP, [(1, now_ms + number)]))).status_code == 204
        answer = await post(client, (UP, [(1, now_ms + 10)]))
        read_problem(answer, 503, "bus_full")
        assert int(answer.headers["Retry-After"]) >= 1


async def test_a_bus_that_is_away_is_asked_again(settings: Settings, dead_redis_url: str):
    app = build_app(settings.model_copy(update={"redis_url": dead_redis_url}))
    async with calling(app) as client:
        read_problem(await post(client, (UP, [(1, 10**12 * 2)])), 400, "partial_write")
        read_problem(await post(client, (UP, [(1, now_of(app))])), 503, "bus_away")


def now_of(app) -> int:
    return int(app.state.resources.clock.now().timestamp() * 1000)


async def test_a_key_of_one_stream_is_refused_the_samples_of_others(
    app: FastAPI, flow: Flow, connection: asyncpg.Connection, now_ms: int
):
    _, shown = await make_key(connection, "ingest", streams=["a:*"])
    other = (UP | {"instance": "b:9090"}, [(1, now_ms)])
    async with calling(app) as client:
        answer = await post(client, (UP, [(1, now_ms)]), other, **shown)
    document = read_problem(answer, 400, "partial_write")
    assert [error["field"] for error in document["errors"]] == ["up:job=shop of b:9090"]
    assert await flow.pump() == 1


async def test_what_holds_no_value_is_counted(client: httpx.AsyncClient, now_ms: int):
    empty = 'telemetra_samples_skipped_total{door="remote_write",reason="empty"}'

    async def count() -> float:
        lines = (await client.get("/metrics")).text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(empty))

    before = await count()
    answer = await post(client, (UP, [(float("nan"), now_ms), (1, now_ms)]))
    assert answer.status_code == 204
    assert await count() == before + 1
