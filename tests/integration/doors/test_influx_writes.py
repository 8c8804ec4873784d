"""Writes as clients of InfluxDB send them: what becomes of lines, and what is answered."""

import base64
from typing import Any, Final

import asyncpg
import httpx
import orjson
import pytest

from api.app import build_app
from core.clock import SystemClock
from core.settings import Settings
from tests.fixtures.api_keys import make_key
from tests.fixtures.apis import calling
from tests.fixtures.flows import Flow
from tests.integration.api import problems

V1: Final = "/write?db=telegraf"
V2: Final = "/api/v2/write?org=us&bucket=telegraf"
BOTH: Final = pytest.mark.parametrize("url", [V1, V2])


MEMBERS: Final = {"/write": ("error",), "/query": ("error",), "/api/v2/write": ("code", "message")}
"""What clients look for in a refusal, by the path."""


def read_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return a refusal that is a problem document and what InfluxDB's clients read."""
    members = MEMBERS[answer.request.url.path]
    document = problems.read_problem(answer, status, code, *members)
    assert document[members[-1]] == document["detail"]
    return document


def now_s() -> int:
    return int(SystemClock().now().timestamp())


async def list_readings(connection: asyncpg.Connection) -> list[tuple[Any, ...]]:
    rows = await connection.fetch(
        "SELECT stream_id, channel, value FROM readings"
        " ORDER BY stream_id, channel, timestamp, value"
    )
    return [tuple(row) for row in rows]


@BOTH
async def test_every_number_of_a_line_is_a_reading(
    client: httpx.AsyncClient, flow: Flow, connection: asyncpg.Connection, url: str
):
    lines = f'cpu,cpu=cpu0,host=web-1 idle=98.5,users=3i,up=t,os="linux" {now_s()}\nm f=1'
    answer = await client.post(f"{url}&precision=s", content=lines)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await flow.pump() == 4
    assert await list_readings(connection) == [
        ("telegraf", "m.f", 1.0),
        ("web-1", "cpu.idle:cpu=cpu0", 98.5),
        ("web-1", "cpu.up:cpu=cpu0", 1.0),
        ("web-1", "cpu.users:cpu=cpu0", 3.0),
    ]
    skipped = 'telemetra_samples_skipped_total{door="influx",reason="text"}'
    metrics = (await client.get("/metrics")).text
    assert any(line.startswith(skipped) for line in metrics.splitlines())


@BOTH
async def test_bad_lines_are_named_and_the_good_ones_are_kept(
    client: httpx.AsyncClient, flow: Flow, url: str
):
    time = now_s()
    lines = f"m f=1 {time}\nbad\nm f=1,g=1e300 {time}\nm f=x\nm f=2 {time + 86_400}\nm g=2 {time}"
    answer = await client.post(f"{url}&precision=s", content=lines)
    document = read_problem(answer, 400, "partial_write")
    told: str = document["detail"]
    assert told.startswith("partial write: line 2: the fields are missing; line 3: a value is not")
    assert told.endswith("; line 5: timestamp lies more than 10 minutes ahead; dropped=4")
    assert document["errors"][0] == {"field": "line 2", "reason": "the fields are missing"}
    assert document.get("code", "invalid") == "invalid"
    assert await flow.pump() == 2


async def test_of_many_bad_lines_the_first_are_told_and_all_are_counted(client: httpx.AsyncClient):
    answer = await client.post(V2, content="bad\n" * 150)
    document = read_problem(answer, 400, "partial_write")
    assert "line 10: " in document["detail"]
    assert "line 11: " not in document["detail"]
    assert document["detail"].endswith("; …; dropped=150")
    assert len(document["errors"]) == 100


@BOTH
async def test_a_batch_that_is_sent_again_counts_once(
    client: httpx.AsyncClient, flow: Flow, connection: asyncpg.Connection, url: str
):
    lines = "\n".join(f"m,n={number % 3} f={number} {now_s() - number}" for number in range(9))
    for _ in range(2):
        assert (await client.post(f"{url}&precision=s", content=lines)).status_code == 204
    await flow.pump()
    # Another batch that has some of the same points, as a collector makes one after a failure.
    lines += f"\nm f=0.5 {now_s()}"
    assert (await client.post(f"{url}&precision=s", content=lines)).status_code == 204
    await flow.pump()
    assert len(await list_readings(connection)) == 10
    count = await connection.fetchval("SELECT sum(count) FROM reading_summary_minute")
    assert count == 10


@pytest.mark.parametrize("body", ["", "\n", "# nothing\n", 'm t="only text"'])
async def test_a_body_without_numbers_is_taken_unless_it_is_empty(
    client: httpx.AsyncClient, flow: Flow, body: str
):
    answer = await client.post(V2, content=body)
    if body:
        assert answer.status_code == 204
    else:
        assert read_problem(answer, 400, "bad_request")["code"] == "invalid"
    assert await flow.pump() == 0


@pytest.mark.parametrize(
    "url",
    [
        "/write",
        "/write?db=",
        "/write?db=a&precision=days",
        "/api/v2/write?org=a",
        "/api/v2/write?bucket=a&precision=h",
    ],
)
async def test_a_request_without_a_bucket_or_with_no_known_precision_is_refused(
    client: httpx.AsyncClient, url: str
):
    read_problem(await client.post(url, content="m f=1"), 422, "invalid")


