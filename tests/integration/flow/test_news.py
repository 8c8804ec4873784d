"""News: a stream is told to go live once, and to fall silent once, whoever of the flow tells it."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TypeAlias, cast

import orjson
import polars as pl
import pytest
from redis.asyncio import Redis

from api.live.backlogs import Entry
from core.audiences import AUDIENCES
from core.backlogs import GAP_KEY, backlog_of_shard, unpack_chunk
from core.clock import ManualClock
from streaming.flow.news import NewsRoom
from tests.fixtures.changes import make_changes
from tests.fixtures.clocks import START
from tests.fixtures.waiting import eventually

Open: TypeAlias = Callable[[], NewsRoom]


@pytest.fixture
def open_news(redis_url: str, clock: ManualClock) -> Iterator[Open]:
    """Make news rooms, each as of another process of the flow."""
    rooms: list[NewsRoom] = []

    def open_news() -> NewsRoom:
        rooms.append(NewsRoom(redis_url, clock, process=len(rooms)))
        return rooms[-1]

    yield open_news
    for room in rooms:
        room.stop()


def note(room: NewsRoom, stream_id: str, last_event_at: datetime) -> None:
    """Commit an event of a stream."""
    row = {"stream_id": [stream_id], "title": [None], "last_event_at": [last_event_at]}
    room.tell([make_changes(3, streams=pl.DataFrame(row))], 0)


async def list_told(client: Redis) -> list[tuple[str, str]]:
    """Return what streams were told to be, in order."""
    told = []
    # The library's types cannot know that answers are bytes here.
    entries = cast("list[Entry]", await client.xrange(backlog_of_shard(3)))
    for number, fields in entries:
        last, count = int(number.partition(b"-")[0]), int(fields[b"count"])
        for message in unpack_chunk(last, count, fields[b"messages"]):
            body = orjson.loads(message.body)
            assert (body["type"], body["stream_id"]) == ("stream", message.stream_id)
            told.append((message.stream_id, body["data"]["state"]))
    return told


async def test_a_stream_goes_live_with_its_first_event_and_silent_a_minute_after_its_last(
    open_news: Open, clock: ManualClock, redis_client: Redis
):
    room = open_news()
    for second in (0, 5, 30):
        note(room, "a", START + timedelta(seconds=second))
    assert await list_told(redis_client) == [("a", "live")]
    clock.advance(timedelta(seconds=89))
    room.tell_silent()
    assert await list_told(redis_client) == [("a", "live")]
    clock.advance(timedelta(seconds=1))
    room.tell_silent()
    room.tell_silent()
    assert await list_told(redis_client) == [("a", "live"), ("a", "silent")]
    note(room, "a", clock.now())
    assert (await list_told(redis_client))[2:] == [("a", "live")]


async def test_events_of_long_ago_make_no_stream_live(
    open_news: Open, clock: ManualClock, redis_client: Redis
):
    room = open_news()
    note(room, "a", START - timedelta(minutes=1))
    clock.advance(timedelta(hours=1))
    room.tell_silent()
    assert await list_told(redis_client) == []


async def test_an_older_event_does_not_make_a_stream_silent_sooner(
    open_news: Open, clock: ManualClock, redis_client: Redis
):
    room = open_news()
    note(room, "a", START)
    note(room, "a", START - timedelta(seconds=50))
    clock.advance(timedelta(seconds=30))
    room.tell_silent()
    assert await list_told(redis_client) == [("a", "live")]


async def test_a_restart_of_the_flow_neither_repeats_nor_forgets(
    open_news: Open, clock: ManualClock, redis_client: Redis
):
    note(open_news(), "a", START)
    restarted, beside = open_news(), open_news()
    note(restarted, "a", START + timedelta(seconds=10))
    clock.advance(timedelta(seconds=70))
    restarted.tell_silent()
    beside.tell_silent()
    assert await list_told(redis_client) == [("a", "live"), ("a", "silent")]


async def test_a_flow_that_starts_says_that_something_may_be_missing_once(
    open_news: Open, clock: ManualClock, redis_client: Redis
):
    async def find_gap() -> int:
        return int(await redis_client.get(GAP_KEY) or 0)

    room = open_news()
    note(room, "a", START)
    first = await find_gap()
    note(room, "b", clock.now())
    assert await find_gap() == first > 0
    note(open_news(), "c", clock.now())
    assert await find_gap() > first


async def test_a_flow_that_beats_hears_whose_chat_somebody_looks_at(
    open_news: Open, clock: ManualClock, redis_client: Redis
):
    await redis_client.zadd(AUDIENCES, {"a": clock.now_ms() + 1})
    room = open_news()
    room.start()
    await eventually(lambda: room.audiences.streams, holds={"a"}.__eq__)
