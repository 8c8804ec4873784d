"""Migrations: from nothing, again, and by two processes that start at once."""

import asyncio
import sys
from typing import Final

import asyncpg
import pytest

from core.settings import REPOSITORY
from db.migrate import migrate, newest_revision
from db.pool import prepare_connection
from tests.fixtures.roll_ups import check_roll_ups, read_all

TABLES: Final = {
    "alert_groups",
    "alert_routes",
    "alert_rules",
    "alert_watches",
    "api_keys",
    "audit_log",
    "chat_summary_day",
    "chat_summary_hour",
    "chat_summary_minute",
    "dead_letters",
    "deliveries",
    "delivery_attempts",
    "late_events",
    "moment_changes",
    "moment_lives",
    "moments",
    "reading_summary_day",
    "reading_summary_hour",
    "reading_summary_minute",
    "readings",
    "source_offsets",
    "streams",
    "stt_tasks",
    "transaction_summary_minute",
    "transactions",
    "viewer_timeseries",
}
HYPERTABLES: Final = TABLES - {
    "alert_groups",
    "alert_routes",
    "alert_rules",
    "alert_watches",
    "api_keys",
    "audit_log",
    "dead_letters",
    "deliveries",
    "delivery_attempts",
    "late_events",
    "moment_changes",
    "moment_lives",
    "source_offsets",
    "streams",
    "stt_tasks",
}


OLD_ROWS: Final = (
    """
    INSERT INTO chat_summary_minute
    SELECT stream_id, t, t + INTERVAL '1 minute', n, n % 7, ARRAY['b', 'a"\\'],
        jsonb_build_object('b', n, 'a"\\', n), n / 1000.0, n / 60.0, nullif(n, 30), n, 0, false, n,
        n % 10 > 0
    FROM unnest(ARRAY['x', 'y']) AS stream_id, generate_series(0, 119) AS n,
        LATERAL (SELECT TIMESTAMPTZ '2026-01-26 10:00Z' + n * INTERVAL '1 minute') AS at(t)
    """,
    """
    INSERT INTO reading_summary_minute
    SELECT stream_id, 'temp', t, t + INTERVAL '1 minute', CASE WHEN n < 40 THEN 'V' END, n + 1,
        1e6 + n, 0, 2e6, 0.1, n, t, 0, false, n, n % 10 > 0
    FROM unnest(ARRAY['x', 'y']) AS stream_id, generate_series(0, 119) AS n,
        LATERAL (SELECT TIMESTAMPTZ '2026-01-26 10:00Z' + n * INTERVAL '1 minute') AS at(t)
    """,
    """
    INSERT INTO late_events (stream_id, window_start, type, events, batch_offset)
    VALUES ('x', '2026-01-26', 'chat', 2, 1), ('x', '2026-01-26', 'chat', 3, 1),
        ('x', '2026-01-26', 'chat', 1, 2)
    """,
)
"""What a database of the first revision may hold; one minute in ten is not final."""


async def describe(url: str) -> tuple[set[str], set[str], list[str]]:
    """Return the tables, the hypertables and the revisions of a database."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        hypertables = await connection.fetch(
            "SELECT hypertable_name FROM timescaledb_information.hypertables"
        )
        revisions = await connection.fetch("SELECT version_num FROM alembic_version")
    finally:
        await connection.close()
    return {row[0] for row in tables}, {row[0] for row in hypertables}, [r[0] for r in revisions]


async def run_migrate(url: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "db.migrate",
        cwd=REPOSITORY,
        env={"DATABASE_URL": url, "LOG_FORMAT": "json"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    return process.returncode, told.decode()


async def test_an_empty_database_gets_every_table(empty_database_url: str):
    await asyncio.to_thread(migrate, empty_database_url)
    tables, hypertables, revisions = await describe(empty_database_url)
    assert tables >= TABLES
    assert hypertables >= HYPERTABLES
    assert revisions == [newest_revision()]


async def test_a_second_migration_changes_nothing_and_loses_nothing(database_url: str):
    connection = await asyncpg.connect(database_url)
    await connection.execute("INSERT INTO streams (stream_id) VALUES ('kept')")
    before = await describe(database_url)
    await asyncio.to_thread(migrate, database_url)
    assert await describe(database_url) == before
    assert await connection.fetchval("SELECT stream_id FROM streams") == "kept"
    await connection.close()


async def test_an_older_database_keeps_its_rows_and_has_its_minutes_rolled_up(
    empty_database_url: str,
):
    await asyncio.to_thread(migrate, empty_database_url, "0001")
    connection = await asyncpg.connect(empty_database_url)
    await prepare_connection(connection)
    for statement in OLD_ROWS:
        await connection.execute(statement)
    await asyncio.to_thread(migrate, empty_database_url)
    await check_roll_ups(connection)
    for table, count in (("hour", 4), ("day", 2)):
        for noun in ("chat", "reading"):
            assert len(await read_all(connection, f"{noun}_summary_{table}")) == count
    assert await connection.fetchval("SELECT count(p50) FROM reading_summary_minute") == 0
    late = await connection.fetch("SELECT batch_offset, events, applied_at FROM late_events")
    assert sorted(tuple(row) for row in late) == [(1, 5, None), (2, 1, None)]
    await connection.close()


async def test_two_processes_that_migrate_at_once_do_it_once(empty_database_url: str):
    done = await asyncio.gather(*(run_migrate(empty_database_url) for _ in range(2)))
    assert [code for code, _ in done] == [0, 0], done
    tables, _, revisions = await describe(empty_database_url)
    assert tables >= TABLES
    assert revisions == [newest_revision()]


async def test_a_url_with_options_of_libpq_is_understood(empty_database_url: str):
    await asyncio.to_thread(migrate, empty_database_url.replace("=disable", "=prefer"))
    assert (await describe(empty_database_url))[2] == [newest_revision()]


@pytest.mark.parametrize("url", ["", "nonsense"])
async def test_a_wrong_address_ends_with_an_error(url: str):
    code, told = await run_migrate(url)
    assert code != 0
    assert told
