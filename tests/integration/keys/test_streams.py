"""Streams: a key of some streams hears and reads of no other, now, from before, or from a cache."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import httpx
import orjson
import pytest
from fastapi import FastAPI
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect

from db.api_keys import KeyStore
from tests.fixtures.api_keys import ACTOR, make_key
from tests.fixtures.apis import calling, serving
from tests.fixtures.clients import open_client
from tests.fixtures.events import chat, write_event
from tests.fixtures.flows import Flow
from tests.fixtures.waiting import eventually
from tests.integration.api.paths import COMPARE, INGEST
from tests.integration.api.problems import read_problem
from tests.integration.api.sockets import make_message, receive, say, settle, tell
from tests.integration.api.test_live_events import Event, read_events, receive_event

TICKETS = "/api/v1/tickets"
READINGS = "/api/v1/streams/{}/readings"
MINUTES = "/api/v1/streams/{}/metrics"


@pytest.fixture
async def limited(connection: asyncpg.Connection) -> tuple[str, dict[str, str]]:
    """A key that reads the streams whose names begin with north, and the header that shows it."""
    return await make_key(connection, "read", streams=["north*"])


@pytest.fixture
async def guest(
    limited: tuple[str, dict[str, str]], app: FastAPI
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a real server with that key."""
    async with (
        serving(app) as address,
        open_client(f"http://{address}", headers=limited[1], timeout=20) as client,
    ):
        yield client


async def listen(
    stack: AsyncExitStack, client: httpx.AsyncClient, path: str, **headers: str
) -> AsyncIterator[Event]:
    """Ask for events until the end of the test."""
    answer = await stack.enter_async_context(client.stream("GET", path, headers=headers))
    assert answer.status_code == 200
    return read_events(answer)


def open_socket(client: httpx.AsyncClient) -> connect:
    shown = {"Authorization": client.headers["Authorization"]}
    return connect(f"ws://{client.base_url.netloc.decode()}/ws/live", additional_headers=shown)


async def tell_both(redis_client: Redis, number: int) -> None:
    for name in ("south", "north"):
        await tell(redis_client, name, make_message(name, "moment", number))


async def list_heard(socket: ClientConnection) -> list[tuple[str, int]]:
    return [(m["stream_id"], m["number"]) for m in await settle(socket) if "number" in m]


@pytest.mark.parametrize(
    "path",
    [
        "/sse/live/south",
        "/sse/live?streams=south",
        "/sse/live?streams=north,south",
        "/sse/live?streams=*",
        "/sse/live?streams=north,*",
        "/sse/live?streams=north&streams=south",
        "/sse/live?streams=south&resume=0",
        f"{COMPARE}?series=south",
        f"{COMPARE}?series=north&series=south",
        f"{COMPARE}?series=north&series=south/channel:temp/max",
        READINGS.format("south"),
        MINUTES.format("south") + "?format=csv",
        "/api/v1/streams/south/transactions",
        "/api/v1/streams/south/transactions/minutes",
    ],
)
async def test_what_names_a_stream_out_of_reach_is_refused(guest: httpx.AsyncClient, path: str):
    # An answer that goes on, where none should begin, is told by its status.
    async with guest.stream("GET", path) as answer:
        assert answer.status_code == 403
        await answer.aread()
    read_problem(answer, 403, "forbidden")


async def test_event_streams_have_what_is_within_reach_also_from_before(
    guest: httpx.AsyncClient, redis_client: Redis
):
    path = "/sse/live?streams=north,northlight"
    async with AsyncExitStack() as stack:
        events = await listen(stack, guest, path)
        last = (await receive_event(events))["id"]
        assert int(last) > 0
    await tell_both(redis_client, 1)
    async with AsyncExitStack() as stack:
        events = await listen(stack, guest, path, **{"Last-Event-ID": last})
        assert (await receive_event(events))["event"] == "connected"
        assert (await receive_event(events))["data"]["complete"] is True
        await tell_both(redis_client, 2)
        heard = [(await receive_event(events))["data"] for _ in range(2)]
    assert [(m["stream_id"], m["number"]) for m in heard] == [("north", 1), ("north", 2)]


async def test_a_socket_resumes_only_what_is_within_reach(
    guest: httpx.AsyncClient, redis_client: Redis
):
    async with open_socket(guest) as socket:
        since = (await receive(socket))["position"]
        await tell_both(redis_client, 1)
        for streams in (["south"], ["north", "south"], ["*"]):
            await say(socket, type="subscribe", streams=streams, since=since)
            (refusal,) = await settle(socket)
            assert refusal["type"] == "error"
        await say(socket, type="subscribe", streams=["north"], since=since)
        assert await list_heard(socket) + await list_heard(socket) == [("north", 1)]
        await tell_both(redis_client, 2)
        assert (await receive(socket))["number"] == 2
        assert await list_heard(socket) == []


@pytest.mark.parametrize("path", ["/sse/live/north?resume=0", "/sse/live?streams=north"])
@pytest.mark.parametrize("is_by_ticket", [True, False])
async def test_an_event_stream_ends_with_its_key(
    guest: httpx.AsyncClient,
    limited: tuple[str, dict[str, str]],
    connection: asyncpg.Connection,
    flow: Flow,
    path: str,
    is_by_ticket: bool,
):
    _, others = await make_key(connection, "read", "ingest")
    event = write_event(chat(await connection.fetchval("SELECT now()"), stream_id="north"))
    await eventually(
        lambda: guest.post(INGEST, json=[event], headers=others),
        holds=lambda answer: answer.status_code == 202,
    )
    await flow.pump()
    if is_by_ticket:
        path += "&ticket=" + (await guest.post(TICKETS)).json()["ticket"]
        del guest.headers["Authorization"]
    async with AsyncExitStack() as stack:
        events = await listen(stack, guest, path)
        await receive_event(events)
        await KeyStore(connection).revoke(limited[0], actor=ACTOR)
        async with asyncio.timeout(20):
            assert {event["event"] async for event in events} <= {"resumed", "metrics"}
    assert (await guest.get(path)).status_code == 401

    async def count() -> int:
        told: int = (await guest.get("/ws/live/health", headers=others)).json()["connections"]
        return told

    await eventually(count, holds=lambda connections: connections == 0)


async def test_an_answer_at_hand_is_only_for_who_may_have_it(
    app: FastAPI, connection: asyncpg.Connection, flow: Flow
):
    _, admin = await make_key(connection, "admin")
    _, limited = await make_key(connection, "read", streams=["north*"])
    now = await connection.fetchval("SELECT now()")
    paths = [
        f"{COMPARE}?series=south",
        f"{COMPARE}?series=north&series=south",
        MINUTES.format("south"),
        READINGS.format("south"),
        "/api/v1/streams",
        "/api/v1/moments",
    ]
    async with calling(app) as client:
        events = [write_event(chat(now, stream_id=name)) for name in ("north", "south")]
        await client.post(INGEST, json=events, headers=admin)
        await flow.pump()
        for path in paths:
            first = await client.get(path, headers=admin)
            assert first.status_code == 200, path
            # Neither the answer nor, by its tag, that it is the same.
            tag = {"If-None-Match": first.headers["ETag"]}
            for headers in (limited, limited | tag):
                read_problem(await client.get(path, headers=headers), 403, "forbidden")
            for headers in ({}, tag):
                read_problem(await client.get(path, headers=headers), 401, "unauthorized")
        ours = await client.get(f"{COMPARE}?series=north", headers=limited)
        assert [curve["stream_id"] for curve in orjson.loads(ours.content)["data"]] == ["north"]
