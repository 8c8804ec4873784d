"""Committers: in order, all of it, never more than fits, and never on after a failure."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any, Final

import asyncpg
import orjson
import polars as pl
import pytest
import redis.asyncio
from prometheus_client import REGISTRY

from core.changes import Changes
from core.clock import ManualClock, SystemClock
from core.settings import VERSION
from streaming.flow.committers import EVENTS_PENDING_MAX, GROUP_MAX, Committer
from streaming.flow.news import NewsRoom
from streaming.flow.partials import list_points
from streaming.flow.usual_lags import SETTLED, STEP
from tests.fixtures.changes import frame_rows, make_changes, make_chat_row, offset_at
from tests.fixtures.clocks import START
from tests.fixtures.events import make_events, viewers
from tests.fixtures.waiting import eventually

MOMENT_S: Final = 0.3
"""How long a thread that should wait is watched; one that does not wait is through in far less."""

WAITING: Final = (
    "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
    " WHERE NOT granted AND datname = current_database()"
)


@pytest.fixture
def news(redis_url: str) -> Iterator[NewsRoom]:
    news = NewsRoom(redis_url, SystemClock(), process=0)
    news.start()
    yield news
    news.stop()


@pytest.fixture
def committer(database_url: str, news: NewsRoom) -> Iterator[Committer]:
    committer = Committer(database_url, news, SystemClock())
    committer.start()
    yield committer
    committer.stop()


def count_chat(second: int, *, events: int = 1, shard: int = 0) -> Changes:
    """Return changes that set a minute to as many messages as seconds, and bring one raw point."""
    row = make_chat_row(
        START, offset_at(second), stream_id=f"s{shard}", chat_count=second, watermark=START
    )
    point = make_events([viewers(START, second, stream_id=f"s{shard}")])
    points = list_points(point.with_columns(offset=pl.lit(offset_at(second), pl.Int64)))
    chat = frame_rows(row)
    return make_changes(shard, offset_at(second), events=events, chat=chat, points=points)


async def read_counts(connection: asyncpg.Connection) -> dict[str, int]:
    rows = await connection.fetch("SELECT stream_id, chat_count FROM chat_summary_minute")
    return {row["stream_id"]: row["chat_count"] for row in rows}


class Held:
    """The table of offsets, locked: no commit gets on until it is let go of."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._transaction = connection.transaction()

    async def hold(self) -> None:
        await self._transaction.start()
        await self._connection.execute("LOCK TABLE source_offsets IN ACCESS EXCLUSIVE MODE")

    async def wait_for_commit(self) -> None:
        """Wait until a commit stands before the lock."""
        await eventually(lambda: self._connection.fetchval(WAITING), within_s=30)

    async def release(self) -> None:
        await self._transaction.rollback()


