"""The tables of jobs are those that the installed procrastinate expects."""

import asyncio
from pathlib import Path
from typing import Final

import asyncpg
from procrastinate.schema import SchemaManager

from db.migrate import migrate
from tests.fixtures.databases import execute, fresh_database

MARKS: Final = (
    "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE proname LIKE 'procrastinate%'",
    "SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'procrastinate%'",
    "SELECT table_name, column_name, data_type, is_nullable, column_default"
    " FROM information_schema.columns WHERE table_name LIKE 'procrastinate%'",
    "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger"
    " WHERE NOT tgisinternal AND tgname LIKE '%procrastinate%'",
    "SELECT typname, enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid"
    " WHERE typname LIKE 'procrastinate%'",
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE conrelid::regclass::text LIKE 'procrastinate%'",
)


async def describe(url: str) -> list[set[tuple[object, ...]]]:
    """Return what a database has of procrastinate."""
    connection = await asyncpg.connect(url)
    try:
        return [{tuple(row) for row in await connection.fetch(mark)} for mark in MARKS]
    finally:
        await connection.close()


async def test_our_migrations_make_what_the_installed_release_expects(
    server_url: str, empty_database_url: str
):
    await asyncio.to_thread(migrate, empty_database_url)
    async with fresh_database(server_url, "template0") as theirs:
        await execute(theirs, SchemaManager.get_schema())
        ours, expected = await describe(empty_database_url), await describe(theirs)
    assert all(expected)
    # When this fails, a release brought migrations: a migration of ours has to apply them.
    assert ours == expected


def test_every_migration_of_the_installed_release_is_known():
    newest = max(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    assert newest.name == "03.04.00_50_post_add_retry_failed_job_procedure.sql"
