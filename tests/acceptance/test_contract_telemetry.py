"""What front ends of the test bench rely on where the flow is at work: values, told and read."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import httpx
import pytest

from core.clock import SystemClock
from tests.acceptance.contracts import (
    WAIT_S,
    Row,
    hearing,
    read_list,
    read_row,
    require_id,
    require_time,
)
from tests.fixtures.clients import open_client
from tests.fixtures.flows import FlowProcess
from tests.fixtures.uproars import CALM_MINUTES, UPROAR, chat, send
from tests.fixtures.waiting import eventually

BENCH: Final = "bench-07"
START: Final = SystemClock().now().replace(microsecond=0) - timedelta(seconds=60)


def at(second: int) -> str:
    return (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


def point(second: int, channel: str, value: float, **more: Any) -> Row:
    return {"timestamp": at(second), "channel": channel, "value": value, **more}


@pytest.fixture
async def http(served: str, flow_process: FlowProcess) -> AsyncIterator[httpx.AsyncClient]:
    """A front end, while the flow takes what comes."""
    flow_process.start()
    async with open_client(f"http://{served}", timeout=60) as http:
        await send(http, [chat("first", SystemClock().now(), 0)])

        async def is_there() -> bool:
            return (await http.get("/api/v1/streams/first")).is_success

        await eventually(is_there, within_s=WAIT_S)
        yield http


async def make_uproar(http: httpx.AsyncClient) -> None:
    """Send a calm quarter of an hour, and now a minute's worth of messages at once."""
    now = SystemClock().now()
    minute = now.replace(second=0, microsecond=0)
    calm = [
        chat(BENCH, minute - timedelta(minutes=back, seconds=-7 * n), n)
        for back in range(CALM_MINUTES, 0, -1)
        for n in range(5 + back % 3)
    ]
    await send(http, calm)
    await send(http, [chat(BENCH, now - timedelta(milliseconds=8 * n), n) for n in range(UPROAR)])


async def test_values_are_told_read_and_watched_like_every_reading(
    served: str, http: httpx.AsyncClient
) -> None:
    wish = {"name": "Hot start", "stream_ids": [BENCH]}
    session = read_row(await http.post("/api/sessions", json=wish), 201)
    path = f"/api/sessions/{session['id']}"
    async with hearing(served, session["id"]) as socket:
        batch = {"data": [point(n, "temp", 20 + n, unit="°C") for n in range(5)]}
        assert read_row(await http.post(f"{path}/telemetry/batch", json=batch), 201) == {
            "created": 5
        }
        one = read_row(await http.post(f"{path}/telemetry", json=point(9, "volt", 1.5)), 201)
        require_id(one["id"], "tel")
        told = await socket.hear("telemetry.point", lambda data: data["channel"] == "volt")
        assert told["value"] == 1.5
        require_time(told["timestamp"])
        await read_values(http, path)
        note = {"timestamp": at(3), "content": "Valve opened"}
        written = read_row(await http.post(f"{path}/notes", json=note), 201)
        # The newest value of every channel at that time: one had none yet.
        assert written["telemetry_snapshot"].keys() == {"temp"}
        assert written["telemetry_snapshot"]["temp"]["value"] == 23
        note["timestamp"] = at(30)
        written = read_row(await http.post(f"{path}/notes", json=note), 201)
        assert written["telemetry_snapshot"].keys() == {"temp", "volt"}
        await make_uproar(http)
        moment = await socket.hear("moment.detected")
        assert moment["stream_id"] == BENCH
        assert moment["score"] > 1.0
        assert moment["reasons"]
    await require_minutes(http, one)


async def read_values(http: httpx.AsyncClient, path: str) -> None:
    """Ask for values in each way there is."""
    cases: tuple[tuple[dict[str, str], list[float]], ...] = (
        ({}, [1.5, 24, 23, 22, 21, 20]),
        ({"channel": "temp"}, [24, 23, 22, 21, 20]),
        ({"channel": "temp", "limit": "2"}, [24, 23]),
        ({"channel": "temp", "from": at(3)}, [24, 23]),
        ({"channel": "temp", "to": at(1).replace("Z", ".5Z")}, [21, 20]),
        ({"from": at(4), "to": at(10)}, [1.5, 24]),
        ({"channel": "none"}, []),
    )
    for asked, wanted in cases:
        rows = read_list(await http.get(f"{path}/telemetry", params=asked))
        assert [row["value"] for row in rows] == wanted, asked
        for row in rows:
            require_id(row["id"], "tel")
            require_time(row["timestamp"])
            assert row.keys() >= {"channel", "value", "unit"}
    latest = read_row(await http.get(f"{path}/telemetry/latest", params={"channel": "temp"}))
    assert (latest["value"], latest["unit"]) == (24, "°C")
    channels = read_row(await http.get(f"{path}/telemetry/channels"))
    assert set(channels["channels"]) == {"temp", "volt"}


async def require_minutes(http: httpx.AsyncClient, value: Row) -> None:
    """Hold that the values are aggregated as readings of a stream of the session's own."""
    streams = read_row(await http.get("/api/v1/streams"))["data"]
    (stream_id,) = {row["id"] for row in streams} - {"first", BENCH}
    where = f"/api/v1/streams/{stream_id}/channels/{value['channel']}/metrics"

    async def list_minutes() -> list[tuple[int, float, float]]:
        rows = read_row(await http.get(where))["data"]
        return [(row["count"], row["mean"], row["last"]) for row in rows]

    await eventually(list_minutes, holds=[(1, 1.5, 1.5)].__eq__, within_s=WAIT_S)
