"""Retention: what is older than the policy says goes, chunk by chunk.

The Apache edition of TimescaleDB has no background policies; a process calls ``drop_old`` once an
hour. Where the community edition runs, ``apply_policies`` also turns old raw points into columns.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from core.alerts import HISTORY_AFTER
from core.deliveries import KEPT_FOR
from core.retention import RetentionPolicy
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("retention")

RAW_TABLES: Final = ("viewer_timeseries", "readings", "transactions")
MINUTE_TABLES: Final = (
    "chat_summary_minute",
    "reading_summary_minute",
    "transaction_summary_minute",
)
HOUR_TABLES: Final = (
    "chat_summary_hour",
    "chat_summary_day",
    "reading_summary_hour",
    "reading_summary_day",
)
LISTS: Final = ("late_events", "dead_letters")

ALERT_LISTS: Final = {
    "moment_changes": HISTORY_AFTER,
    "deliveries": KEPT_FOR,
    "alert_watches": KEPT_FOR,
    "alert_groups": KEPT_FOR,
}
"""What alerts leave behind, and how long it is kept. A change that nobody decided about for so long
is history, of which nobody is told."""

BATCH_ROWS: Final = 10_000
"""Rows deleted in one statement: locks and log stay small."""

BATCHES_MAX: Final = 100
"""A call ends; what is left goes with the next one."""

COLUMNS_AFTER: Final = timedelta(days=7)
"""Raw points younger than this stay rows, which late events can still be added to cheaply."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """What went from one table."""

    table: str
    chunks: int = 0
    rows: int = 0
    """Rows of a list; chunks go without being counted."""


class RetentionStore:
    """Drops what is old through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def drop_old(self, now: datetime, policy: RetentionPolicy) -> list[Dropped]:
        """Drop what is older than the policy keeps; return what went."""
        kinds = (
            (RAW_TABLES, policy.raw),
            (MINUTE_TABLES, policy.minutes),
            (HOUR_TABLES, policy.hours),
        )
        dropped = [
            await self._drop_chunks(table, now - kept)
            for tables, kept in kinds
            if kept is not None
            for table in tables
        ]
        if policy.raw is not None:
            dropped += [await self._delete_rows(table, now - policy.raw) for table in LISTS]
        dropped += [
            await self._delete_rows(table, now - kept) for table, kept in ALERT_LISTS.items()
        ]
        return [item for item in dropped if item.chunks or item.rows]

    async def apply_policies(self, policy: RetentionPolicy) -> tuple[str, ...]:
        """Let the community edition keep raw points in columns; return the tables it does so for.

        The Apache edition refuses all of it and is not asked. May be called again at any time: a
        new policy replaces the old one.
        """
        if await self._connection.fetchval(SQL["get_license"]) != "timescale":
            return ()
        for table in RAW_TABLES:
            await self._connection.execute(SQL[f"enable_{table}"])
            await self._connection.execute(SQL["add_columnstore_policy"], table, COLUMNS_AFTER)
            await self._connection.execute(SQL["remove_retention_policy"], table)
            if policy.raw is not None:
                await self._connection.execute(SQL["add_retention_policy"], table, policy.raw)
        return RAW_TABLES

    async def _drop_chunks(self, table: str, older_than: datetime) -> Dropped:
        try:
            async with self._connection.transaction():
                await self._connection.execute(SQL["limit_waiting"])
                chunks = await self._connection.fetch(SQL["drop_chunks"], table, older_than)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            # Somebody uses it; the next call finds it again.
            return Dropped(table)
        return Dropped(table, chunks=len(chunks))

    async def _delete_rows(self, table: str, older_than: datetime) -> Dropped:
        rows = 0
        for _ in range(BATCHES_MAX):
            status = await self._connection.execute(SQL[f"delete_{table}"], older_than, BATCH_ROWS)
            deleted = int(status.rpartition(" ")[2])
            rows += deleted
            if deleted < BATCH_ROWS:
                break
        return Dropped(table, rows=rows)