def run_aside(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


async def end(thread: threading.Thread) -> None:
    await eventually(lambda: not thread.is_alive())


async def test_what_was_submitted_is_stored_and_told_once_it_is_drained(
    committer: Committer, connection: asyncpg.Connection, redis_client: redis.asyncio.Redis
):
    for shard in (0, 1):
        committer.submit(count_chat(3, shard=shard))
    await asyncio.to_thread(committer.drain)
    assert await read_counts(connection) == {"s0": 3, "s1": 3}
    assert await redis_client.exists("version:stream:s0", "version:stream:s1") == 2


async def test_a_title_alone_makes_the_cached_answers_of_its_stream_old(
    committer: Committer, redis_client: redis.asyncio.Redis
):
    titled = pl.DataFrame({"stream_id": ["s7"], "title": ["New"], "last_event_at": [START]})
    committer.submit(make_changes(0, offset_at(1), events=1, streams=titled))
    await asyncio.to_thread(committer.drain)
    assert await eventually(lambda: redis_client.exists("version:stream:s7"))


async def test_changes_of_a_shard_are_applied_in_the_order_in_which_they_came(
    committer: Committer, connection: asyncpg.Connection
):
    held = Held(connection)
    await held.hold()
    last = 3 * GROUP_MAX
    for second in range(1, last + 1):
        committer.submit(count_chat(second))
    await held.release()
    await asyncio.to_thread(committer.drain)
    assert await read_counts(connection) == {"s0": last}
    offsets = await connection.fetch("SELECT applied_offset FROM source_offsets WHERE shard = 0")
    assert [row["applied_offset"] for row in offsets] == [offset_at(last)]
    # What is overtaken by a later offset counts as applied: its points would be missing.
    assert await connection.fetchval("SELECT count(*) FROM viewer_timeseries") == last


async def test_a_drain_waits_for_the_group_that_is_being_committed(
    committer: Committer, connection: asyncpg.Connection
):
    held = Held(connection)
    await held.hold()
    committer.submit(count_chat(1))
    await held.wait_for_commit()
    drained = run_aside(committer.drain)
    await asyncio.to_thread(drained.join, MOMENT_S)
    assert drained.is_alive()
    await held.release()
    await end(drained)
    assert await read_counts(connection) == {"s0": 1}


async def test_a_submit_waits_while_too_many_events_are_pending(
    committer: Committer, connection: asyncpg.Connection
):
    held = Held(connection)
    await held.hold()
    committer.submit(count_chat(1))
    await held.wait_for_commit()
    committer.submit(count_chat(2, events=EVENTS_PENDING_MAX - 1))
    committer.submit(count_chat(3, events=1))
    submitted = run_aside(lambda: committer.submit(count_chat(4)))
    await asyncio.to_thread(submitted.join, MOMENT_S)
    assert submitted.is_alive()
    await held.release()
    await end(submitted)
    await asyncio.to_thread(committer.drain)
    assert await read_counts(connection) == {"s0": 4}


async def test_a_failure_that_is_not_the_absence_of_the_database_ends_it(
    committer: Committer, connection: asyncpg.Connection
):
    row = make_chat_row(START, offset_at(1), chat_count=None, watermark=START)
    committer.submit(make_changes(0, offset_at(1), events=1, chat=frame_rows(row)))
    with pytest.raises(asyncpg.PostgresError):
        await asyncio.to_thread(committer.drain)
    with pytest.raises(asyncpg.PostgresError):
        committer.submit(count_chat(2))
    assert await read_counts(connection) == {}
    assert await connection.fetchval("SELECT count(*) FROM source_offsets") == 0


async def test_while_the_database_is_away_it_tries_again_and_can_still_be_stopped(
    dead_database_url: str, news: NewsRoom
):
    committer = Committer(dead_database_url, news, SystemClock())
    committer.start()
    committer.submit(count_chat(1))
    drained = run_aside(committer.drain)
    await asyncio.to_thread(drained.join, MOMENT_S)
    assert drained.is_alive()
    await asyncio.to_thread(committer.stop)
    assert "committer" not in {thread.name for thread in threading.enumerate()}


async def test_how_old_events_are_by_their_own_clock_is_measured_at_their_commit(
    committer: Committer,
):
    told_at = SystemClock().now() - timedelta(hours=3)
    committer.submit(make_changes(9, offset_at(1), events=1, newest_at=told_at))
    await asyncio.to_thread(committer.drain)
    lag = REGISTRY.get_sample_value("telemetra_flow_event_lag_seconds", {"shard": "9"})
    assert lag is not None
    assert 3 * 3600 <= lag < 4 * 3600


async def test_how_long_commits_take_and_how_far_behind_shards_are_is_told(
    database_url: str, news: NewsRoom, redis_client: redis.asyncio.Redis
):
    committer = Committer(database_url, news, SystemClock())
    committer.start()
    arrived_at = SystemClock().now() - timedelta(seconds=30)
    committer.submit(make_changes(7, offset_at(1), events=1, arrived_at=arrived_at))
    committer.submit(make_changes(6, offset_at(2)))
    await asyncio.to_thread(committer.drain)

    async def read_beat() -> dict[str, Any]:
        beat: dict[str, Any] = orjson.loads(await redis_client.get("heartbeat:flow:0") or b"{}")
        return beat

    beat = await eventually(read_beat, holds=lambda beat: bool(beat.get("shards")))
    await asyncio.to_thread(committer.stop)
    assert list(beat["shards"]) == ["7"]
    assert 30_000 <= beat["shards"]["7"] < 60_000
    assert 0 < beat["commit_ms"] <= beat["commit_ms_most"]
    assert (beat["version"], beat["memory_bytes"] > 0) == (VERSION, True)


async def test_the_usual_lag_is_measured_and_told_when_it_changes(
    database_url: str, news: NewsRoom, redis_client: redis.asyncio.Redis, clock: ManualClock
):
    committer = Committer(database_url, news, clock)
    committer.start()
    shifts = "telemetra_flow_lag_shifts_total"
    before = REGISTRY.get_sample_value(shifts, {"direction": "up"})
    assert before is not None
    offsets = count(offset_at(1))

    def commit(steps: int, lag: timedelta) -> None:
        for _ in range(steps):
            changes = make_changes(8, next(offsets), events=1, arrived_at=clock.now() - lag)
            committer.submit(changes)
            committer.drain()
            clock.advance(STEP)

    async def read_usual_ms() -> int | None:
        beat = orjson.loads(await redis_client.get("heartbeat:flow:0") or b"{}")
        usual_ms: int | None = beat.get("lag_usual_ms")
        return usual_ms

    await asyncio.to_thread(commit, 2 * SETTLED, timedelta(seconds=0.5))
    assert await eventually(read_usual_ms, holds=lambda usual_ms: usual_ms == 500)
    await asyncio.to_thread(commit, 2 * SETTLED, timedelta(seconds=4))
    assert await eventually(read_usual_ms, holds=lambda usual_ms: usual_ms == 4000)
    await asyncio.to_thread(committer.stop)
    usual_s = REGISTRY.get_sample_value("telemetra_flow_lag_usual_seconds")
    assert usual_s == pytest.approx(4, rel=0.01)
    assert REGISTRY.get_sample_value(shifts, {"direction": "up"}) == before + 1
