"""Live: sockets on which what was committed arrives, on a real server with a real client."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import websockets
from redis.asyncio import Redis
from websockets.asyncio.client import connect

from api.app import build_app
from core.ids import shard_of
from core.live import channel_of_shard
from tests.fixtures.apis import serving
from tests.fixtures.clients import open_client
from tests.fixtures.events import STREAM, chat, reading
from tests.fixtures.settings import make_settings
from tests.fixtures.waiting import eventually
from tests.integration.api.sockets import Post, follow, receive, receive_kind, say, settle

GARBAGE = ["", "no", "[]", "5", "null", '{"streams":[]}', '{"type":"subscribe","streams":5}']


async def test_an_unknown_stream_closes_with_4004(served: str):
    async with connect(f"ws://{served}/ws/live/nobody") as socket:
        with pytest.raises(websockets.ConnectionClosed):
            await receive(socket)
        assert (socket.close_code, "nobody" in (socket.close_reason or "")) == (4004, True)


@pytest.mark.parametrize("name", ["%00", "a%20b", "%F0%9F%98%82"])
async def test_a_stream_that_cannot_exist_is_unknown_too(served: str, name: str):
    async with connect(f"ws://{served}/ws/live/{name}") as socket:
        with pytest.raises(websockets.ConnectionClosed):
            await receive(socket)
        assert socket.close_code == 4004


async def test_a_client_gets_the_newest_minute_at_once(served: str, post: Post, minute: datetime):
    await post(chat(minute - timedelta(minutes=1)))
    await post(chat(minute, user="a"), chat(minute, user="b"))
    await post(chat(minute - timedelta(minutes=1)))
    async with follow(served, f"/ws/live/{STREAM}") as socket:
        message = await receive(socket)
    assert (message["type"], message["seq"], message["stream_id"]) == ("metrics", 1, STREAM)
    assert message["data"]["chat_count"] == 2
    assert message["data"]["window_start"] == minute.strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_a_client_gets_the_open_moments_at_once_as_they_were_pushed(
    served: str, post: Post, minute: datetime
):
    past = [minute - timedelta(minutes=back) for back in range(20, 0, -1)]
    await post(*(chat(time) for time in past for _ in range(5)))
    async with follow(served, f"/ws/live/{STREAM}") as socket:
        await settle(socket)
        await post(*[chat(minute)] * 200)
        pushed = await receive_kind(socket, "moment")
    async with follow(served, f"/ws/live/{STREAM}") as socket:
        first = await receive_kind(socket, "moment")
    assert first["data"]["state"] == "open"
    assert first["data"] | {"timestamp": None} == pushed["data"] | {"timestamp": None}
    assert "position" in pushed
    assert "position" not in first


async def test_a_commit_arrives_at_those_who_follow_the_stream(
    served: str, post: Post, minute: datetime
):
    await post(chat(minute), chat(minute, stream_id="other"))
    async with (
        follow(served, f"/ws/live/{STREAM}") as mine,
        follow(served, "/ws/live/other") as other,
    ):
        await settle(mine)
        await settle(other)
        await post(chat(minute), reading(minute, 41.5, unit="°C"))
        metrics = await receive_kind(mine, "metrics")
        told = await receive_kind(mine, "reading")
        assert await settle(other) == []
    assert metrics["data"]["chat_count"] == 2
    assert told["data"]["value"] == 41.5
    assert told["stream_id"] == STREAM


async def test_messages_are_numbered_without_gaps(served: str, post: Post, minute: datetime):
    await post(chat(minute))
    numbers = []
    async with follow(served, f"/ws/live/{STREAM}") as socket:
        for _ in range(5):
            numbers += [message["seq"] for message in await settle(socket)]
            numbers.append(numbers[-1] + 1 if numbers else 1)
            await post(chat(minute))
            message = await receive_kind(socket, "metrics")
            numbers.append(message["seq"])
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == len(numbers)


async def test_one_socket_subscribes_to_many_streams_and_leaves_them(
    served: str, post: Post, minute: datetime
):
    await post(chat(minute, stream_id="a"), chat(minute, stream_id="b"))
    async with follow(served, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=["a", "b", "nobody"])
        snapshots = await settle(socket) + await settle(socket)
        assert {m["stream_id"] for m in snapshots} == {"a", "b"}
        await say(socket, type="unsubscribe", streams=["a", "unheard"])
        await settle(socket)
        await post(chat(minute, stream_id="a"))
        await post(chat(minute, stream_id="b"))
        assert (await receive_kind(socket, "metrics"))["stream_id"] == "b"


async def test_a_star_is_every_stream_and_each_message_comes_once(
    served: str, post: Post, minute: datetime
):
    async with follow(served, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=["*", "a"])
        await settle(socket)
        await post(chat(minute, stream_id="a"))
        await receive_kind(socket, "metrics")
        await post(chat(minute, stream_id="b"))
        assert (await receive_kind(socket, "metrics"))["stream_id"] == "b"
        assert await settle(socket) == []


async def test_garbage_is_answered_with_an_error_and_the_socket_lives(served: str):
    async with follow(served, "/ws/live") as socket:
        for garbage in GARBAGE:
            await socket.send(garbage)
            answer = await receive(socket)
            assert (answer["type"], "JSON" in answer["detail"]) == ("error", True), garbage
        assert await settle(socket) == []


async def test_an_unknown_request_is_answered_with_what_is_known(served: str):
    async with follow(served, "/ws/live") as socket:
        await say(socket, type="dance")
        assert "ping, subscribe, unsubscribe" in (await receive(socket))["detail"]
        await say(socket, type="subscribe", streams=[f"s{n}" for n in range(5001)])
        assert "At most 5000" in (await receive(socket))["detail"]


async def test_bytes_end_the_connection_and_hurt_nobody_else(served: str):
    async with follow(served, "/ws/live") as other:
        async with follow(served, "/ws/live") as socket:
            await socket.send(b"\x00\xff")
            async with asyncio.timeout(20):
                await socket.wait_closed()
        assert await settle(other) == []


async def test_connections_are_counted_and_forgotten(served: str):
    async def count() -> tuple[int, int]:
        async with open_client(f"http://{served}") as client:
            health = (await client.get("/ws/live/health")).json()
        return health["connections"], health["streams"]

    async with follow(served, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=["a", "b"])
        await settle(socket)
        assert await count() == (1, 2)
    await eventually(count, holds=lambda counted: counted == (0, 0))


async def test_a_socket_without_a_database_closes_as_away(redis_url: str, dead_database_url: str):
    settings = make_settings(database_url=dead_database_url, redis_url=redis_url)
    async with (
        serving(build_app(settings)) as address,
        connect(f"ws://{address}/ws/live/{STREAM}") as socket,
    ):
        with pytest.raises(websockets.ConnectionClosed):
            await receive(socket)
        assert socket.close_code == 1013


async def test_what_somebody_else_writes_to_the_channel_harms_nobody(
    served: str, redis_client: Redis, post: Post
):
    await post(chat(datetime.now(UTC)))  # noqa: TID251 (the server has the real clock)
    async with follow(served, f"/ws/live/{STREAM}") as socket:
        await receive_kind(socket, "metrics")
        channel = channel_of_shard(shard_of(STREAM, make_settings().bus_shards))
        for rubbish in (b"", b"no", b"\xff\x1f\x1f", b"1 0\na\x1fb\nc"):
            assert await redis_client.publish(channel, rubbish) == 1
        await post(chat(datetime.now(UTC), user="eve"))  # noqa: TID251 (as above)
        message = await receive_kind(socket, "metrics")
        assert message["data"]["unique_chatters"] == 2
