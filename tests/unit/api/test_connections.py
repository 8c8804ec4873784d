"""Live connections: what a slow client gets, and what it is told it did not get."""

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest

from api.live.connections import Connection
from core.clock import ManualClock
from core.live import LiveMessage

LIMIT = 5


@pytest.fixture
def connection(clock: ManualClock) -> Connection:
    return Connection(clock, limit=LIMIT)


def message(kind: str, key: str = "a", stream_id: str = "a", **data: Any) -> LiveMessage:
    return LiveMessage(stream_id, kind, key, orjson.dumps({"type": kind, "data": data}))


async def take(connection: Connection) -> list[dict[str, Any]]:
    async with asyncio.timeout(5):
        return [orjson.loads(told.body) for told in await connection.take()]


async def test_messages_are_numbered_from_0_without_gaps(connection: Connection):
    connection.say("connected")
    connection.offer(message("minute"))
    first = await take(connection)
    connection.offer(message("minute"))
    connection.say("pong")
    second = await take(connection)
    assert [m["seq"] for m in first + second] == [0, 1, 2, 3]
    assert [m["type"] for m in first + second] == ["connected", "minute", "minute", "pong"]
    assert first[0]["timestamp"] == "2026-01-26T10:00:00Z"


@pytest.mark.parametrize("kind", ["metrics", "reading"])
async def test_of_what_is_refreshed_only_the_newest_waits(connection: Connection, kind: str):
    for value in range(100):
        connection.offer(message(kind, value=value))
    connection.offer(message(kind, key="other", value=1))
    connection.offer(message(kind, stream_id="b", value=2))
    *told, dropped = await take(connection)
    assert [m["data"]["value"] for m in told] == [99, 1, 2]
    assert [m["type"] for m in told] == [kind] * 3
    assert (dropped["type"], dropped["count"], dropped["replaced"]) == ("dropped", 99, 99)


async def test_whoever_waits_longest_is_sent_first(connection: Connection):
    connection.offer(message("metrics", key="a", value=1))
    connection.offer(message("metrics", key="b", value=2))
    connection.offer(message("metrics", key="a", value=3))
    assert [m["data"]["value"] for m in (await take(connection))[:2]] == [2, 3]


async def test_what_is_skipped_is_counted_and_said(connection: Connection):
    for value in range(LIMIT + 7):
        connection.offer(message("minute", value=value))
    told = await take(connection)
    assert [m["data"]["value"] for m in told[:-1]] == list(range(LIMIT))
    assert (told[-1]["type"], told[-1]["count"], told[-1]["replaced"]) == ("dropped", 7, 0)
    assert [m["seq"] for m in told] == list(range(LIMIT + 1))
    assert not connection.is_too_slow
    connection.offer(message("minute"))
    assert [m["type"] for m in await take(connection)] == ["minute"]


async def test_a_full_queue_still_takes_a_newer_version_of_what_waits(connection: Connection):
    connection.offer(message("metrics", value=1))
    for _ in range(LIMIT - 1):
        connection.offer(message("minute"))
    connection.offer(message("metrics", value=2))
    *_, newest, dropped = await take(connection)
    assert newest["data"] == {"value": 2}
    assert (dropped["count"], dropped["replaced"]) == (1, 1)


async def test_a_moment_is_never_skipped_silently(connection: Connection):
    for _ in range(LIMIT):
        connection.offer(message("minute"))
    connection.offer(message("moment"))
    assert connection.is_too_slow
    assert (await take(connection))[-1]["count"] == 1


async def test_moments_wait_until_they_are_delivered(connection: Connection):
    for value in range(LIMIT):
        connection.offer(message("moment", key="same", value=value))
    assert [m["data"]["value"] for m in await take(connection)] == list(range(LIMIT))
    assert not connection.is_too_slow


async def test_a_client_that_asks_and_never_reads_is_too_slow(connection: Connection):
    for _ in range(100 * LIMIT):
        connection.say("pong")
    assert connection.is_too_slow
    assert len(await take(connection)) == 2 * LIMIT


async def test_taking_waits_for_something_to_come(connection: Connection):
    taking = asyncio.create_task(connection.take())
    await asyncio.sleep(0)
    assert not taking.done()
    connection.offer(message("minute"))
    async with asyncio.timeout(5):
        assert len(await taking) == 1


def test_a_client_wants_its_streams_or_all(connection: Connection):
    connection.streams = {"a"}
    assert connection.wants("a")
    assert not connection.wants("b")
    connection.streams = {"*"}
    assert connection.wants("b")


async def test_what_comes_meanwhile_follows_what_comes_first(connection: Connection):
    connection.hold()
    connection.offer(message("metrics", value=2))
    connection.offer(replace(message("minute", value=7), position=7))
    connection.offer(replace(message("minute", value=8), position=8))
    connection.say("resumed")
    connection.release([replace(message("minute", value=7), position=7), message("metrics")])
    told = await take(connection)
    assert [(m["type"], m.get("data")) for m in told] == [
        ("resumed", None),
        ("minute", {"value": 7}),
        ("metrics", {"value": 2}),
        ("minute", {"value": 8}),
    ]


async def test_what_is_held_is_bounded_too(connection: Connection):
    connection.hold()
    for value in range(LIMIT + 3):
        connection.offer(message("minute", value=value))
    connection.release([])
    *told, dropped = await take(connection)
    assert len(told) == LIMIT
    assert dropped["count"] == 3


async def test_a_client_is_asked_to_come_back_before_its_connection_ends(connection: Connection):
    connection.offer(message("moment"))
    connection.leave(delay_ms=250)
    told = await take(connection)
    assert connection.is_leaving
    assert [(m["type"], m.get("delay_ms")) for m in told] == [("moment", None), ("reconnect", 250)]
