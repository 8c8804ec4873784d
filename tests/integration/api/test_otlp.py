"""OTLP: what an exporter is told, in its own encoding, and what is stored of what it sent."""

import math
from datetime import datetime
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
import redis.asyncio
from fastapi import FastAPI
from google.protobuf.json_format import MessageToJson
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)

from api.app import build_app
from core.otlp_messages import BODY_BYTES_MAX, JSON_OBJECTS_MAX
from core.settings import Settings
from tests.fixtures.api_keys import make_key
from tests.fixtures.apis import calling
from tests.fixtures.flows import Flow
from tests.fixtures.otlp_requests import make_gauge, make_request
from tests.fixtures.redises import count_entries
from tests.integration.api.problems import read_problem

METRICS = "/v1/metrics"
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
READINGS = "SELECT stream_id, channel, value, unit FROM readings ORDER BY channel, value"

either = pytest.mark.parametrize("headers", [PROTOBUF, JSON], ids=["protobuf", "json"])


@pytest.fixture
def now_ns(minute: datetime) -> int:
    """The start of the running minute, as OTLP writes it."""
    return int(minute.timestamp()) * 10**9


async def post(
    client: httpx.AsyncClient, headers: dict[str, str], *metrics: Any, **resource: Any
) -> httpx.Response:
    request = make_request(*metrics, **resource)
    is_json = headers["Content-Type"] == JSON["Content-Type"]
    content = MessageToJson(request).encode() if is_json else request.SerializeToString()
    return await client.post(METRICS, content=content, headers=headers)


def read_answer(answer: httpx.Response, headers: dict[str, str]) -> dict[str, Any]:
    """Return what a request was answered, from either encoding."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == headers["Content-Type"]
    if headers == JSON:
        partial = answer.json().get("partialSuccess", {})
        return {
            "rejected": int(partial.get("rejectedDataPoints", 0)),
            "reason": partial.get("errorMessage", ""),
        }
    partial = ExportMetricsServiceResponse.FromString(answer.content).partial_success
    return {"rejected": partial.rejected_data_points, "reason": partial.error_message}


def read_status(answer: httpx.Response, headers: dict[str, str], status: int) -> tuple[int, str]:
    """Return the code and the message of a refusal, from either encoding."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == headers["Content-Type"]
    if headers == JSON:
        return answer.json()["code"], answer.json()["message"]
    refusal = Status.FromString(answer.content)
    return refusal.code, refusal.message


@either
async def test_points_are_stored_as_readings(
    client: httpx.AsyncClient,
    flow: Flow,
    connection: asyncpg.Connection,
    headers: dict[str, str],
    now_ns: int,
):
    gauge = make_gauge("cell.temp", (1.5, now_ns), (2, now_ns + 1000), cell="3")
    answer = await post(client, headers, gauge, service_name="bench-07")
    assert read_answer(answer, headers) == {"rejected": 0, "reason": ""}
    assert await flow.pump() == 2
    rows = [tuple(row) for row in await connection.fetch(READINGS)]
    assert rows == [("bench-07", "cell.temp:cell=3", value, "Cel") for value in (1.5, 2.0)]


async def test_what_comes_again_counts_once_as_a_request_and_as_a_point(
    client: httpx.AsyncClient, flow: Flow, connection: asyncpg.Connection, now_ns: int
):
    gauge = make_gauge("x", (1.0, now_ns))
    for headers in (PROTOBUF, PROTOBUF):
        read_answer(await post(client, headers, gauge), headers)
    assert await flow.pump() == 1
    read_answer(await post(client, JSON, gauge, make_gauge("y", (1.0, now_ns))), JSON)
    await flow.pump()
    assert await connection.fetchval("SELECT count(*) FROM readings") == 2


@either
async def test_the_same_request_reaches_the_bus_once(
    client: httpx.AsyncClient,
    redis_client: redis.asyncio.Redis,
    headers: dict[str, str],
    now_ns: int,
):
    for time, entries in ((now_ns, 1), (now_ns, 1), (now_ns + 1000, 2)):
        read_answer(await post(client, headers, make_gauge("x", (1.0, time))), headers)
        assert await count_entries(redis_client) == entries


