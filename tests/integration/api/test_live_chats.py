"""Chats on live sockets: what is said reaches who looks, by name and by type, and nobody else."""

import asyncio
from collections.abc import AsyncIterator

import orjson
from redis.asyncio import Redis

from core.audiences import AUDIENCES, SURE_FOR_MS
from core.clock import SystemClock
from tests.fixtures.clients import open_client
from tests.fixtures.events import STREAM, chat
from tests.fixtures.flows import Flow
from tests.fixtures.waiting import eventually
from tests.integration.api.sockets import (
    Post,
    follow,
    make_message,
    receive,
    receive_kind,
    say,
    settle,
    tell,
)


async def look(flow: Flow) -> frozenset[str]:
    """Let the flow hear who is looked at, as its heartbeat does."""
    await asyncio.to_thread(flow.news.audiences.look, SystemClock().now_ms())
    return flow.news.audiences.streams


async def test_what_is_said_arrives_at_those_who_look(served: str, post: Post, flow: Flow):
    now = SystemClock().now()
    await post(chat(now, text="nobody looks"))
    async with follow(served, f"/ws/live/{STREAM}?types=chat,metrics") as socket:
        await eventually(lambda: look(flow), holds={STREAM}.__eq__)
        await post(
            *(chat(now, f"user{number}", f"text {number}") for number in range(7)),
            chat(now, stream_id="other"),
        )
        told = await receive_kind(socket, "chat")
    messages = told["data"]["messages"]
    assert [one["text"] for one in messages] == [f"text {number}" for number in range(2, 7)]
    assert messages[-1]["user"] == "user6"
    assert messages[-1]["at"] == now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert "position" not in told


async def test_who_names_no_types_gets_no_chat(served: str, flow: Flow, redis_client: Redis):
    async with follow(served, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=["a"])
        await settle(socket)
        messages = [make_message("a", kind, 1) for kind in ("chat", "metrics")]
        await tell(redis_client, "a", *messages)
        assert (await receive(socket))["type"] == "metrics"
        assert await look(flow) == frozenset()
        await say(socket, type="subscribe", streams=["a"], types=["chat"])
        await settle(socket)
        await tell(redis_client, "a", *messages)
        assert (await receive(socket))["type"] == "chat"
        await eventually(lambda: look(flow), holds={"a"}.__eq__)


async def test_all_streams_together_have_no_chat(served: str, flow: Flow, redis_client: Redis):
    async with follow(served, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=["*", "b"], types=["chat", "metrics"])
        await settle(socket)
        for name in "ab":
            messages = [make_message(name, kind, 1) for kind in ("chat", "metrics")]
            await tell(redis_client, name, *messages)
        told = [await receive(socket) for _ in range(3)]
        heard = [(one["type"], one["stream_id"]) for one in told]
        assert heard == [("metrics", "a"), ("chat", "b"), ("metrics", "b")]
        await eventually(lambda: look(flow), holds={"b"}.__eq__)


async def test_an_event_stream_has_them_too(served: str, filled: None, redis_client: Redis):
    del filled
    async with (
        open_client(f"http://{served}") as client,
        client.stream("GET", f"/sse/live/{STREAM}?types=chat") as answer,
        asyncio.timeout(20),
    ):
        lines = answer.aiter_lines()
        assert await anext(lines) == "event: connected"
        await eventually(lambda: redis_client.zscore(AUDIENCES, STREAM))
        await tell(redis_client, STREAM, make_message(STREAM, "chat", 7))
        told = [line async for line in _until_chat(lines)]
    assert orjson.loads(told[-1].removeprefix("data: "))["number"] == 7
    assert not any(line.startswith("id:") for line in told)


async def _until_chat(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    is_chat = False
    async for line in lines:
        is_chat = is_chat or line == "event: chat"
        if is_chat:
            yield line
        if is_chat and line.startswith("data: "):
            return


async def test_an_audience_is_forgotten_when_nobody_says_that_it_is_there(
    served: str, flow: Flow, redis_client: Redis
):
    now_ms = SystemClock().now_ms()
    await redis_client.zadd(AUDIENCES, {"gone": now_ms - 1, "here": now_ms + SURE_FOR_MS})
    assert await look(flow) == {"here"}
    async with follow(served, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=["new"], types=["chat"])
        await eventually(lambda: look(flow), holds={"here", "new"}.__eq__)
    assert await redis_client.zscore(AUDIENCES, "gone") is None
