"""Houses: what is too old goes from the disk and from the database, each without the other."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from core.clock import ManualClock
from core.settings import Settings
from streaming.archive.houses import House
from tests.fixtures.archives import list_parquet, write_archive
from tests.fixtures.events import chat, make_entry

NOW = datetime(2026, 1, 26, 10, tzinfo=UTC)
OLD = NOW - timedelta(days=100)


@pytest.fixture
def folder(settings: Settings) -> Path:
    """An archive with an old hour."""
    write_archive(settings.archive_dir, [(0, make_entry(NOW, [chat(OLD)]))])
    return settings.archive_dir


async def insert_points(connection: asyncpg.Connection) -> None:
    for at in (NOW, OLD):
        await connection.execute("INSERT INTO viewer_timeseries VALUES ('s', $1, 1)", at)


async def list_points(connection: asyncpg.Connection) -> list[datetime]:
    return [row[0] for row in await connection.fetch("SELECT timestamp FROM viewer_timeseries")]


async def test_what_is_too_old_goes_from_the_disk_and_from_the_database(
    settings: Settings, folder: Path, connection: asyncpg.Connection
):
    await insert_points(connection)
    await House(settings, ManualClock(NOW)).keep()
    assert await list_points(connection) == [NOW]
    assert list_parquet(folder) == []


async def test_the_settings_say_what_is_too_old(settings: Settings, connection: asyncpg.Connection):
    await insert_points(connection)
    kept = settings.model_copy(update={"retention_raw_days": 0})
    await House(kept, ManualClock(NOW)).keep()
    assert sorted(await list_points(connection)) == [OLD, NOW]


async def test_policies_are_applied_once_and_as_soon_as_the_database_is_there(
    settings: Settings, folder: Path, dead_database_url: str
):
    away = House(settings.model_copy(update={"database_url": dead_database_url}), ManualClock(NOW))
    with capture_logs() as logs:
        await away.keep()
        await away.keep()
    events = [entry["event"] for entry in logs]
    assert events == ["house_kept", "retention_not_kept"] * 2
    assert list_parquet(folder) == []
    house = House(settings, ManualClock(NOW))
    with capture_logs() as logs:
        await house.keep()
        await house.keep()
    events = [entry["event"] for entry in logs]
    again = ["house_kept", "retention_kept"]
    assert events == ["house_kept", "policies_applied", "retention_kept", *again]


async def test_a_database_without_tables_does_not_end_the_process(
    settings: Settings, empty_database_url: str
):
    bare = settings.model_copy(update={"database_url": empty_database_url})
    with capture_logs() as logs:
        await House(bare, ManualClock(NOW)).keep()
    assert logs[-1]["event"] == "retention_not_kept"
