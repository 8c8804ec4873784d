"""Types: a live client that wants only some kinds of messages, by message and by address."""

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
import websockets
from redis.asyncio import Redis
from websockets.asyncio.client import connect

from tests.fixtures.clients import open_client
from tests.integration.api.sockets import (
    follow,
    make_message,
    receive,
    receive_kind,
    say,
    settle,
    tell,
)

MIXED = ("metrics", "minute", "moment", "stream")
OTHER = "zz_other"


async def test_only_the_types_asked_for_come_until_others_are_named(
    served: str, redis_client: Redis
):
    async with follow(served, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=["a"], types=["moment", "minute"])
        await settle(socket)
        await tell(redis_client, "a", *(make_message("a", kind, 1) for kind in MIXED))
        assert [(await receive(socket))["type"] for _ in range(2)] == ["minute", "moment"]
        await say(socket, type="subscribe", streams=["b"])
        await settle(socket)
        await tell(redis_client, "b", *(make_message("b", kind, 2) for kind in MIXED))
        assert [(await receive(socket))["type"] for _ in range(2)] == ["minute", "moment"]
        await say(socket, type="subscribe", streams=["b"], types=["stream"])
        await settle(socket)
        await tell(redis_client, "a", *(make_message("a", kind, 3) for kind in MIXED))
        message = await receive(socket)
        assert (message["type"], message["number"]) == ("stream", 3)


async def test_of_streams_not_named_only_the_others_asked_for_come(
    served: str, redis_client: Redis
):
    async with follow(served, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=["*", "a"], others=["moment"])
        await settle(socket)
        await tell(redis_client, "b", *(make_message("b", kind, 1) for kind in MIXED))
        await tell(redis_client, "a", make_message("a", "metrics", 2))
        told = [await receive(socket) for _ in range(2)]
        assert [(one["type"], one["number"]) for one in told] == [("moment", 1), ("metrics", 2)]
        # Who leaves a stream still reaches it as one of the others.
        await say(socket, type="unsubscribe", streams=["a"])
        await settle(socket)
        await tell(redis_client, "a", *(make_message("a", kind, 3) for kind in MIXED))
        message = await receive(socket)
        assert (message["type"], message["number"]) == ("moment", 3)
        since = message["position"]
    await tell(redis_client, "a", *(make_message("a", kind, 4) for kind in MIXED))
    async with follow(served, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=["*"], others=["stream"], since=since)
        resumed, *missed = await settle(socket)
        assert resumed["complete"]
        assert [(one["type"], one["number"]) for one in missed] == [("stream", 3), ("stream", 4)]


async def test_who_comes_back_gets_only_its_types(served: str, redis_client: Redis):
    async with follow(served, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=["a"])
        await settle(socket)
        await tell(redis_client, "a", make_message("a", "minute", 0))
        since = (await receive(socket))["position"]
    await tell(redis_client, "a", *(make_message("a", kind, 1) for kind in MIXED))
    async with follow(served, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=["a"], types=["moment"], since=since)
        resumed, moment = await settle(socket)
        assert (resumed["complete"], moment["type"], moment["number"]) == (True, "moment", 1)


async def test_others_that_are_no_types_are_refused(served: str):
    async with follow(served, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=["*"], others=["news"])
        assert (await receive(socket))["type"] == "error"


@pytest.mark.parametrize("types", [["news"], "moment", [["moment"]], 7])
async def test_types_that_are_none_are_refused_and_change_nothing(
    served: str, redis_client: Redis, types: object
):
    async with follow(served, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=["a"], types=types)
        assert (await receive(socket))["type"] == "error"
        await say(socket, type="subscribe", streams=["a"])
        await settle(socket)
        await tell(redis_client, "a", make_message("a", "metrics", 1))
        assert (await receive(socket))["type"] == "metrics"


async def test_an_address_names_types_too(served: str, filled: None, redis_client: Redis):
    del filled
    async with (
        follow(served, f"/ws/live/{OTHER}?types=moment") as socket,
        open_client(f"http://{served}") as client,
        client.stream("GET", f"/sse/live/{OTHER}?types=moment") as answer,
        asyncio.timeout(20),
    ):
        assert await settle(socket) == []
        lines = answer.aiter_lines()
        assert await anext(lines) == "event: connected"
        for number in range(20):
            messages = [make_message(OTHER, kind, number) for kind in ("metrics", "moment")]
            await tell(redis_client, OTHER, *messages)
        for number in range(20):
            assert (await receive_kind(socket, "moment"))["number"] == number
        told = [orjson.loads(line[6:]) async for line in _until(lines, 19)]
        assert [one["number"] for one in told] == sorted({one["number"] for one in told})
        assert {one["type"] for one in told} == {"moment"}


async def _until(lines: AsyncIterator[str], number: int) -> AsyncIterator[str]:
    async for line in lines:
        if line.startswith("data: ") and '"number":' in line:
            yield line
            if orjson.loads(line[6:])["number"] == number:
                return


async def test_an_address_with_a_type_that_is_none_is_refused(served: str):
    async with connect(f"ws://{served}/ws/live/{OTHER}?types=news") as socket:
        with pytest.raises(websockets.ConnectionClosed):
            await receive(socket)
        assert (socket.close_code, "types are" in (socket.close_reason or "")) == (4004, True)
    async with open_client(f"http://{served}") as client:
        answer = await client.get("/sse/live?streams=a&types=news")
    assert (answer.status_code, "types are" in answer.json()["detail"]) == (422, True)
