"""Retention: what is old goes, what is young stays, and no more is tried than the edition can."""

from datetime import datetime, timedelta

import asyncpg
import pytest

from core.retention import RetentionPolicy, make_retention_policy
from db import retention
from db.retention import HOUR_TABLES, MINUTE_TABLES, RAW_TABLES, Dropped, RetentionStore
from tests.fixtures.settings import make_settings

NOW = datetime.fromisoformat("2026-01-26T10:00:00+00:00")
AGES = (0, 20, 60, 390, 450, 3000)
KEEP_ALL = RetentionPolicy(raw=None, minutes=None, hours=None)

INSERTS = {
    "viewer_timeseries": "(stream_id, timestamp, viewers) VALUES ('s', $1, 1)",
    "readings": "(stream_id, channel, timestamp, value) VALUES ('s', 'c', $1, 1)",
    "transactions": "(stream_id, timestamp, kind) VALUES ('s', $1, 'bits')",
    "chat_summary_minute": "VALUES ('s', $1, $1, 1, 1, '{}', '{}', 0, 0, 0, 0, 0, false, 1, true)",
    "reading_summary_minute": "VALUES ('s', 'c', $1, $1, '', 1, 1, 1, 1, 0, 1, $1, 0, false, 1)",
    "transaction_summary_minute": "VALUES ('s', 'bits', '', $1, $1, 1, 1, 1, true)",
    "chat_summary_hour": "VALUES ('s', $1, $1, 1, 1, 1, '{}', '{}', 0, 0, 0, 0, 0, 1)",
    "chat_summary_day": "VALUES ('s', $1, $1, 1, 1, 1, '{}', '{}', 0, 0, 0, 0, 0, 1)",
    "reading_summary_hour": "VALUES ('s', 'c', $1, $1, 1, '', 1, 1, 1, 1, 0, 1, $1, 1)",
    "reading_summary_day": "VALUES ('s', 'c', $1, $1, 1, '', 1, 1, 1, 1, 0, 1, $1, 1)",
    "late_events": "(stream_id, window_start, type, events, batch_offset, listed_at)"
    " VALUES ('s', $1, 'chat', 1, 1, $1)",
    "dead_letters": "(shard, batch_offset, arrived_at, reason, payload, listed_at)"
    " VALUES (0, extract(epoch FROM $1)::bigint, $1, '', '', $1)",
}


