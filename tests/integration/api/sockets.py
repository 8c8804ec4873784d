"""Sockets: a live client of the tests, and what it hears."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import orjson
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from websockets.asyncio.client import ClientConnection, connect

from core.backlogs import GAP_KEY, POSITION_KEY, PUBLISH, backlog_of_shard, list_publication
from core.ids import shard_of
from core.live import LiveMessage, channel_of_shard
from tests.fixtures.clients import open_client
from tests.fixtures.settings import make_settings

Message: TypeAlias = dict[str, Any]
Post: TypeAlias = Callable[..., Awaitable[None]]


@asynccontextmanager
async def follow(address: str, path: str) -> AsyncIterator[ClientConnection]:
    """Connect, and pass over the greeting."""
    async with connect(f"ws://{address}{path}") as socket:
        greeting = await receive(socket)
        assert (greeting["type"], greeting["seq"]) == ("connected", 0)
        yield socket


async def receive(socket: ClientConnection) -> Message:
    async with asyncio.timeout(20):
        message: Message = orjson.loads(await socket.recv())
    return message


async def receive_kind(socket: ClientConnection, kind: str) -> Message:
    """Return the next message of a kind, passing over others."""
    while (message := await receive(socket))["type"] != kind:
        pass
    return message


async def say(socket: ClientConnection, **message: object) -> None:
    await socket.send(orjson.dumps(message).decode())


async def settle(socket: ClientConnection) -> list[Message]:
    """Return all that came before the answer to a ping."""
    await say(socket, type="ping")
    before = []
    while (message := await receive(socket))["type"] != "pong":
        before.append(message)
    return before


async def tell(
    client: Redis, stream_id: str, *messages: LiveMessage, through: Pipeline | None = None
) -> None:
    """Publish messages as the flow does, at once or with the rest of a pipeline."""
    shard = shard_of(stream_id, make_settings().bus_shards)
    publish = client.register_script(PUBLISH)
    await publish(
        keys=[POSITION_KEY, backlog_of_shard(shard), GAP_KEY],
        args=list_publication(channel_of_shard(shard), messages),
        client=through,
    )


def make_message(stream_id: str, kind: str, number: int, *, size: int = 0) -> LiveMessage:
    """Return a message with a number and some ballast in it."""
    facts = {"type": kind, "stream_id": stream_id, "number": number, "ballast": "x" * size}
    return LiveMessage(stream_id, kind, stream_id, orjson.dumps(facts))


async def read_health(address: str) -> dict[str, int]:
    """Return the counts of live connections."""
    async with open_client(f"http://{address}") as client:
        counts: dict[str, int] = (await client.get("/ws/live/health")).json()
    return counts
