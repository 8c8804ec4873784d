"""InfluxDB's own client for Python: what it sends is what is stored, whatever happens meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import asyncpg
import pytest
from fastapi import FastAPI
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point
from influxdb_client.client.write_api import SYNCHRONOUS, WriteOptions
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.clock import SystemClock
from tests.fixtures.api_keys import make_key
from tests.fixtures.api_processes import ApiProcess
from tests.fixtures.apis import serving
from tests.fixtures.flows import Flow
from tests.fixtures.waiting import eventually

Reading: TypeAlias = tuple[str, str, datetime, float, str | None]

BATCH: Final = 250
BATCHES: Final = 16
PATIENT: Final = WriteOptions(
    batch_size=BATCH, flush_interval=100, retry_interval=100, max_retries=200, max_retry_delay=500
)


def make_points(count: int) -> tuple[list[Point], Counter[Reading]]:
    """Return points and the readings that must become of them."""
    now = SystemClock().now()
    points, readings = [], Counter[Reading]()
    for number in range(count):
        at = now - timedelta(milliseconds=7 * number)
        point = Point("oven top").tag("host", f"bench {number % 5}").tag("cell", f"c/{number % 3}")
        point.tag("unit", "°C").field("temp", number / 7).field("cycles", number)
        point.field("open", number % 2 == 0).field("note", f'row "{number}"\n, of many')
        # In microseconds the client divides by floats, and is off by one now and then.
        points.append(point.time(at, WritePrecision.NS))
        for field, value in (("temp", number / 7), ("cycles", number), ("open", number % 2 == 0)):
            channel = f"oven~20top.{field}:cell=c~2F{number % 3}"
            readings[f"bench~20{number % 5}", channel, at, float(value), "°C"] += 1
    return points, readings


class Sender:
    """The client with its batches and its retries, as most programs use it."""

    def __init__(self, url: str, *, gzip: bool, token: str | None = None) -> None:
        self.sent = 0
        self.failed: list[Exception] = []
        self.retried: list[Exception] = []
        self._client = InfluxDBClient(url=url, token=token or "none", org="us", enable_gzip=gzip)

    def send(self, points: Sequence[Point]) -> None:
        """Write points and wait until every batch was taken or given up."""
        with self._client.write_api(
            write_options=PATIENT,
            success_callback=self._note_sent,
            error_callback=lambda _, __, error: self.failed.append(error),
            retry_callback=lambda _, __, error: self.retried.append(error),
        ) as api:
            api.write("telemetra", record=points, write_precision=WritePrecision.NS)
        self._client.close()

    def _note_sent(self, _: Any, __: Any) -> None:
        self.sent += 1


async def count_stored(connection: asyncpg.Connection) -> Counter[Reading]:
    rows = await connection.fetch("SELECT stream_id, channel, timestamp, value, unit FROM readings")
    return Counter(tuple(row) for row in rows)


async def require_stored(connection: asyncpg.Connection, readings: Counter[Reading]) -> None:
    """Make sure that points and minutes hold just these readings."""
    assert await count_stored(connection) == readings
    sums = await connection.fetch(
        "SELECT stream_id, channel, sum(count)::int AS count, sum(count * mean) AS total"
        " FROM reading_summary_minute GROUP BY stream_id, channel"
    )
    counts, totals = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for stream_id, channel, _, value, _ in readings.elements():
        counts[stream_id, channel] += 1
        totals[stream_id, channel] += value  # type: ignore[assignment]
    assert {(row["stream_id"], row["channel"]): row["count"] for row in sums} == counts
    for row in sums:
        assert row["total"] == pytest.approx(totals[row["stream_id"], row["channel"]])


@pytest.mark.parametrize("gzip", [False, True])
async def test_what_the_client_sends_is_what_is_stored(
    served: str, flow: Flow, connection: asyncpg.Connection, *, gzip: bool
):
    points, readings = make_points(BATCH * BATCHES)
    sender = Sender(f"http://{served}", gzip=gzip)
    await asyncio.to_thread(sender.send, points)
    assert (sender.failed, sender.retried) == ([], [])
    assert await flow.pump() == 3 * len(points)
    await require_stored(connection, readings)


async def test_an_api_that_is_killed_and_comes_back_loses_and_doubles_nothing(
    api_process: ApiProcess, flow: Flow, connection: asyncpg.Connection
):
    points, readings = make_points(BATCH * BATCHES)
    _, shown = await make_key(connection, "ingest")
    await api_process.start()
    key = shown["Authorization"].removeprefix("Bearer ")
    sender = Sender(api_process.url, gzip=True, token=key)
    sending = asyncio.create_task(asyncio.to_thread(sender.send, points))
    await eventually(lambda: sender.sent >= 2)
    api_process.kill()
    await eventually(lambda: sender.retried)
    assert sender.sent < BATCHES
    await api_process.start()
    await sending
    assert sender.failed == []
    await flow.pump()
    await require_stored(connection, readings)


class Forgetful:
    """Answers some requests with a failure although they were served."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.writes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        self.writes += 1
        if self.writes % 2:
            await self._app(scope, receive, _swallow)
            await send({"type": "http.response.start", "status": 502, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._app(scope, receive, send)


async def _swallow(message: Message) -> None:
    assert message.get("status", 204) == 204, message


async def test_a_batch_whose_answer_is_lost_counts_once(
    app: FastAPI, flow: Flow, connection: asyncpg.Connection
):
    points, readings = make_points(BATCH * 4)
    assert app.middleware_stack is not None
    forgetful = Forgetful(app.middleware_stack)
    app.middleware_stack = forgetful
    async with serving(app) as address:
        sender = Sender(f"http://{address}", gzip=False)
        await asyncio.to_thread(sender.send, points)
    assert sender.failed == []
    assert len(sender.retried) == forgetful.writes // 2 >= 4
    assert await flow.pump() == 3 * len(points)
    await require_stored(connection, readings)


async def test_a_refusal_reads_well_in_the_client_and_is_not_tried_again(served: str, flow: Flow):
    def write() -> None:
        with InfluxDBClient(url=f"http://{served}", token="none", org="us") as client:
            assert client.ping()
            assert client.version().startswith("telemetra-")
            api = client.write_api(write_options=SYNCHRONOUS)
            api.write("telemetra", record=["m f=1", "m f=x", "m f=2"])

    with pytest.raises(ApiException) as caught:
        await asyncio.to_thread(write)
    assert caught.value.status == 400
    assert caught.value.message == (
        "partial write: line 2: the field 'f' is 'x', which is no number, truth or text; dropped=1"
    )
    assert await flow.pump() == 2
