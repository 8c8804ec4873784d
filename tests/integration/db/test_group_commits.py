"""Groups: changes of several shards in one transaction, alone and beside other flows."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import polars as pl
import pytest

from core.changes import Changes
from core.dead_letters import REASON_CHARACTERS_MAX, DeadLetter
from core.events import TIMESTAMP
from db.commits import CommitStore
from db.pool import prepare_connection
from tests.fixtures.changes import (
    commit_one,
    frame_rows,
    make_changes,
    make_chat_row,
    make_reading_row,
)
from tests.fixtures.clocks import START
from tests.fixtures.waiting import eventually


@pytest.fixture
def store(connection: asyncpg.Connection) -> CommitStore:
    return CommitStore(connection)


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[CommitStore]:
    """A store of another flow."""
    connection = await asyncpg.connect(database_url)
    await prepare_connection(connection)
    yield CommitStore(connection)
    await connection.close()


def make_points(*offsets: int, stream_id: str = "s") -> pl.DataFrame:
    """Return one reading for each offset, whose value says which."""
    rows = [
        {
            "stream_id": stream_id,
            "type": "reading",
            "timestamp": START,
            "value": float(offset),
            "channel": "temp",
            "unit": None,
            "kind": None,
            "amount": None,
            "currency": None,
            "user": None,
            "offset": offset,
        }
        for offset in offsets
    ]
    return pl.DataFrame(rows, schema_overrides={"timestamp": TIMESTAMP})


def make_late(*offsets: int) -> pl.DataFrame:
    late = {"stream_id": "s", "minute": START, "type": "chat", "events": 1}
    rows = [late | {"offset": offset} for offset in offsets]
    return pl.DataFrame(rows, schema_overrides={"minute": TIMESTAMP})


def make_step(shard: int, offset: int, **parts: Any) -> Changes:
    """Return changes that count to their offset in a minute of the shard's own stream."""
    name = f"s{shard}"
    row = make_chat_row(START, offset, stream_id=name, final=False, chat_count=offset)
    points = make_points(offset, stream_id=name)
    chat = frame_rows(row)
    return make_changes(shard, offset, **{"events": 1, "points": points, "chat": chat} | parts)


async def read_counts(connection: asyncpg.Connection) -> list[tuple[Any, ...]]:
    rows = await connection.fetch(
        "SELECT stream_id, chat_count, revision FROM chat_summary_minute ORDER BY stream_id"
    )
    return [tuple(row) for row in rows]


async def read_values(connection: asyncpg.Connection) -> list[tuple[str, float]]:
    rows = await connection.fetch("SELECT stream_id, value FROM readings ORDER BY 1, 2")
    return [tuple(row) for row in rows]


async def read_offsets(connection: asyncpg.Connection) -> dict[int, int]:
    rows = await connection.fetch("SELECT shard, applied_offset FROM source_offsets")
    return {row["shard"]: row["applied_offset"] for row in rows}


async def test_a_group_writes_every_shard_and_tells_of_each(
    store: CommitStore, connection: asyncpg.Connection
):
    group = [make_step(2, 5), make_step(0, 3), make_step(2, 9, events=4)]
    told = await store.commit(group)
    assert [(item.events, item.skipped) for item in told] == [(1, False), (1, False), (4, False)]
    assert await read_counts(connection) == [("s0", 3, 3), ("s2", 9, 9)]
    assert await read_values(connection) == [("s0", 3.0), ("s2", 5.0), ("s2", 9.0)]
    assert await read_offsets(connection) == {0: 3, 2: 9}


async def test_nothing_to_commit_is_no_transaction(store: CommitStore):
    assert await store.commit([]) == []


