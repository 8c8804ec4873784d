"""Houses: what is too old goes, and small files are merged, once an hour.

    files of the archive: drop old hours, merge those that are over
    database: drop old chunks and rows; once, let the community edition keep old points in columns

Each is kept for itself: one that fails now is tried again in an hour.
"""

import asyncio
from datetime import timedelta

import asyncpg
import structlog

from core.clock import Clock
from core.errors import TelemetraError
from core.retention import make_retention_policy
from core.settings import Settings
from db.retention import RetentionStore
from streaming.archive.merges import merge_hours
from streaming.archive.sources import connect
from streaming.archive.writers import drop_old_hours

log = structlog.get_logger()


class House:
    """What the archive keeps in order beside its rounds."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._policy = make_retention_policy(settings)
        self._has_policies = False

    async def keep(self) -> None:
        """Let go of what is too old."""
        await self._keep_files()
        await self._keep_database()

    async def _keep_files(self) -> None:
        folder, now = self._settings.archive_dir, self._clock.now()
        kept_from = now - timedelta(days=self._settings.archive_retention_days)
        try:
            dropped = await asyncio.to_thread(drop_old_hours, folder, kept_from)
            merged = await asyncio.to_thread(merge_hours, folder, now)
        except OSError as error:
            log.warning("house_not_kept", error=str(error))
        else:
            log.info("house_kept", hours_dropped=dropped, files_merged=merged)

    async def _keep_database(self) -> None:
        try:
            async with connect(self._settings.require_database_url()) as connection:
                store = RetentionStore(connection)
                await self._apply_policies(store)
                dropped = await store.drop_old(self._clock.now(), self._policy)
        except (TelemetraError, asyncpg.PostgresError) as error:
            log.warning("retention_not_kept", error=str(error))
        else:
            what = {item.table: item.chunks or item.rows for item in dropped}
            log.info("retention_kept", dropped=what)

    async def _apply_policies(self, store: RetentionStore) -> None:
        if not self._has_policies:
            tables = await store.apply_policies(self._policy)
            self._has_policies = True
            log.info("policies_applied", tables=tables)
