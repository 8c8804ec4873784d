"""Server-sent events: the same messages for clients that speak only HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeAlias

import httpx
import orjson
import pytest
from redis.asyncio import Redis

from core.settings import Settings
from tests.fixtures.apis import serving
from tests.fixtures.clients import open_client
from tests.fixtures.events import STREAM, chat
from tests.fixtures.waiting import eventually
from tests.integration.api.sockets import Post, make_message, read_health, tell
from tests.integration.api.test_live_clients import choose

Event: TypeAlias = dict[str, Any]


@asynccontextmanager
async def listen(
    address: str, path: str, last_event_id: str | None = None
) -> AsyncIterator[AsyncIterator[Event]]:
    """Ask for events as a browser does, and read them one by one."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    async with (
        open_client(timeout=30) as client,
        client.stream("GET", f"http://{address}{path}", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["Cache-Control"] == "no-store"
        yield read_events(answer)


async def read_events(answer: httpx.Response) -> AsyncIterator[Event]:
    event: Event = {}
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if line:
            event[name] = orjson.loads(value) if name == "data" else value
        elif event:
            yield event
            event = {}


async def receive_event(events: AsyncIterator[Event]) -> Event:
    async with asyncio.timeout(20):
        return await anext(events)


async def test_a_stream_is_followed_with_the_messages_of_the_socket(
    served: str, post: Post, minute: datetime
):
    await post(chat(minute))
    async with listen(served, f"/sse/live/{STREAM}") as events:
        connected, first = await receive_event(events), await receive_event(events)
        assert (connected["event"], connected["data"]["streams"]) == ("connected", [STREAM])
        assert (first["event"], first["data"]["type"], "id" in first) == (
            "metrics",
            "metrics",
            False,
        )
        await post(chat(minute, user="eve"))
        second = await receive_event(events)
        assert second["data"]["data"]["unique_chatters"] == 2
        assert [event["data"]["seq"] for event in (connected, first, second)] == [0, 1, 2]
    await eventually(lambda: read_health(served), holds=lambda counts: counts["connections"] == 0)


async def test_the_last_event_id_resumes_several_streams(served: str, redis_client: Redis):
    async with listen(served, "/sse/live?streams=a,b") as events:
        assert int((await receive_event(events))["id"]) > 0
        await eventually(lambda: read_health(served), holds=lambda c: c["streams"] == 2)
        await tell(redis_client, "a", make_message("a", "minute", 0))
        last = (await receive_event(events))["id"]
    for number, stream_id in enumerate(["a", "b", "c", "b"], start=1):
        await tell(redis_client, stream_id, make_message(stream_id, "moment", number))
    async with listen(served, "/sse/live?streams=a,b", last) as events:
        kinds = [(await receive_event(events)) for _ in range(5)]
    assert [event["event"] for event in kinds] == ["connected", "resumed"] + ["moment"] * 3
    assert kinds[1]["data"]["complete"] is True
    assert [event["data"]["number"] for event in kinds[2:]] == [1, 2, 4]
    assert [int(event["id"]) for event in kinds[2:]] == [e["data"]["position"] for e in kinds[2:]]


async def test_a_last_event_id_of_somebody_else_is_said_to_be_unknown(served: str):
    async with listen(served, "/sse/live?streams=*", "abc") as events:
        await receive_event(events)
        assert (await receive_event(events))["data"]["complete"] is False


async def test_a_quiet_stream_sends_pings_with_their_number(settings: Settings):
    async with (
        serving(choose(settings, live_ping_seconds=1)) as address,
        listen(address, "/sse/live?streams=a") as events,
    ):
        await receive_event(events)
        ping = await receive_event(events)
        assert (ping["event"], ping["data"]["seq"]) == ("ping", 1)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/sse/live/nobody", 404),
        ("/sse/live", 422),
        ("/sse/live?streams=", 422),
        ("/sse/live?streams=a&resume=-1", 422),
        ("/sse/live?streams=" + ",".join(f"s{n}" for n in range(5001)), 422),
    ],
)
async def test_what_cannot_be_followed_is_refused(
    client: httpx.AsyncClient, path: str, status: int
):
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (
        status,
        "application/problem+json",
    )