async def test_of_one_minute_twice_in_a_group_the_newest_is_kept_and_final_wins(
    store: CommitStore, connection: asyncpg.Connection
):
    running = make_chat_row(START, 5, final=False, chat_count=5)
    final = make_chat_row(START, 5, final=True, chat_count=5)
    older = make_chat_row(START, 4, final=True, chat_count=4)
    reading = make_reading_row(START, 5, mean=5.0)
    group = [
        make_changes(0, 5, chat=frame_rows(final), readings=frame_rows(reading)),
        make_changes(0, 5, chat=frame_rows(running), readings=frame_rows(reading)),
        make_changes(0, 4, chat=frame_rows(older)),
    ]
    await store.commit(group)
    row = await connection.fetchrow("SELECT chat_count, final FROM chat_summary_minute")
    assert tuple(row or ()) == (5, True)
    assert await connection.fetchval("SELECT minutes FROM reading_summary_hour") == 1


async def test_entries_that_overlap_within_a_group_count_once(
    store: CommitStore, connection: asyncpg.Connection
):
    await commit_one(store, make_changes(0, 2, events=2, points=make_points(1, 2)))
    group = [
        make_changes(0, 3, events=2, points=make_points(2, 3), late=make_late(2, 3)),
        make_changes(0, 3, events=2, points=make_points(2, 3), late=make_late(2, 3)),
        make_changes(0, 4, events=3, points=make_points(2, 3, 4), late=make_late(3, 4)),
    ]
    told = await store.commit(group)
    assert [item.events for item in told] == [2, 0, 3]
    assert [value for _, value in await read_values(connection)] == [1.0, 2.0, 3.0, 4.0]
    late = await connection.fetch("SELECT batch_offset FROM late_events ORDER BY 1")
    assert [row[0] for row in late] == [3, 4]


async def test_a_replay_in_a_group_is_skipped_unless_one_of_its_minutes_was_renewed(
    store: CommitStore,
):
    await store.commit([make_step(shard, 5) for shard in range(3)])
    final = make_chat_row(START, 5, stream_id="s1", final=True, chat_count=5)
    group = [make_step(0, 4), make_changes(1, 4, chat=frame_rows(final)), make_step(2, 6)]
    told = await store.commit(group)
    assert [(item.events, item.skipped) for item in told] == [(0, True), (0, False), (1, False)]


async def test_streams_are_known_once_by_their_last_title(
    store: CommitStore, connection: asyncpg.Connection
):
    def hear(offset: int, title: str | None, second: int) -> Changes:
        heard = START + timedelta(seconds=second)
        rows = {"stream_id": ["s"], "title": [title], "last_event_at": [heard]}
        return make_changes(0, offset, streams=pl.DataFrame(rows))

    await store.commit([hear(1, "One", 9), hear(2, "Two", 5), hear(3, None, 7)])
    await store.commit([hear(2, "Two again", 60)])
    row = await connection.fetchrow("SELECT title, last_event_at FROM streams")
    assert tuple(row or ()) == ("Two", START + timedelta(seconds=9))


async def test_minutes_of_transactions_are_kept_by_kind_and_currency(
    store: CommitStore, connection: asyncpg.Connection
):
    def pay(revision: int, currency: str, count: int, *, final: bool) -> dict[str, Any]:
        return {
            "stream_id": "s",
            "kind": "bits",
            "currency": currency,
            "minute": START,
            "window_end": START + timedelta(minutes=1),
            "count": count,
            "sum": count * 1.5,
            "revision": revision,
            "final": final,
        }

    first = frame_rows(pay(1, "", 1, final=False), pay(1, "EUR", 2, final=False))
    second = frame_rows(pay(2, "EUR", 3, final=True))
    await store.commit([make_changes(0, 1, transactions=first)])
    await store.commit([make_changes(0, 2, transactions=second)])
    await store.commit([make_changes(0, 1, transactions=first)])
    rows = await connection.fetch(
        "SELECT currency, count, sum, final FROM transaction_summary_minute ORDER BY currency"
    )
    assert [tuple(row) for row in rows] == [("", 1, 1.5, False), ("EUR", 3, 4.5, True)]


