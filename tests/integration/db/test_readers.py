"""Readers: the role of the dashboards reads what they show, and the database refuses the rest."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from core.errors import SettingsInvalidError
from db.migrate import main
from db.readers import READABLE, READER, provide_reader

PASSWORD: Final = "for-reading-0123"
READ_ONLY: Final = asyncpg.ReadOnlySQLTransactionError
FORBIDDEN: Final = asyncpg.InsufficientPrivilegeError
STREAM: Final = "INSERT INTO streams (stream_id, metadata) VALUES ('seen', '{\"token\": \"t0p\"}')"
COLUMNS: Final = """
    SELECT attrelid::regclass::text AS table, attname AS column
    FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0
      AND NOT attisdropped
"""
NEW_CHUNK: Final = """
    INSERT INTO chat_summary_minute (
        stream_id, window_start, window_end, chat_count, unique_chatters, top_emotes, emote_counts,
        chat_rate, is_anomaly, revision, final
    ) VALUES ('seen', now(), now(), 7, 1, '{}', '{}', 0.1, false, 1, true)
"""
WRITES: Final = (
    "INSERT INTO streams (stream_id) VALUES ('forged')",
    "UPDATE moments SET state = 'resolved'",
    "DELETE FROM chat_summary_minute",
    "TRUNCATE moments",
    "DROP TABLE streams",
    "CREATE TABLE mine (id integer)",
    "SELECT drop_chunks('chat_summary_minute', older_than => now())",
    "ALTER ROLE telemetra_reader SUPERUSER",
    "GRANT SELECT ON api_keys TO telemetra_reader",
    "COPY streams TO PROGRAM 'cat'",
)
SECRETS: Final = (
    "SELECT digest FROM api_keys",
    "SELECT secret FROM alert_routes",
    "SELECT target FROM alert_routes",
    "SELECT after FROM audit_log",
    "SELECT payload FROM dead_letters",
    "SELECT content FROM deliveries",
    "SELECT metadata FROM streams",
    "SELECT user_name FROM transactions",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_read_file('postgresql.conf')",
)


def name_role(url: str, role: str, password: str) -> str:
    """Return the URL of a database for another role."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{role}:{password}@{parts.hostname}:{parts.port}"))


@asynccontextmanager
async def connect(
    url: str, *, role: str = READER, password: str = PASSWORD
) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(name_role(url, role, password))
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def connect_owner(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def find_refusal(reader: asyncpg.Connection, statement: str) -> type[Exception] | None:
    """Return why a statement is refused, or None when it is done."""
    try:
        await reader.execute(statement)
    except asyncpg.PostgresError as error:
        return type(error)
    return None


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the role that dashboards read with."""
    await provide_reader(database_url, PASSWORD)
    async with connect(database_url) as connection:
        yield connection


async def test_the_reader_reads_each_column_that_is_named_and_no_other(
    reader: asyncpg.Connection,
) -> None:
    known = await reader.fetch(COLUMNS)
    assert {row["table"] for row in known} > READABLE.keys()
    for row in known:
        allowed = await reader.fetchval(
            "SELECT has_column_privilege($1, $2, 'SELECT')", row["table"], row["column"]
        )
        named = READABLE.get(row["table"])
        assert allowed == (named is not None and (not named or row["column"] in named)), row


async def test_secrets_and_raw_events_are_refused(reader: asyncpg.Connection) -> None:
    for statement in SECRETS:
        assert await find_refusal(reader, statement) is FORBIDDEN, statement


async def test_nothing_can_be_written_even_by_who_asks_for_it(reader: asyncpg.Connection) -> None:
    for statement in WRITES:
        assert await find_refusal(reader, statement) in {READ_ONLY, FORBIDDEN}, statement
    await reader.execute("SET default_transaction_read_only = off")
    for statement in WRITES:
        assert await find_refusal(reader, statement) is FORBIDDEN, statement


async def test_what_is_written_later_in_new_chunks_is_read_too(
    database_url: str, reader: asyncpg.Connection
) -> None:
    async with connect_owner(database_url) as owner:
        await owner.execute(STREAM)
        await owner.execute(NEW_CHUNK)
    assert await reader.fetchval("SELECT chat_count FROM chat_summary_minute") == 7
    assert await reader.fetchval("SELECT stream_id FROM streams") == "seen"


async def test_what_the_reader_takes_is_limited(reader: asyncpg.Connection) -> None:
    assert await reader.fetchval("SHOW default_transaction_read_only") == "on"
    assert await reader.fetchval("SHOW statement_timeout") == "30s"
    assert await reader.fetchval("SHOW idle_in_transaction_session_timeout") == "1min"
    limit = "SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user"
    assert await reader.fetchval(limit) == 20


async def test_rights_of_before_are_taken_away_and_the_password_is_changed(
    database_url: str, reader: asyncpg.Connection
) -> None:
    async with connect_owner(database_url) as owner:
        await owner.execute(f"GRANT pg_read_all_data TO {READER}")
        await owner.execute(f"GRANT INSERT ON api_keys TO {READER}")
        await owner.execute(f"GRANT SELECT (digest) ON api_keys TO {READER}")
    await reader.execute("SELECT digest FROM api_keys")
    await provide_reader(database_url, "another-word-0123")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute("SELECT digest FROM api_keys")
    assert not await reader.fetchval("SELECT has_table_privilege('api_keys', 'INSERT')")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(name_role(database_url, READER, PASSWORD))
    async with connect(database_url, password="another-word-0123") as changed:
        await changed.execute("SELECT count(*) FROM moments")


async def test_a_migration_brings_the_reader_along(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("READER_PASSWORD", "by-migration-0123")
    await asyncio.to_thread(main)
    async with connect(database_url, password="by-migration-0123") as reader:
        assert await reader.fetchval("SELECT current_user") == READER


async def test_who_may_make_no_roles_is_told_what_to_do(database_url: str) -> None:
    async with connect_owner(database_url) as owner:
        await owner.execute("CREATE ROLE plain LOGIN PASSWORD 'plain-word-0123'")
    try:
        with pytest.raises(SettingsInvalidError, match="CREATEROLE"):
            await provide_reader(name_role(database_url, "plain", "plain-word-0123"), PASSWORD)
    finally:
        async with connect_owner(database_url) as owner:
            await owner.execute("DROP ROLE plain")
