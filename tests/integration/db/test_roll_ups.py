"""Roll-ups: hours and days always equal what their final minutes say."""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from core.changes import Changes
from db.commits import CommitStore
from tests.fixtures.changes import (
    commit_one,
    frame_rows,
    make_changes,
    make_chat_row,
    make_reading_row,
)
from tests.fixtures.clocks import START
from tests.fixtures.roll_ups import Row, check_roll_ups, read_all

EMOTES = ["Kappa", "LUL", 'a"b', "c\\d", "é", "\U0001f602", "x\ny", "{}", "[]", ",", "'", "NULL"]
NEAR_MIDNIGHT = START.replace(hour=22, minute=30)


@pytest.fixture
def store(connection: asyncpg.Connection) -> CommitStore:
    return CommitStore(connection)


def draw_chat(rng: random.Random, minute: datetime, revision: int) -> Row:
    count = rng.choice([0, 0, 1, 7, 250])
    named = rng.sample(EMOTES, rng.randint(0, 10)) if count else []
    viewers = rng.choice([None, 0.0, 12.5, 1e6])
    return make_chat_row(
        minute,
        revision,
        stream_id=rng.choice(["a", "b"]),
        final=rng.random() < 0.7,
        chat_count=count,
        unique_chatters=rng.randint(0, count),
        top_emotes=[{"emote": name, "count": rng.randint(1, 50)} for name in named],
        avg_sentiment=rng.uniform(-1, 1) if count else None,
        avg_viewers=viewers,
        peak_viewers=None if viewers is None else viewers * 2,
    )


def draw_reading(rng: random.Random, minute: datetime, revision: int) -> Row:
    count = rng.choice([1, 2, 60])
    mean = rng.choice([0.0, 1e6, -3.5]) + rng.random()
    return make_reading_row(
        minute,
        revision,
        stream_id=rng.choice(["a", "b"]),
        channel=rng.choice(["temp", "load"]),
        final=rng.random() < 0.7,
        unit=rng.choice([None, "V", "A"]),
        count=count,
        mean=mean,
        min=mean - 1,
        max=mean + 1,
        stddev=0.1 if count > 1 else 0.0,
        last=mean + 0.5,
        last_at=minute + timedelta(seconds=rng.randint(0, 59)),
    )


def keep_final(rows: Iterable[Row], closed: set[tuple[Any, ...]]) -> list[Row]:
    """Return the rows as a flow makes them: what was closed once is never open again."""
    kept = {}
    for row in rows:
        key = (row["stream_id"], row.get("channel"), row["minute"])
        kept[key] = row | {"final": row["final"] or key in closed}
        if kept[key]["final"]:
            closed.add(key)
    return list(kept.values())


def draw_history(rng: random.Random) -> list[Changes]:
    """Return changes of one shard that write and revise minutes on both sides of midnight."""
    closed: set[tuple[Any, ...]] = set()
    history = []
    for revision in range(1, 25):
        minutes = [NEAR_MIDNIGHT + timedelta(minutes=rng.randint(0, 180)) for _ in range(8)]
        chat = [draw_chat(rng, minute, revision) for minute in minutes]
        readings = [draw_reading(rng, minute, revision) for minute in minutes]
        history.append(
            make_changes(
                offset=revision,
                chat=frame_rows(*keep_final(chat, closed)),
                readings=frame_rows(*keep_final(readings, closed)),
            )
        )
    return history


@pytest.mark.parametrize("seed", range(4))
async def test_hours_and_days_equal_their_minutes_after_revisions_replays_and_disorder(
    store: CommitStore, connection: asyncpg.Connection, seed: int
):
    rng = random.Random(seed)
    history = draw_history(rng)
    done = 0
    while done < len(history):
        step = rng.randint(1, 4)
        group = history[done : done + step]
        await store.commit(group)
        if rng.random() < 0.4:
            await store.commit(rng.sample(history[: done + step], min(3, done + step)))
        done += step
        if done % 5 == 0:
            await check_roll_ups(connection)
    await check_roll_ups(connection)
    assert len(await read_all(connection, "chat_summary_day")) == 4


async def test_a_running_minute_counts_in_no_hour_until_it_is_final(
    store: CommitStore, connection: asyncpg.Connection
):
    running = frame_rows(make_chat_row(START, 1, final=False, chat_count=5))
    await commit_one(store, make_changes(offset=1, chat=running))
    assert await read_all(connection, "chat_summary_hour") == []
    final = frame_rows(make_chat_row(START, 1, final=True, chat_count=5))
    await commit_one(store, make_changes(offset=1, chat=final))
    (hour,) = await read_all(connection, "chat_summary_hour")
    assert (hour["minutes"], hour["chat_count"], hour["chat_rate"]) == (1, 5, 5 / 60)


async def read_versions(connection: asyncpg.Connection) -> list[tuple[Any, ...]]:
    """Return where the server keeps each row: an update would move it."""
    tables = ("minute", "hour", "day")
    rows = [
        await connection.fetch(
            f"SELECT tableoid, ctid, xmin FROM {noun}_summary_{table} ORDER BY 1, 2"  # noqa: S608
        )
        for noun in ("chat", "reading")
        for table in tables
    ]
    return [tuple(row) for group in rows for row in group]


