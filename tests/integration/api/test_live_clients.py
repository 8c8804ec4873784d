"""Live clients that are slow, dead, too many, or asked to leave: over real sockets."""

import asyncio
import contextlib
import os
import signal
import socket as sockets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
import pytest
import websockets
from fastapi import FastAPI
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect

from api.app import build_app
from core.settings import Settings
from tests.fixtures.apis import serving
from tests.fixtures.clients import open_client
from tests.fixtures.waiting import eventually
from tests.integration.api.sockets import (
    Message,
    follow,
    make_message,
    read_health,
    receive,
    say,
    settle,
    tell,
)

BALLAST = 200_000
"""Bytes of a message, so that the buffers of the system are soon full."""

STUCK = """
import os, signal, socket, sys
client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
client.sendall(sys.argv[2].encode().decode("unicode_escape").encode())
client.recv(10)
os.kill(os.getpid(), signal.SIGSTOP)
"""
"""A client that asks, gets a first answer, and then stops like a laptop that is closed."""

HANDSHAKE = (
    "GET /ws/live/{stream} HTTP/1.1\\r\\nHost: a\\r\\n"
    "Connection: Upgrade\\r\\nUpgrade: websocket\\r\\n"
    "Sec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n"
)
EVENTS = "GET /sse/live/{stream} HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"


def choose(settings: Settings, **chosen: int) -> FastAPI:
    return build_app(settings.model_copy(update=chosen))


@asynccontextmanager
async def follow_slowly(address: str) -> AsyncIterator[ClientConnection]:
    """Connect a client that takes almost nothing until it is asked to."""
    host, port = address.split(":")
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    await asyncio.to_thread(raw.connect, (host, int(port)))
    async with connect(
        f"ws://{address}/ws/live",
        sock=raw,
        max_queue=1,
        max_size=None,
        compression=None,
        ping_interval=None,
        close_timeout=1,
    ) as socket:
        await say(socket, type="subscribe", streams=["a"])
        await settle(socket)
        yield socket


async def drain(socket: ClientConnection) -> list[Message]:
    """Return all that comes until the server closes."""
    got = []
    with contextlib.suppress(websockets.ConnectionClosed):
        while True:
            got.append(await receive(socket))
    return got


async def test_a_slow_client_is_closed_with_4408_and_others_miss_nothing(
    settings: Settings, redis_client: Redis
):
    async with (
        serving(choose(settings, live_queue_messages=20, live_send_seconds=60)) as address,
        follow_slowly(address) as slow,
        follow(address, "/ws/live") as quick,
    ):
        await say(quick, type="subscribe", streams=["a"])
        await settle(quick)
        number = 0
        # It is let go of at once, long before what it is sent counts as stuck.
        while (await read_health(address))["connections"] == 2:
            await tell(redis_client, "a", make_message("a", "moment", number, size=BALLAST))
            assert (await receive(quick))["number"] == number
            number += 1
            assert number < 500
        got = await drain(slow)
        assert slow.close_code == 4408
        assert [m["number"] for m in got] == list(range(len(got)))
        assert len(got) < number
        assert (await read_health(address))["too_slow"] > 0


async def test_a_slow_client_gets_the_newest_numbers_and_how_many_it_did_not_get(
    settings: Settings, redis_client: Redis
):
    async with (
        serving(choose(settings, live_queue_messages=20)) as address,
        follow_slowly(address) as slow,
        follow(address, "/ws/live") as quick,
    ):
        await say(quick, type="subscribe", streams=["a"])
        await settle(quick)
        for number in range(200):
            await tell(redis_client, "a", make_message("a", "metrics", number, size=BALLAST))
            assert (await receive(quick))["number"] == number
        await say(slow, type="ping")
        got, dropped = [], 0
        while (message := await receive(slow))["type"] != "pong":
            if message["type"] == "dropped":
                assert message["count"] == message["replaced"]
                dropped += message["count"]
            else:
                got.append(message["number"])
        while got[-1] != 199 or dropped + len(got) < 200:
            message = await receive(slow)
            if message["type"] == "dropped":
                dropped += message["count"]
            else:
                got.append(message["number"])
        assert got == sorted(got)
        assert dropped + len(got) == 200
        assert len(got) < 150