@either
async def test_good_points_are_taken_and_bad_ones_counted_and_named(
    client: httpx.AsyncClient, flow: Flow, headers: dict[str, str], now_ns: int
):
    bad = make_gauge("bad", (math.inf, now_ns), (1.0, 10**9), a="b")
    answer = await post(client, headers, make_gauge("x", (1.0, now_ns)), bad, service_name="s")
    told = read_answer(answer, headers)
    assert told["rejected"] == 2
    first, second = told["reason"].split("; ")
    assert first == "bad:a=b of s: value is not a number of at most 1e+100"
    assert second == "bad:a=b of s: timestamp lies more than 365 days in the past"
    assert await flow.pump() == 1


@pytest.mark.parametrize(
    ("headers", "content", "status", "code"),
    [
        (PROTOBUF, b"\xff\xff", 400, 3),
        (PROTOBUF, b"\x0a\x7f", 400, 3),
        (PROTOBUF, bytes(BODY_BYTES_MAX + 1), 413, 8),
        (JSON, b"", 400, 3),
        (JSON, b"{", 400, 3),
        (JSON, b'{"resourceMetrics":7}', 400, 3),
        (JSON, b"{" * (JSON_OBJECTS_MAX + 1), 413, 8),
        (JSON | {"Content-Encoding": "br"}, b"{}", 415, 3),
    ],
)
async def test_what_cannot_be_read_is_refused_with_a_status(
    client: httpx.AsyncClient, headers: dict[str, str], content: bytes, status: int, code: int
):
    answer = await client.post(METRICS, content=content, headers=headers)
    found, message = read_status(answer, {"Content-Type": headers["Content-Type"]}, status)
    assert (found, bool(message)) == (code, True)


async def test_nothing_is_taken_as_nothing(client: httpx.AsyncClient):
    for headers, content in ((PROTOBUF, b""), (JSON, b"{}")):
        answer = await client.post(METRICS, content=content, headers=headers)
        assert read_answer(answer, headers) == {"rejected": 0, "reason": ""}


async def test_another_format_is_refused_as_everywhere(client: httpx.AsyncClient):
    answer = await client.post(METRICS, content=b"x", headers={"Content-Type": "text/plain"})
    read_problem(answer, 415, "unsupported_media")


@either
async def test_a_full_bus_and_one_that_is_away_are_asked_again(
    settings: Settings, dead_redis_url: str, headers: dict[str, str], now_ns: int
):
    async with calling(build_app(settings.model_copy(update={"bus_max_entries": 10}))) as client:
        for number in range(10):
            read_answer(
                await post(client, headers, make_gauge("x", (1.0, now_ns + number))), headers
            )
        answer = await post(client, headers, make_gauge("x", (1.0, now_ns + 10)))
        assert read_status(answer, headers, 429)[0] == 8
        assert int(answer.headers["Retry-After"]) >= 1
    away = settings.model_copy(update={"redis_url": dead_redis_url})
    async with calling(build_app(away)) as client:
        answer = await post(client, headers, make_gauge("x", (1.0, now_ns)))
        assert read_status(answer, headers, 503)[0] == 14
        assert int(answer.headers["Retry-After"]) >= 1


async def test_a_key_of_one_stream_is_refused_the_points_of_others(
    app: FastAPI, flow: Flow, connection: asyncpg.Connection, now_ns: int
):
    _, shown = await make_key(connection, "ingest", streams=["bench-*"])
    headers = JSON | shown
    async with calling(app) as client:
        for stream, rejected in (("bench-07", 0), ("other", 1)):
            request = make_request(make_gauge("x", (1.0, now_ns)), service_name=stream)
            content = MessageToJson(request).encode()
            answer = await client.post(METRICS, content=content, headers=headers)
            assert read_answer(answer, JSON)["rejected"] == rejected
        without = await client.post(METRICS, content=b"{}", headers=JSON)
        read_problem(without, 401, "unauthorized")
    assert await flow.pump() == 1


async def test_a_large_request_is_taken_whole(client: httpx.AsyncClient, flow: Flow, now_ns: int):
    gauges = [make_gauge(f"m{n}", *((1.0, now_ns + i) for i in range(50))) for n in range(40)]
    read_answer(await post(client, PROTOBUF, *gauges), PROTOBUF)
    assert await flow.pump() == 2000
    assert orjson.loads((await client.get("/api/v1/streams/otlp/channels")).content)["data"]
