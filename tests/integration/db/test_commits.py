"""Commits: what a flow offers twice counts once, and nothing it offers is lost."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import polars as pl
import pytest

from core.batches import Entry
from core.changes import Changes
from db.commits import CommitStore
from streaming.flow.shards import FlowPolicy, Shard
from tests.fixtures.changes import commit_one
from tests.fixtures.clocks import START
from tests.fixtures.events import (
    STREAM,
    Event,
    chat,
    make_batch,
    make_entry,
    reading,
    transaction,
    viewers,
)

POLICY = FlowPolicy()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def all_types(seconds: float) -> list[Event]:
    time = at(seconds)
    return [chat(time), viewers(time), reading(time), transaction(time)]


@pytest.fixture
def store(connection: asyncpg.Connection) -> CommitStore:
    return CommitStore(connection)


def apply(shard: Shard, *entries: Entry) -> tuple[Shard, Changes]:
    """Return the shard after entries, and what they changed; the one given stays as it is."""
    after = Shard.restore(shard.snapshot(), POLICY)
    (changes,) = after.apply(make_batch(entries))
    return after, changes


async def count(connection: asyncpg.Connection, table: str) -> int:
    return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 (our tables)


async def count_raw(connection: asyncpg.Connection) -> list[int]:
    tables = ("viewer_timeseries", "readings", "transactions")
    return [await count(connection, table) for table in tables]


async def read_chat(connection: asyncpg.Connection) -> dict[str, Any]:
    row = await connection.fetchrow("SELECT * FROM chat_summary_minute ORDER BY window_start")
    assert row is not None
    return dict(row)


async def test_a_commit_writes_rows_events_stream_and_offset(
    store: CommitStore, connection: asyncpg.Connection
):
    entry = make_entry(at(1), [*all_types(1), chat(at(2), text="Kappa Kappa LUL")])
    _, changes = apply(Shard(0, POLICY), entry)
    committed = await commit_one(store, changes)
    assert (committed.events, committed.skipped) == (5, False)
    row = await read_chat(connection)
    assert (row["stream_id"], row["window_start"], row["chat_count"]) == (STREAM, START, 2)
    assert row["top_emotes"] == ["Kappa", "LUL"]
    assert row["emote_counts"] == {"Kappa": 2, "LUL": 1}
    assert (row["avg_viewers"], row["revision"], row["final"]) == (100, entry[0], False)
    assert await count_raw(connection) == [1, 1, 1]
    assert await connection.fetchval("SELECT last_event_at FROM streams") == at(2)
    applied = await connection.fetchrow("SELECT shard, applied_offset FROM source_offsets")
    assert tuple(applied or ()) == (0, entry[0])


async def test_the_same_commit_offered_again_changes_nothing(
    store: CommitStore, connection: asyncpg.Connection
):
    _, changes = apply(Shard(0, POLICY), make_entry(at(1), all_types(1)))
    await commit_one(store, changes)
    before = await read_chat(connection)
    again = await commit_one(store, changes)
    assert again.events == 0
    assert await read_chat(connection) == before
    assert await count_raw(connection) == [1, 1, 1]


async def test_a_replay_of_what_is_applied_is_skipped(
    store: CommitStore, connection: asyncpg.Connection
):
    state, first = apply(Shard(0, POLICY), make_entry(at(1), all_types(1)))
    _, second = apply(state, make_entry(at(2), all_types(2)))
    await commit_one(store, first)
    await commit_one(store, second)
    before = await read_chat(connection)
    again = await commit_one(store, first)
    assert (again.events, again.skipped) == (0, True)
    assert await read_chat(connection) == before
    assert before["chat_count"] == 2
    assert await connection.fetchval("SELECT applied_offset FROM source_offsets") == second.offset


async def test_raw_events_are_not_doubled_when_a_replay_cuts_differently(
    store: CommitStore, connection: asyncpg.Connection
):
    entries = [make_entry(at(second), all_types(second)) for second in range(4)]
    _, first = apply(Shard(0, POLICY), *entries[:2])
    await commit_one(store, first)
    _, wider = apply(Shard(0, POLICY), *entries)
    assert not (await commit_one(store, wider)).skipped
    assert await count_raw(connection) == [4, 4, 4]
    assert (await read_chat(connection))["chat_count"] == 4


async def test_an_older_revision_never_replaces_a_newer_one(
    store: CommitStore, connection: asyncpg.Connection
):
    state, first = apply(Shard(0, POLICY), make_entry(at(1), all_types(1)))
    _, second = apply(state, make_entry(at(2), all_types(2)))
    await commit_one(store, second)
    await commit_one(store, replace(first, offset=second.offset + 1))
    assert (await read_chat(connection))["chat_count"] == 2
    assert await connection.fetchval("SELECT count FROM reading_summary_minute") == 2


async def test_a_minute_turns_final_at_the_same_revision_and_never_back(
    store: CommitStore, connection: asyncpg.Connection
):
    state, running = apply(Shard(0, POLICY), make_entry(at(1), all_types(1)))
    closed = state.close(at(100))
    assert closed is not None
    await commit_one(store, running)
    await commit_one(store, closed)
    assert (await read_chat(connection))["final"] is True
    assert await connection.fetchval("SELECT final FROM reading_summary_minute") is True
    await commit_one(store, running)
    assert (await read_chat(connection))["final"] is True


async def test_a_minute_that_the_clock_completes_in_a_replay_is_stored_as_complete(
    store: CommitStore, connection: asyncpg.Connection
):
    entries = [
        make_entry(at(1), [chat(at(1))]),
        make_entry(at(2), [chat(at(2), stream_id="other")]),
    ]
    state, first = apply(Shard(0, POLICY), entries[0])
    _, second = apply(state, entries[1])
    await commit_one(store, first)
    await commit_one(store, second)
    replaying, replayed = apply(Shard(0, POLICY), entries[0])
    assert (await commit_one(store, replayed)).skipped
    closed = replaying.close(at(500))
    assert closed is not None
    assert not (await commit_one(store, closed)).skipped
    query = "SELECT final FROM chat_summary_minute WHERE stream_id = $1"
    assert await connection.fetchval(query, STREAM) is True


async def test_late_events_are_listed_once_however_a_replay_cuts(
    store: CommitStore, connection: asyncpg.Connection
):
    entries = [
        make_entry(at(900), [chat(at(900))]),
        make_entry(at(901), [chat(at(0))] * 2),
        make_entry(at(902), [chat(at(0)), reading(at(0))]),
    ]
    _, first = apply(Shard(0, POLICY), *entries[:2])
    await commit_one(store, first)
    _, wider = apply(Shard(0, POLICY), *entries)
    await commit_one(store, wider)
    await commit_one(store, wider)
    rows = await connection.fetch(
        "SELECT type, sum(events)::int FROM late_events GROUP BY type ORDER BY type"
    )
    assert [tuple(row) for row in rows] == [("chat", 3), ("reading", 1)]
    offsets = await connection.fetch("SELECT DISTINCT batch_offset FROM late_events ORDER BY 1")
    assert [row[0] for row in offsets] == [entries[1][0], entries[2][0]]


def make_spike() -> list[Changes]:
    """Return the changes of a stream whose thirteenth minute is a spike that then ends."""
    state = Shard(0, POLICY)
    told = []
    for minute in range(20):
        time = at(60 * minute)
        entry = make_entry(time, [chat(time)] * (200 if minute == 12 else 5))
        state, changes = apply(state, entry)
        told.append(changes)
    return told


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        ("acknowledged", "acknowledged"),
        ("shelved", "shelved"),
        ("resolved", "resolved"),
        ("open", "open"),
    ],
)
async def test_a_moment_keeps_what_a_person_did_with_it(
    store: CommitStore, connection: asyncpg.Connection, chosen: str, kept: str
):
    for changes in make_spike():
        await commit_one(store, changes)
        if any(moment.ended_at is None for moment in changes.moments):
            await connection.execute("UPDATE moments SET state = $1", chosen)
    row = await connection.fetchrow("SELECT state, ended_at, started_at FROM moments")
    assert tuple(row or ()) == (kept, at(780), at(720))


async def test_a_moment_found_again_in_a_replay_is_the_same_one(
    store: CommitStore, connection: asyncpg.Connection
):
    for changes in make_spike() + make_spike():
        await commit_one(store, changes)
    assert await count(connection, "moments") == 1


async def test_a_commit_that_fails_leaves_nothing_behind(
    store: CommitStore, connection: asyncpg.Connection
):
    _, changes = apply(Shard(0, POLICY), make_entry(at(1), all_types(1)))
    broken = replace(changes, chat=changes.chat.with_columns(chat_count=pl.lit(None, pl.Int64)))
    with pytest.raises(asyncpg.NotNullViolationError):
        await commit_one(store, broken)
    assert await count_raw(connection) == [0, 0, 0]
    assert await count(connection, "source_offsets") == 0
    assert (await commit_one(store, changes)).events == 4


async def test_shards_keep_offsets_of_their_own(store: CommitStore, connection: asyncpg.Connection):
    _, late = apply(Shard(0, POLICY), make_entry(at(100), [reading(at(100))]))
    _, early = apply(Shard(1, POLICY), make_entry(at(1), [reading(at(1), stream_id="b")]))
    await commit_one(store, late)
    assert (await commit_one(store, replace(early, shard=1))).events == 1
    assert await count(connection, "source_offsets") == 2
