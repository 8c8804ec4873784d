"""Deletions: a stream and all that it owns.

    streams, moments, lives, late events, audit log: one transaction -> the stream is gone
    hypertables, chunk by chunk, a transaction each                  -> its rows are gone

A stream may own more rows than one statement can delete in time. What is left when the time is over
goes with the next call, which finds it although the stream itself is gone.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.errors import NotFoundError
from core.keys import Caller
from db.audit_log import AuditStore
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("deletions")

AT_ONCE: Final = ("streams", "moments", "moment_lives", "late_events")
"""Tables with few rows of a stream, in the order in which they are locked: moments before lives, as
whoever changes a moment does."""

BY_CHUNK: Final = {
    "chat_summary_minute": "window_start",
    "reading_summary_minute": "window_start",
    "transaction_summary_minute": "window_start",
    "chat_summary_hour": "window_start",
    "chat_summary_day": "window_start",
    "reading_summary_hour": "window_start",
    "reading_summary_day": "window_start",
    "viewer_timeseries": "timestamp",
    "readings": "timestamp",
    "transactions": "timestamp",
}
"""Hypertables that may have very many, and their time: what people look at before raw points."""

CHUNKS_MAX: Final = 10_000
"""Of one table: 27 years of days."""

CHUNK_S_MAX: Final = 20
"""Time for one chunk: some ten million raw points of one stream in one day."""

CALL_S_MAX: Final = 10.0
"""After so long no further chunk is begun."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a call deleted."""

    rows: dict[str, int]
    """By table."""

    is_complete: bool
    """Whether nothing is left."""


class DeletionStore:
    """Deletes streams through the connection it is given."""

    def __init__(
        self, connection: Connection, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._audit = AuditStore(connection)
        self._monotonic = monotonic

    async def delete(self, stream_id: str, *, actor: Caller) -> Deleted:
        """Delete a stream, or what is left of one.

        Raises:
            NotFoundError: Nothing is known of it in any table.
        """
        until = self._monotonic() + CALL_S_MAX
        if not await self._exists(stream_id):
            raise NotFoundError(f"There is no stream {stream_id!r}.")
        rows = await self._delete_at_once(stream_id, actor)
        for table, column in BY_CHUNK.items():
            rows[table] = 0
            for start, end in await self._list_chunks(table):
                if self._monotonic() >= until:
                    return Deleted(rows, is_complete=False)
                rows[table] += await self._delete_part(stream_id, table, column, start, end)
        return Deleted(rows, is_complete=True)

    async def _exists(self, stream_id: str) -> bool:
        for table in (*AT_ONCE, *BY_CHUNK):
            if await self._connection.fetchval(_name(SQL["find_owned"], table), stream_id):
                return True
        return False

    async def _delete_at_once(self, stream_id: str, actor: Caller) -> dict[str, int]:
        rows = {}
        async with self._connection.transaction(isolation="read_committed"):
            await self._allow_time()
            stream = await self._connection.fetchrow(SQL["get_stream"], stream_id)
            for table in AT_ONCE:
                statement = _name(SQL["delete_rows"], table)
                rows[table] = _count(
                    await self._connection.execute(statement, stream_id, timeout=CHUNK_S_MAX)
                )
            before: dict[str, Any] = dict(stream) if stream else {"stream_id": stream_id}
            await self._audit.insert(actor, "stream.delete", stream_id, before=before, after=None)
        return rows

    async def _list_chunks(self, table: str) -> list[tuple[datetime, datetime]]:
        found = await self._connection.fetch(SQL["list_chunks"], table, CHUNKS_MAX)
        return [(row["range_start"], row["range_end"]) for row in found]

    async def _delete_part(
        self, stream_id: str, table: str, column: str, start: datetime, end: datetime
    ) -> int:
        statement = _name(SQL["delete_part"], table).replace("{time}", column)
        async with self._connection.transaction(isolation="read_committed"):
            await self._allow_time()
            return _count(
                await self._connection.execute(
                    statement, stream_id, start, end, timeout=CHUNK_S_MAX
                )
            )

    async def _allow_time(self) -> None:
        """Let a statement take longer than one of a reader may."""
        await self._connection.execute(SQL["allow_time"], f"{CHUNK_S_MAX}s")


def _name(statement: str, table: str) -> str:
    return statement.replace("{table}", table)


def _count(status: str) -> int:
    return int(status.rpartition(" ")[2])
