"""Many bodies at once: a process holds no more than it may, however slowly they come."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

import orjson
import pytest
from fastapi import FastAPI

from api.app import build_app
from core.settings import Settings
from tests.fixtures.apis import serving
from tests.fixtures.clients import open_client
from tests.fixtures.flows import Flow
from tests.fixtures.waiting import eventually

NDJSON = {"Content-Type": "application/x-ndjson"}
LINE = orjson.dumps({"stream_id": "a", "type": "chat", "user": "u", "text": "x" * 900}) + b"\n"
LARGE = LINE * 700
"""More than half of what may be held."""

DOORS = {
    "/api/v1/ingest": NDJSON,
    "/api/v2/write?bucket=b": {},
    "/v1/metrics": {"Content-Type": "application/json"},
    "/api/v1/prom/write": {
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
    },
}


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """An API that holds one megabyte."""
    return build_app(settings.model_copy(update={"ingest_held_max_mb": 1}))


class SlowBody:
    """A body whose end comes when it is told to."""

    def __init__(self) -> None:
        self.end = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield LARGE
        await self.end.wait()
        yield LINE


def held(app: FastAPI) -> int:
    room: int = app.state.resources.room.held
    return room


async def test_a_body_beside_others_is_refused_at_every_door_and_taken_afterwards(
    app: FastAPI, flow: Flow
):
    async with serving(app) as address, open_client(f"http://{address}") as client:
        slow = SlowBody()
        sending = asyncio.create_task(client.post("/api/v1/ingest", content=slow, headers=NDJSON))
        await eventually(lambda: held(app) >= len(LARGE))
        for path, headers in DOORS.items():
            refused = await client.post(path, content=LARGE, headers=headers)
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1"), path
        # Small ones have room.
        small = await client.post("/api/v1/ingest", content=LINE, headers=NDJSON)
        assert small.status_code == HTTPStatus.ACCEPTED
        slow.end.set()
        assert (await sending).json()["accepted"] == 701
        assert held(app) == 0
        after = await client.post("/api/v1/ingest", content=LARGE, headers=NDJSON)
        assert after.json()["accepted"] == 700
    assert await flow.pump() == 701 + 1 + 700


async def test_a_sender_that_goes_away_leaves_its_room(app: FastAPI):
    async with serving(app) as address:
        host, _, port = address.partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        head = "POST /api/v1/ingest HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n"
        writer.write(head.encode() + LARGE)
        await writer.drain()
        await eventually(lambda: held(app) >= len(LARGE))
        writer.close()
        await writer.wait_closed()
        await eventually(lambda: held(app) == 0)