@pytest.fixture
async def aged(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A database with a row of each age, in days, in each table."""
    for table, values in INSERTS.items():
        text = values.replace("$1", "$1::timestamptz")
        if table == "reading_summary_minute":
            text = text.replace("false, 1)", "false, 1, true)")
        for age in AGES:
            await connection.execute(
                f"INSERT INTO {table} {text}",
                NOW - timedelta(days=age),
            )
    return connection


async def read_ages(connection: asyncpg.Connection) -> dict[str, list[int]]:
    """Return the ages of the rows that each table still has."""
    ages = {}
    for table in INSERTS:
        is_raw = table in RAW_TABLES
        column = "timestamp" if is_raw else "window_start"
        if table == "dead_letters":
            column = "listed_at"
        rows = await connection.fetch(f"SELECT {column} FROM {table}")  # noqa: S608 (as above)
        ages[table] = sorted((NOW - row[0]).days for row in rows)
    return ages


async def test_what_is_old_goes_and_what_is_young_stays(aged: asyncpg.Connection):
    dropped = await RetentionStore(aged).drop_old(NOW, RetentionPolicy())
    ages = await read_ages(aged)
    assert {table: ages[table] for table in RAW_TABLES} == {name: [0, 20] for name in RAW_TABLES}
    minutes = {name: [0, 20, 60, 390] for name in MINUTE_TABLES}
    assert {table: ages[table] for table in MINUTE_TABLES} == minutes
    assert {table: ages[table] for table in HOUR_TABLES} == {name: [*AGES] for name in HOUR_TABLES}
    assert (ages["late_events"], ages["dead_letters"]) == ([0, 20], [0, 20])
    assert dropped == [
        *(Dropped(table, chunks=4) for table in RAW_TABLES),
        *(Dropped(table, chunks=2) for table in MINUTE_TABLES),
        Dropped("late_events", rows=4),
        Dropped("dead_letters", rows=4),
    ]


async def test_a_second_call_finds_nothing(aged: asyncpg.Connection):
    store = RetentionStore(aged)
    await store.drop_old(NOW, RetentionPolicy())
    assert await store.drop_old(NOW, RetentionPolicy()) == []


async def test_what_is_to_be_kept_for_ever_is_kept(aged: asyncpg.Connection):
    assert await RetentionStore(aged).drop_old(NOW, KEEP_ALL) == []
    assert await read_ages(aged) == {name: [*AGES] for name in INSERTS}


async def test_hours_and_days_go_when_they_are_told_to(aged: asyncpg.Connection):
    policy = RetentionPolicy(raw=None, minutes=None, hours=timedelta(days=1000))
    dropped = await RetentionStore(aged).drop_old(NOW, policy)
    assert {item.table for item in dropped} == set(HOUR_TABLES)
    ages = await read_ages(aged)
    assert {table: ages[table] for table in HOUR_TABLES} == {
        name: [*AGES[:5]] for name in HOUR_TABLES
    }


async def test_a_chunk_with_one_young_row_stays_whole(connection: asyncpg.Connection):
    cut = NOW - timedelta(days=30)
    for time in (cut - timedelta(hours=1), cut + timedelta(hours=1)):
        await connection.execute("INSERT INTO viewer_timeseries VALUES ('s', $1, 1)", time)
    assert await RetentionStore(connection).drop_old(NOW, RetentionPolicy()) == []
    assert await connection.fetchval("SELECT count(*) FROM viewer_timeseries") == 2


async def test_lists_are_deleted_in_bounded_steps(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
):
    await connection.execute(
        "INSERT INTO late_events (stream_id, window_start, type, events, batch_offset, listed_at)"
        " SELECT 's', now(), 'chat', 1, n, $1 FROM generate_series(1, 25) AS n",
        NOW - timedelta(days=31),
    )
    monkeypatch.setattr(retention, "BATCH_ROWS", 10)
    monkeypatch.setattr(retention, "BATCHES_MAX", 2)
    store = RetentionStore(connection)
    assert await store.drop_old(NOW, RetentionPolicy()) == [Dropped("late_events", rows=20)]
    assert await store.drop_old(NOW, RetentionPolicy()) == [Dropped("late_events", rows=5)]


async def test_a_chunk_that_somebody_reads_is_left_for_the_next_time(
    aged: asyncpg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(retention.SQL, "limit_waiting", "SET LOCAL lock_timeout = '50ms'")
    reader = await asyncpg.connect(database_url)
    async with reader.transaction():
        await reader.fetch("SELECT * FROM readings")
        dropped = await RetentionStore(aged).drop_old(NOW, RetentionPolicy())
    assert "readings" not in {item.table for item in dropped}
    assert "transactions" in {item.table for item in dropped}
    dropped = await RetentionStore(aged).drop_old(NOW, RetentionPolicy())
    assert dropped == [Dropped("readings", chunks=4)]
    await reader.close()


async def test_the_apache_edition_is_asked_for_no_policy(connection: asyncpg.Connection):
    assert await connection.fetchval(retention.SQL["get_license"]) == "apache"
    # Each of these statements is refused there, so that trying one would raise.
    with pytest.raises(asyncpg.FeatureNotSupportedError):
        await connection.execute(retention.SQL["enable_readings"])
    assert await RetentionStore(connection).apply_policies(RetentionPolicy()) == ()
    jobs = "SELECT count(*) FROM timescaledb_information.jobs WHERE hypertable_name IS NOT NULL"
    assert await connection.fetchval(jobs) == 0


def test_the_settings_make_the_policy():
    assert make_retention_policy(make_settings()) == RetentionPolicy()
    kept = make_settings(retention_raw_days=0, retention_minutes_days=7, retention_hours_days=365)
    assert make_retention_policy(kept) == RetentionPolicy(
        raw=None, minutes=timedelta(days=7), hours=timedelta(days=365)
    )