@pytest.mark.parametrize("request_text", [HANDSHAKE, EVENTS])
async def test_a_client_that_stopped_is_gone_soon_and_leaves_nothing(
    settings: Settings, filled: None, redis_client: Redis, request_text: str
):
    del filled
    stream_id = "zz_other"
    async with serving(choose(settings, live_send_seconds=1)) as address:
        port = int(address.split(":")[1])
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", STUCK, str(port), request_text.format(stream=stream_id)
        )
        try:
            await eventually(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
            await eventually(lambda: read_health(address), holds=lambda c: c["connections"] == 1)
            await eventually(lambda: read_health(address), holds=lambda c: c["streams"] == 1)
            for number in range(100):
                message = make_message(stream_id, "minute", number, size=BALLAST)
                await tell(redis_client, stream_id, message)
            await eventually(lambda: read_health(address), holds=lambda c: c["connections"] == 0)
            await eventually(lambda: count_sockets(port), holds=lambda count: count == 0)
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
            await process.wait()


def count_sockets(port: int) -> int:
    """Return how many connections this process serves on a port."""
    mine = psutil.Process(os.getpid()).net_connections("tcp")
    established = [one for one in mine if one.status != psutil.CONN_LISTEN]
    return sum(one.laddr.port == port for one in established)


async def test_too_many_connections_are_refused_with_the_reason(settings: Settings):
    app = choose(settings, live_connections_max=2, live_connections_per_address_max=9)
    async with (
        serving(app) as address,
        follow(address, "/ws/live"),
        open_client(f"http://{address}") as client,
    ):
        async with follow(address, "/ws/live"):
            async with connect(f"ws://{address}/ws/live") as third:
                with pytest.raises(websockets.ConnectionClosed):
                    await receive(third)
                assert (third.close_code, "2 live" in (third.close_reason or "")) == (1013, True)
            answer = await client.get("/sse/live", params={"streams": "a"})
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
            assert answer.json()["type"] == "urn:telemetra:problem:live_full"
        await eventually(lambda: read_health(address), holds=lambda c: c["connections"] == 1)
        async with follow(address, "/ws/live"):
            pass


async def test_one_address_gets_only_its_share(settings: Settings):
    app = choose(settings, live_connections_per_address_max=1)
    async with (
        serving(app) as address,
        follow(address, "/ws/live"),
        connect(f"ws://{address}/ws/live") as second,
    ):
        with pytest.raises(websockets.ConnectionClosed):
            await receive(second)
        assert (second.close_code, "127.0.0.1" in (second.close_reason or "")) == (1013, True)


async def test_a_server_that_stops_asks_its_clients_to_come_back(settings: Settings):
    events: list[bytes] = []
    async with open_client() as client:
        async with serving(build_app(settings)) as address:
            socket = await connect(f"ws://{address}/ws/live")
            await receive(socket)
            request = client.build_request("GET", f"http://{address}/sse/live?streams=a")
            stream = await client.send(request, stream=True)
            chunks = stream.aiter_bytes()
            events.append(await anext(chunks))
        events += [chunk async for chunk in chunks]
        await stream.aclose()
    message = await receive(socket)
    assert (message["type"], 0 <= message["delay_ms"] < 2000) == ("reconnect", True)
    with pytest.raises(websockets.ConnectionClosed):
        await receive(socket)
    assert socket.close_code == 1012
    assert b"event: reconnect\nretry: " in events[-1]


async def test_a_quiet_connection_is_told_that_all_is_well(settings: Settings):
    async with (
        serving(choose(settings, live_ping_seconds=1)) as address,
        follow(address, "/ws/live") as socket,
    ):
        assert (await receive(socket))["type"] == "ping"