@pytest.mark.parametrize(
    ("precision", "unit"), [("µ", 1e6), ("u", 1e6), ("ms", 1e3), ("m", 1 / 60)]
)
async def test_clients_of_version_1_may_count_in_other_units(
    client: httpx.AsyncClient,
    flow: Flow,
    connection: asyncpg.Connection,
    precision: str,
    unit: float,
):
    params = {"db": "telegraf", "rp": "autogen", "precision": precision}
    time = int(now_s() * unit)
    answer = await client.post("/write", params=params, content=f"m f=1 {time}")
    assert answer.status_code == 204, answer.text
    await flow.pump()
    found = await connection.fetchval("SELECT timestamp FROM readings")
    assert int(found.timestamp() * unit) == time


async def test_other_tags_name_the_stream_where_the_setting_says_so(
    settings: Settings, flow: Flow, connection: asyncpg.Connection
):
    other = settings.model_copy(update={"influx_stream_tags": ("rack",)})
    async with calling(build_app(other)) as client:
        await client.post(V2, content="m,host=h,rack=r7 f=1")
    await flow.pump()
    assert await list_readings(connection) == [("r7", "m.f:host=h", 1.0)]


@BOTH
async def test_a_body_over_the_limit_is_refused_so_that_it_is_sent_in_parts(
    settings: Settings, url: str
):
    small = settings.model_copy(update={"ingest_body_max_mb": 1})
    async with calling(build_app(small)) as client:
        answer = await client.post(url, content=b"m f=1\n" * 200_000)
    read_problem(answer, 413, "too_large")


@pytest.mark.parametrize(("url", "status"), [(V1, 503), (V2, 429)])
async def test_a_full_bus_makes_clients_of_either_version_keep_their_points(
    settings: Settings, flow: Flow, url: str, status: int
):
    full = settings.model_copy(update={"bus_max_entries": 10})
    async with calling(build_app(full)) as client:
        for number in range(10):
            assert (await client.post(url, content=f"m f={number}")).status_code == 204
        answer = await client.post(url, content="m f=10")
        read_problem(answer, status, "bus_full")
        assert int(answer.headers["Retry-After"]) >= 1
    assert await flow.pump() == 10


@BOTH
async def test_a_bus_that_is_away_is_said_to_be_unavailable(settings: Settings, url: str):
    nowhere = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1"})
    async with calling(build_app(nowhere)) as client:
        answer = await client.post(url, content="m f=1")
    read_problem(answer, 503, "bus_away")
    assert int(answer.headers["Retry-After"]) >= 1


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


async def test_the_key_is_shown_as_a_token_or_as_a_password(
    settings: Settings, connection: asyncpg.Connection
):
    _, headers = await make_key(connection, "ingest")
    key = headers["Authorization"].removeprefix("Bearer ")
    async with calling(build_app(settings)) as client:
        for url, shown in [
            (V2, {"Authorization": f"Token {key}"}),
            (V2, basic("anyone", key)),
            (V1, basic("anyone", key)),
        ]:
            answer = await client.post(url, content="m f=1", headers=shown)
            assert answer.status_code == 204, (url, shown, answer.text)
        for url, shown in [
            (V2, {"Authorization": "Token wrong"}),
            (V2, basic("anyone", "wrong")),
            (V2, basic(key, "")),
            (V2, {"Authorization": "Basic ÿ"}),
            (f"{V1}&u=anyone&p={key}", {}),
            (V1, {}),
        ]:
            answer = await client.post(
                url, content="m f=1", headers=httpx.Headers(shown, encoding="latin-1")
            )
            read_problem(answer, 401, "unauthorized")
        answer = await client.get("/api/v1/streams", headers=basic("anyone", key))
        problems.read_problem(answer, 401, "unauthorized")


async def test_lines_of_a_stream_out_of_reach_are_refused_and_the_others_taken(
    settings: Settings, connection: asyncpg.Connection, flow: Flow
):
    _, headers = await make_key(connection, "ingest", streams=["web-*"])
    async with calling(build_app(settings)) as client:
        answer = await client.post(
            V2, content="m,host=web-1 f=1\nm,host=db-1 f=1,g=2", headers=headers
        )
    document = read_problem(answer, 400, "partial_write")
    assert document["detail"] == (
        "partial write: line 2: stream_id: the key does not reach this stream; dropped=1"
    )
    assert await flow.pump() == 1


async def test_probes_and_the_making_of_a_database_are_answered(client: httpx.AsyncClient):
    for method in ("GET", "HEAD"):
        answer = await client.request(method, "/ping")
        assert answer.status_code == 204
        assert answer.headers["X-Influxdb-Version"].startswith("telemetra-")
    made = await client.post("/query", data={"q": 'CREATE DATABASE "telegraf"'})
    assert orjson.loads(made.content) == {"results": [{"statement_id": 0}]}
    made = await client.post("/query", params={"q": "create database telegraf"})
    assert made.status_code == 200
    answer = await client.post("/query", data={"q": "DROP DATABASE telegraf"})
    assert "CREATE DATABASE" in read_problem(answer, 422, "invalid")["error"]