async def test_a_replay_writes_no_row_and_computes_no_hour(
    store: CommitStore, connection: asyncpg.Connection
):
    history = draw_history(random.Random(7))
    await store.commit(history)
    before = await read_versions(connection)
    for changes in history:
        await commit_one(store, changes)
    await store.commit(history)
    assert await read_versions(connection) == before
    assert before


async def test_what_touches_one_stream_leaves_the_hours_of_others_alone(
    store: CommitStore, connection: asyncpg.Connection
):
    rows = [make_chat_row(START, 1, stream_id=name, chat_count=1) for name in ("a", "b")]
    await commit_one(store, make_changes(offset=1, chat=frame_rows(*rows)))
    query = "SELECT stream_id, ctid FROM chat_summary_hour ORDER BY stream_id"
    before = await connection.fetch(query)
    revised = frame_rows(make_chat_row(START, 2, stream_id="a", chat_count=2))
    await commit_one(store, make_changes(offset=2, chat=revised))
    after = await connection.fetch(query)
    assert before[0] != after[0]
    assert before[1] == after[1]


@pytest.mark.parametrize("noun", ["chat", "reading"])
async def test_hours_and_days_keep_their_numbers_when_what_they_are_made_of_was_dropped(
    store: CommitStore, connection: asyncpg.Connection, noun: str
):
    make, part = (make_chat_row, "chat") if noun == "chat" else (make_reading_row, "readings")

    async def write(*minutes: int, offset: int) -> None:
        rows = frame_rows(*(make(START + timedelta(minutes=n), offset) for n in minutes))
        parts: dict[str, Any] = {part: rows}
        await commit_one(store, make_changes(offset=offset, **parts))

    async def count(span: str) -> list[int]:
        rows = await read_all(connection, f"{noun}_summary_{span}")
        return [row["minutes"] for row in rows]

    await write(0, 1, 2, offset=1)
    await connection.execute(f"DELETE FROM {noun}_summary_minute")  # noqa: S608 (our tables)
    await write(5, offset=2)
    assert (await count("hour"), await count("day")) == ([3], [3])
    await connection.execute(f"DELETE FROM {noun}_summary_hour")  # noqa: S608 (our tables)
    await write(65, offset=3)
    assert (await count("hour"), await count("day")) == ([1], [3])


async def test_the_spread_of_a_large_and_steady_channel_survives(
    store: CommitStore, connection: asyncpg.Connection
):
    fields: Row = {"count": 60, "stddev": 0.1, "min": 1e9 - 1, "max": 1e9 + 1}
    rows = [
        make_reading_row(START + timedelta(minutes=n), 1, mean=1e9 + 0.001 * n, **fields)
        for n in range(60)
    ]
    await commit_one(store, make_changes(offset=1, readings=frame_rows(*rows)))
    (hour,) = await read_all(connection, "reading_summary_hour")
    assert hour["stddev"] == pytest.approx(0.100678, rel=1e-4)
    (day,) = await read_all(connection, "reading_summary_day")
    assert day["stddev"] == pytest.approx(hour["stddev"], rel=1e-12)


@pytest.mark.parametrize("value", [5e-324, 1e-200, -1e-200, 1e100, -1e100, 0.0])
async def test_values_at_the_ends_of_a_double_roll_up(
    store: CommitStore, connection: asyncpg.Connection, value: float
):
    bounds: Row = {"min": min(value, 0), "max": max(value, 0)}
    values = [value, 0.0, value / 3]
    readings = [
        make_reading_row(
            START + timedelta(minutes=n), 1, mean=mean, stddev=abs(mean), count=2, **bounds
        )
        for n, mean in enumerate(values)
    ]
    chat = [
        make_chat_row(START + timedelta(hours=n), 1, avg_viewers=abs(mean), peak_viewers=abs(mean))
        for n, mean in enumerate(values)
    ]
    changes = make_changes(offset=1, chat=frame_rows(*chat), readings=frame_rows(*readings))
    await commit_one(store, changes)
    for table in ("reading_summary_hour", "reading_summary_day"):
        (row,) = await read_all(connection, table)
        assert bounds["min"] <= row["mean"] <= bounds["max"]
        assert row["mean"] == pytest.approx(sum(values) / 3, rel=1e-9, abs=1e-130)
    (day,) = await read_all(connection, "chat_summary_day")
    assert day["avg_viewers"] == pytest.approx(abs(sum(values)) / 3, rel=1e-9, abs=1e-130)


async def test_the_zone_of_the_session_moves_no_day(
    store: CommitStore, connection: asyncpg.Connection
):
    await connection.execute("SET timezone = 'America/New_York'")
    midnight = datetime.fromisoformat("2026-03-08T00:00:00+00:00")
    rows = [make_chat_row(midnight + timedelta(hours=n), 1, chat_count=1) for n in range(48)]
    changes = make_changes(offset=1, chat=frame_rows(*rows))
    await commit_one(store, replace(changes, events=48))
    days = await read_all(connection, "chat_summary_day")
    assert [(day["window_start"], day["minutes"]) for day in days] == [
        (midnight, 24),
        (midnight + timedelta(days=1), 24),
    ]
    assert all(day["window_end"] - day["window_start"] == timedelta(days=1) for day in days)