async def test_dead_letters_are_listed_once_with_their_bytes(
    store: CommitStore, connection: asyncpg.Connection
):
    reason = "not \0 Arrow \ud800 " + "x" * 10_000
    letters = [DeadLetter(n, START, reason, bytes([0, n, 255])) for n in (1, 2, 3)]
    await store.commit([make_changes(0, 2, dead=tuple(letters[:2]))])
    await store.commit([make_changes(0, 3, dead=tuple(letters)), make_changes(1, 3)])
    await store.commit([make_changes(0, 3, dead=tuple(letters))])
    rows = await connection.fetch(
        "SELECT shard, batch_offset, payload, replayed_at FROM dead_letters ORDER BY batch_offset"
    )
    assert [tuple(row) for row in rows] == [(0, n, bytes([0, n, 255]), None) for n in (1, 2, 3)]
    stored = await connection.fetchval("SELECT min(reason) FROM dead_letters")
    assert stored.startswith("not \ufffd Arrow ? xxx")
    assert len(stored) == REASON_CHARACTERS_MAX
    await connection.execute("DELETE FROM dead_letters")
    await store.commit([make_changes(0, 4, dead=tuple(letters))])
    assert await connection.fetchval("SELECT count(*) FROM dead_letters") == 0


async def test_a_group_that_fails_in_one_shard_leaves_nothing_of_the_others(
    store: CommitStore, connection: asyncpg.Connection
):
    broken = frame_rows(make_chat_row(START, 1, stream_id="s1", chat_count=None))
    with pytest.raises(asyncpg.NotNullViolationError):
        await store.commit([make_step(0, 1), make_changes(1, 1, chat=broken)])
    assert await read_offsets(connection) == {}
    assert await read_values(connection) == []
    assert (await store.commit([make_step(0, 1)]))[0].events == 1


async def test_two_flows_that_write_shards_in_any_order_never_block_for_ever_or_count_twice(
    store: CommitStore, other: CommitStore, connection: asyncpg.Connection
):
    async def run(chosen: CommitStore, shards: list[int]) -> None:
        for offset in range(1, 21):
            await chosen.commit([make_step(shard, offset) for shard in shards])

    # The same shards from both ends, and one that each has for itself.
    await asyncio.gather(run(store, [0, 1, 2, 10]), run(other, [2, 1, 0, 11]))
    shards = (0, 1, 2, 10, 11)
    assert await read_offsets(connection) == dict.fromkeys(shards, 20)
    assert await read_counts(connection) == sorted((f"s{shard}", 20, 20) for shard in shards)
    wanted = sorted((f"s{shard}", float(n)) for shard in shards for n in range(1, 21))
    assert await read_values(connection) == wanted


async def test_a_flow_that_waited_for_a_shard_sees_what_was_committed_meanwhile(
    store: CommitStore, other: CommitStore, database_url: str
):
    await store.commit([make_step(0, 1)])
    await other.commit([make_step(1, 1)])
    blocker = await asyncpg.connect(database_url)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with blocker.transaction():
        await blocker.execute("SELECT 1 FROM source_offsets WHERE shard = 0 FOR UPDATE")
        commit = asyncio.create_task(other.commit([make_step(0, 2)]))

        async def is_waiting() -> bool:
            return bool(await blocker.fetchval(waiting))

        await eventually(is_waiting)
        await blocker.execute("UPDATE source_offsets SET applied_offset = 3 WHERE shard = 0")
    (told,) = await commit
    assert told.events == 0
    await blocker.close()


async def test_disjoint_shards_do_not_wait_for_one_another(
    store: CommitStore, other: CommitStore, connection: asyncpg.Connection
):
    await store.commit([make_step(0, 1), make_step(1, 1)])
    async with connection.transaction():
        await connection.execute("SELECT 1 FROM source_offsets WHERE shard = 0 FOR UPDATE")
        (told,) = await other.commit([make_step(1, 2)])
    assert told.events == 1
