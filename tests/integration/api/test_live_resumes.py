"""Resuming: a client that was away gets what it missed, at whichever API process it comes back."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import connect

from api.app import build_app
from core.backlogs import CHUNK_BYTES_MAX, ENTRIES_MAX, GAP_KEY, MARK_GAP, POSITION_KEY
from core.settings import Settings
from tests.fixtures.apis import serving
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

STREAMS = ("a", "b", "c")


@pytest.fixture
async def other(settings: Settings) -> AsyncIterator[str]:
    """A second API process over the same services."""
    async with serving(build_app(settings)) as address:
        yield address


async def leave_with(address: str, redis_client: Redis) -> int:
    """Follow streams until a first message, and return its position."""
    async with follow(address, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=STREAMS)
        await settle(socket)
        await tell(redis_client, "a", make_message("a", "minute", 0))
        position: int = (await receive(socket))["position"]
    return position


async def come_back(address: str, since: int, streams: tuple[str, ...]) -> list[Message]:
    async with follow(address, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=streams, since=since)
        return await settle(socket) + await settle(socket)


def list_numbers(messages: list[Message]) -> list[tuple[str, int]]:
    return [(m["stream_id"], m["number"]) for m in messages if "number" in m]


async def test_what_was_missed_comes_at_another_process_in_its_order(
    served: str, other: str, redis_client: Redis
):
    since = await leave_with(served, redis_client)
    for number in range(1, 7):
        stream_id = STREAMS[number % 3]
        message = make_message(stream_id, "moment", number)
        await tell(redis_client, stream_id, message, make_message(stream_id, "metrics", -1))
    resumed, *missed = await come_back(other, since, ("a", "c"))
    assert (resumed["type"], resumed["complete"]) == ("resumed", True)
    assert list_numbers(missed) == [("c", 2), ("a", 3), ("c", 5), ("a", 6)]
    assert [m["seq"] for m in (resumed, *missed)] == [1, 2, 3, 4, 5]
    assert list_numbers(await come_back(other, missed[1]["position"], ("a", "c"))) == [
        ("c", 5),
        ("a", 6),
    ]


async def test_every_stream_can_be_resumed_at_once(served: str, redis_client: Redis):
    since = await leave_with(served, redis_client)
    for number, stream_id in enumerate(STREAMS):
        await tell(redis_client, stream_id, make_message(stream_id, "minute", number))
    assert list_numbers(await come_back(served, since, ("*",))) == [("a", 0), ("b", 1), ("c", 2)]


async def test_the_greeting_names_a_position_to_resume_from(served: str, redis_client: Redis):
    async with connect(f"ws://{served}/ws/live") as socket:
        before = (await receive(socket))["position"]
    await tell(redis_client, "a", make_message("a", "minute", 0))
    async with connect(f"ws://{served}/ws/live") as socket:
        since = (await receive(socket))["position"]
    assert 0 < before < since
    await tell(redis_client, "a", make_message("a", "minute", 1))
    assert list_numbers(await come_back(served, since, ("a",))) == [("a", 1)]


async def test_too_long_a_break_is_said(served: str, redis_client: Redis):
    since = await leave_with(served, redis_client)
    many = [make_message("a", "minute", n, size=CHUNK_BYTES_MAX) for n in range(ENTRIES_MAX + 1)]
    await tell(redis_client, "a", *many)
    resumed, *missed = await come_back(served, since, ("a",))
    assert (resumed["complete"], list_numbers(missed)) == (False, [])


async def test_more_than_may_wait_for_a_client_is_said_too(served: str, redis_client: Redis):
    since = await leave_with(served, redis_client)
    await tell(redis_client, "a", *(make_message("a", "minute", n) for n in range(1001)))
    resumed, *missed = await come_back(served, since, ("a",))
    assert (resumed["complete"], list_numbers(missed)) == (False, [])


@pytest.mark.parametrize("since", [0, 2**60])
async def test_a_position_that_is_not_known_is_not_resumed_from(
    served: str, redis_client: Redis, since: int
):
    await leave_with(served, redis_client)
    resumed, *_ = await come_back(served, since, ("a",))
    assert resumed["complete"] is False


@pytest.mark.parametrize("since", ["5", -1, 1.5, True, [1]])
async def test_a_position_that_is_none_is_refused(served: str, since: object):
    async with follow(served, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=["a"], since=since)
        answer = await receive(socket)
        assert (answer["type"], "since" in answer["detail"]) == ("error", True)


async def test_a_redis_that_forgot_everything_does_not_claim_that_nothing_was_missed(
    served: str, redis_client: Redis
):
    since = await leave_with(served, redis_client)
    await redis_client.flushall()
    assert (await come_back(served, since, ("a",)))[0]["complete"] is False


async def test_a_subscription_that_broke_is_made_up_for(served: str, redis_client: Redis):
    async with follow(served, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=STREAMS)
        await settle(socket)
        await tell(redis_client, "a", make_message("a", "minute", 1))
        assert (await receive(socket))["number"] == 1
        # One transaction: nobody can subscribe again between the two.
        async with redis_client.pipeline(transaction=True) as pipeline:
            pipeline.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            await tell(redis_client, "a", make_message("a", "minute", 2), through=pipeline)
            await tell(redis_client, "b", make_message("b", "moment", 3), through=pipeline)
            killed, *_ = await pipeline.execute()
            # That of the hub, that of the cache, and that of devices.
            assert killed == 3
        numbers = {(await receive(socket))["number"], (await receive(socket))["number"]}
        assert numbers == {2, 3}
        await tell(redis_client, "a", make_message("a", "minute", 4))
        assert (await receive(socket))["number"] == 4


async def test_redis_is_asked_only_for_shards_that_somebody_listens_to(
    served: str, redis_client: Redis
):
    async def list_channels() -> list[bytes | str]:
        return await redis_client.pubsub_channels("live:shard:*")

    async with follow(served, "/ws/live") as first, follow(served, "/ws/live") as second:
        for socket in (first, second):
            await say(socket, type="subscribe", streams=["a"])
            await settle(socket)
        assert len(await list_channels()) == (await read_health(served))["shards"] == 1
        await say(first, type="unsubscribe", streams=["a"])
        await settle(first)
        await tell(redis_client, "a", make_message("a", "minute", 1))
        assert (await receive(second))["number"] == 1
        await say(second, type="subscribe", streams=["*"])
        await settle(second)
        assert len(await list_channels()) == 16
    await eventually(list_channels, holds=lambda channels: channels == [])


async def test_unsubscribing_and_subscribing_again_at_once_loses_nothing(
    served: str, redis_client: Redis
):
    async with follow(served, "/ws/live") as socket:
        for number in range(30):
            await say(socket, type="subscribe", streams=["a"])
            await settle(socket)
            await tell(redis_client, "a", make_message("a", "minute", number))
            assert (await receive(socket))["number"] == number
            await say(socket, type="unsubscribe", streams=["a"])


async def test_positions_go_on_rising_when_redis_forgets_them(served: str, redis_client: Redis):
    before = await leave_with(served, redis_client)
    await redis_client.flushall()
    assert await leave_with(served, redis_client) > before


async def test_one_stream_is_resumed_by_its_address(served: str, filled: None, redis_client: Redis):
    del filled
    await tell(redis_client, "zz_other", make_message("zz_other", "minute", 1))
    async with connect(f"ws://{served}/ws/live/zz_other") as socket:
        since = (await receive(socket))["position"]
    await tell(redis_client, "zz_other", make_message("zz_other", "minute", 2))
    async with follow(served, f"/ws/live/zz_other?resume={since}") as socket:
        assert (await receive(socket))["complete"] is True
        assert (await receive(socket))["number"] == 2


async def test_what_the_flow_could_not_tell_is_said_to_those_who_stayed_and_those_who_left(
    served: str, redis_client: Redis
):
    since = await leave_with(served, redis_client)
    async with follow(served, "/ws/live") as socket:
        await say(socket, type="subscribe", streams=["*"])
        await settle(socket)
        await redis_client.register_script(MARK_GAP)(keys=[POSITION_KEY, GAP_KEY])
        for stream_id in STREAMS:
            await tell(redis_client, stream_id, make_message(stream_id, "minute", 1))
        told, *messages = [await receive(socket) for _ in range(4)]
    assert (told["type"], told["complete"], told["position"] > since) == ("resumed", False, True)
    assert len(list_numbers(messages)) == len(messages) == 3
    assert (await come_back(served, since, ("a",)))[0]["complete"] is False
    resumed, *missed = await come_back(served, told["position"], ("a",))
    assert (resumed["complete"], list_numbers(missed)) == (True, [("a", 1)])
