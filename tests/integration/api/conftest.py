"""A stream with minutes, channels and a moment, sent and committed the way events really are."""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import httpx
import pytest
from fastapi import FastAPI

from core.clock import SystemClock
from tests.fixtures.clients import open_client
from tests.fixtures.events import STREAM, Event, chat, reading, viewers, write_event
from tests.fixtures.flows import Flow
from tests.fixtures.waiting import eventually
from tests.integration.api.paths import INGEST
from tests.integration.api.sockets import Post

Send: TypeAlias = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def minute() -> datetime:
    """The start of the running minute."""
    return SystemClock().now().replace(second=0, microsecond=0)


async def wait_until_heard(app: FastAPI) -> None:
    """Wait until an application has heard all that was told until now."""
    told_at = time.monotonic()
    touches = app.state.resources.listener.touches
    await eventually(lambda: touches.heard_at, holds=told_at.__le__)


@pytest.fixture
def send(app: FastAPI, client: httpx.AsyncClient, flow: Flow) -> Send:
    """Send events through the door, commit what is on the bus, and let the application hear it."""

    async def send(*events: Event) -> dict[str, Any]:
        body = [write_event(event) for event in events]
        answer = await client.post("/api/v1/ingest", json=body)
        assert answer.status_code == 202, answer.text
        await flow.pump()
        await wait_until_heard(app)
        receipt: dict[str, Any] = answer.json()
        return receipt

    return send


@pytest.fixture
async def filled(send: Send, minute: datetime) -> None:
    """Twenty minutes of chat and a channel, with a spike in the third last, and another stream."""
    events: list[Event] = [chat(minute, stream_id="zz_other")]
    for back in range(20, -1, -1):
        time = minute - timedelta(minutes=back)
        messages = 200 if back == 3 else 5
        events += [chat(time, user=f"user{n}", text="great Kappa") for n in range(messages)]
        events.append(reading(time, 40.0 + back, unit="°C"))
    await send(*events)


@pytest.fixture
def midnight(minute: datetime) -> datetime:
    """The start of a day that is over."""
    return minute.replace(hour=0, minute=0) - timedelta(days=3)


@pytest.fixture
async def past(send: Send, midnight: datetime) -> None:
    """Minutes 0 to 130 of a day that is over, 20 to 59 left out; all complete."""
    events: list[Event] = []
    for number in [*range(20), *range(60, 131)]:
        time = midnight + timedelta(minutes=number)
        text = f"great {'Kappa' if number % 2 else 'LUL'} e{number % 7}"
        events += [chat(time, user=f"user{n}", text=text) for n in range(number % 5)]
        events.append(reading(time, 40.0 + number % 11, unit="°C"))
        events.append(reading(time + timedelta(seconds=9), 20.0 - number % 3))
        if number % 3 == 0 or number % 5 == 0:
            events.append(viewers(time, 100 + number))
    # It moves the stream's time past the last minute and opens none.
    raid = {"stream_id": STREAM, "type": "meta", "event": "raid", "viewers": 1}
    await send(*events, raid | {"timestamp": midnight + timedelta(minutes=132)})


@pytest.fixture
def post(served: str, flow: Flow) -> Post:
    """Send events through the real server and commit them."""

    async def post(*events: Event) -> None:
        async with open_client(f"http://{served}") as client:
            answer = await client.post(INGEST, json=[write_event(event) for event in events])
        assert answer.json()["accepted"] == len(events), answer.text
        assert await flow.pump() == len(events)

    return post
