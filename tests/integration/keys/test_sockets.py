"""Sockets: a key in the header or a ticket, and an end within a second of the key's own."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import orjson
import pytest
import websockets
from fastapi import FastAPI
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect

from api.app import build_app
from api.keys.tickets import GOOD_FOR
from core.keys import make_secret
from core.settings import Settings
from db.api_keys import KeyStore
from tests.fixtures.api_keys import ACTOR, make_key
from tests.fixtures.apis import calling, serving
from tests.fixtures.clients import open_client
from tests.fixtures.waiting import eventually
from tests.integration.api.problems import read_problem

LIVE = "/ws/live"
TICKETS = "/api/v1/tickets"


@pytest.fixture
async def reader(connection: asyncpg.Connection) -> tuple[str, dict[str, str]]:
    """The id of a key that reads, and the header that shows it."""
    return await make_key(connection, "read")


@pytest.fixture
async def guarded(reader: tuple[str, dict[str, str]], app: FastAPI) -> AsyncIterator[str]:
    """The address of a server that asks for keys."""
    del reader
    async with serving(app) as address:
        yield address


async def receive(socket: ClientConnection) -> dict[str, object]:
    async with asyncio.timeout(20):
        message: dict[str, object] = orjson.loads(await socket.recv())
    return message


async def read_close(socket: ClientConnection) -> int | None:
    """Read to the end of a socket and return its code."""
    async with asyncio.timeout(20):
        try:
            while True:
                await socket.recv()
        except websockets.ConnectionClosed:
            return socket.close_code


async def get_ticket(address: str, headers: dict[str, str]) -> str:
    async with open_client(f"http://{address}") as client:
        answer = await client.post(TICKETS, headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    ticket: str = answer.json()["ticket"]
    return ticket


async def test_a_ticket_says_what_its_owner_may_do(guarded: str, connection: asyncpg.Connection):
    _, headers = await make_key(connection, "read", "operate", streams=["hall*"])
    async with open_client(f"http://{guarded}") as client:
        answer = await eventually(
            lambda: client.post(TICKETS, headers=headers),
            holds=lambda answer: answer.status_code == 201,
        )
    told = answer.json()
    assert (told["scopes"], told["streams"]) == (["operate", "read"], ["hall*"])


@pytest.mark.parametrize("query", ["", "?ticket=", "?ticket=tt_no", f"?ticket={'x' * 5000}"])
async def test_a_socket_without_a_good_key_closes_with_4401(guarded: str, query: str):
    for headers in ({}, {"Authorization": f"Bearer {make_secret().text}"}):
        async with connect(f"ws://{guarded}{LIVE}{query}", additional_headers=headers) as socket:
            assert await read_close(socket) == 4401


async def test_a_socket_without_the_scope_closes_with_4403(
    app: FastAPI, connection: asyncpg.Connection
):
    _, headers = await make_key(connection, "ingest")
    async with (
        serving(app) as address,
        connect(f"ws://{address}{LIVE}", additional_headers=headers) as socket,
    ):
        assert await read_close(socket) == 4403


async def test_a_key_in_the_header_opens_a_socket(guarded: str, reader: tuple[str, dict[str, str]]):
    async with connect(f"ws://{guarded}{LIVE}", additional_headers=reader[1]) as socket:
        assert (await receive(socket))["type"] == "connected"
        await socket.send('{"type":"ping"}')
        assert (await receive(socket))["type"] == "pong"


async def test_a_revoked_key_ends_its_open_sockets_and_no_others(
    app: FastAPI, reader: tuple[str, dict[str, str]], connection: asyncpg.Connection
):
    key_id, headers = reader
    _, others = await make_key(connection, "read")
    async with (
        serving(app) as address,
        connect(f"ws://{address}{LIVE}", additional_headers=headers) as socket,
        connect(f"ws://{address}{LIVE}", additional_headers=others) as other,
        open_client(f"http://{address}", headers=others) as client,
    ):
        await receive(socket)
        await receive(other)
        await KeyStore(connection).revoke(key_id, actor=ACTOR)
        assert await read_close(socket) == 4401
        assert (await client.get("/api/v1/streams", headers=headers)).status_code == 401
        await other.send('{"type":"ping"}')
        assert (await receive(other))["type"] == "pong"

        async def count() -> int:
            told: int = (await client.get("/ws/live/health")).json()["connections"]
            return told

        await eventually(count, holds=lambda connections: connections == 1)


async def test_a_rotated_key_ends_the_sockets_of_the_secret_before(
    guarded: str, reader: tuple[str, dict[str, str]], connection: asyncpg.Connection
):
    key_id, headers = reader
    async with connect(f"ws://{guarded}{LIVE}", additional_headers=headers) as socket:
        await receive(socket)
        await KeyStore(connection).rotate(key_id, make_secret(), actor=ACTOR)
        assert await read_close(socket) == 4401


async def test_the_first_key_ends_sockets_that_came_without_one(
    served: str, connection: asyncpg.Connection
):
    async with connect(f"ws://{served}{LIVE}") as socket:
        await receive(socket)
        await make_key(connection, "read")
        assert await read_close(socket) == 4401


async def test_a_ticket_opens_one_socket_once(guarded: str, reader: tuple[str, dict[str, str]]):
    ticket = await get_ticket(guarded, reader[1])
    async with connect(f"ws://{guarded}{LIVE}?ticket={ticket}") as socket:
        assert (await receive(socket))["type"] == "connected"
    async with connect(f"ws://{guarded}{LIVE}?ticket={ticket}") as socket:
        assert await read_close(socket) == 4401


async def test_two_sockets_with_one_ticket_at_once_are_one(
    guarded: str, reader: tuple[str, dict[str, str]]
):
    ticket = await get_ticket(guarded, reader[1])

    async def open_socket() -> str:
        async with connect(f"ws://{guarded}{LIVE}?ticket={ticket}") as socket:
            try:
                return str((await receive(socket))["type"])
            except websockets.ConnectionClosed:
                return str(socket.close_code)

    results = await asyncio.gather(*(open_socket() for _ in range(5)))
    assert sorted(results) == ["4401"] * 4 + ["connected"]


async def test_a_ticket_that_comes_late_opens_nothing(
    guarded: str, reader: tuple[str, dict[str, str]], redis_client: Redis
):
    ticket = await get_ticket(guarded, reader[1])
    (name,) = [key async for key in redis_client.scan_iter("ticket:*")]
    assert ticket.encode() not in name
    assert 0 < await redis_client.pttl(name) <= GOOD_FOR.total_seconds() * 1000
    # Its time is Redis' own to keep; here it comes at once.
    await redis_client.pexpire(name, 0)
    async with connect(f"ws://{guarded}{LIVE}?ticket={ticket}") as socket:
        assert await read_close(socket) == 4401


async def test_a_ticket_ends_with_its_key(
    guarded: str, reader: tuple[str, dict[str, str]], connection: asyncpg.Connection
):
    key_id, headers = reader
    tickets = [await get_ticket(guarded, headers) for _ in range(2)]
    async with connect(f"ws://{guarded}{LIVE}?ticket={tickets[0]}") as socket:
        await receive(socket)
        await KeyStore(connection).revoke(key_id, actor=ACTOR)
        assert await read_close(socket) == 4401
    async with connect(f"ws://{guarded}{LIVE}?ticket={tickets[1]}") as socket:
        assert await read_close(socket) == 4401


async def test_a_ticket_opens_no_request(guarded: str, reader: tuple[str, dict[str, str]]):
    ticket = await get_ticket(guarded, reader[1])
    async with open_client(f"http://{guarded}") as client:
        assert (await client.get(f"/api/v1/streams?ticket={ticket}")).status_code == 401
        answer = await client.get("/api/v1/streams", headers={"X-API-Key": ticket})
        assert answer.status_code == 401


async def test_a_ticket_got_before_the_first_key_opens_nothing_after_it(
    served: str, connection: asyncpg.Connection
):
    ticket = await get_ticket(served, {})
    async with connect(f"ws://{served}{LIVE}") as socket:
        await receive(socket)
        await make_key(connection, "read")
        await read_close(socket)
    async with connect(f"ws://{served}{LIVE}?ticket={ticket}") as socket:
        assert await read_close(socket) == 4401


async def test_a_socket_of_some_streams_subscribes_to_no_other(
    app: FastAPI, connection: asyncpg.Connection
):
    _, headers = await make_key(connection, "read", streams=["north*"])
    async with serving(app) as address:
        async with connect(f"ws://{address}{LIVE}", additional_headers=headers) as socket:
            await receive(socket)
            for streams in (["south"], ["north", "south"], ["*"]):
                await socket.send(orjson.dumps({"type": "subscribe", "streams": streams}).decode())
                assert "does not reach" in str((await receive(socket))["detail"])
            await socket.send('{"type":"subscribe","streams":["north","northlight"]}')
            await socket.send('{"type":"ping"}')
            assert (await receive(socket))["type"] == "pong"
        async with connect(f"ws://{address}{LIVE}/south", additional_headers=headers) as socket:
            assert await read_close(socket) == 4403


async def test_without_redis_there_are_no_tickets_and_keys_go_on(
    settings: Settings,
    reader: tuple[str, dict[str, str]],
    dead_redis_url: str,
):
    app = build_app(settings.model_copy(update={"redis_url": dead_redis_url}))
    async with calling(app) as client:
        answer = await client.post(TICKETS, headers=reader[1])
        read_problem(answer, 503, "service_missing")
        assert (await client.get("/api/v1/streams", headers=reader[1])).status_code == 200
    async with serving(build_app(settings.model_copy(update={"redis_url": dead_redis_url}))) as at:
        async with connect(f"ws://{at}{LIVE}?ticket=tt_x") as socket:
            assert await read_close(socket) == 1013
        async with connect(f"ws://{at}{LIVE}", additional_headers=reader[1]) as socket:
            assert (await receive(socket))["type"] == "connected"


async def test_one_key_gets_only_its_share_of_connections(
    settings: Settings, connection: asyncpg.Connection
):
    _, one = await make_key(connection, "read")
    _, other = await make_key(connection, "read")
    app = build_app(settings.model_copy(update={"live_connections_per_key_max": 1}))
    async with serving(app) as address:
        async with connect(f"ws://{address}{LIVE}", additional_headers=one) as first:
            assert (await receive(first))["type"] == "connected"
            async with connect(f"ws://{address}{LIVE}", additional_headers=one) as second:
                assert await read_close(second) == 1013
                assert "The key read has 1 live" in (second.close_reason or "")
            async with connect(f"ws://{address}{LIVE}", additional_headers=other) as third:
                assert (await receive(third))["type"] == "connected"

        async def is_let_in() -> bool:
            async with connect(f"ws://{address}{LIVE}", additional_headers=one) as again:
                try:
                    return (await receive(again))["type"] == "connected"
                except websockets.ConnectionClosed:
                    return False

        await eventually(is_let_in)
