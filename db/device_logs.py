"""Device logs: all that devices said and all that became of commands, for as long as one wants.

Nothing here is dropped by age: the log is cleared on purpose only, with an entry in the audit log.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from core.errors import NotFoundError
from core.keys import Caller
from db.audit_log import AuditStore
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("device_logs")

Kind: TypeAlias = Literal["data", "command_result", "device_message"]

COUNTED_MAX: Final = 100_000
"""Rows that a filter finds are counted up to here; the total is always exact."""

CHUNKS_MAX: Final = 10_000
CHUNK_S_MAX: Final = 20
CALL_S_MAX: Final = 10.0
"""As for the deletion of a stream: time for one chunk, and after which no further one is begun."""

Row = dict[str, Any]


class LogRow(NamedTuple):
    """One row to be written."""

    device_id: str
    timestamp: datetime
    seq: int
    kind: Kind
    id: str
    value: str
    """As JSON."""

    received_at: datetime


class Numbers:
    """Numbers of rows in the log: rising, and of no other process."""

    def __init__(self, start: int) -> None:
        self._next = start

    def take(self) -> int:
        """Return the next one."""
        self._next += 1
        return self._next


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which rows are wanted."""

    device_id: str
    since: datetime
    until: datetime
    kind: Kind | None = None
    id: str | None = None
    before: int | None = None
    """Of the rows at ``until`` only those with a smaller number."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """What a call deleted."""

    rows: int
    is_complete: bool
    """Whether nothing is left."""


class DeviceLogStore:
    """Writes and reads the log through the connection it is given."""

    def __init__(
        self, connection: Connection, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._monotonic = monotonic

    async def insert(self, rows: Sequence[LogRow]) -> None:
        """Write rows; those that are there already stay as they are."""
        if rows:
            await self._connection.execute(SQL["insert_rows"], *map(list, zip(*rows, strict=True)))

    async def list_rows(self, wanted: LogFilter, *, limit: int) -> list[Row]:
        """Return rows, newest first."""
        rows = await self._connection.fetch(
            SQL["list_rows"],
            wanted.device_id,
            wanted.since,
            wanted.until,
            wanted.kind,
            wanted.id,
            wanted.before,
            limit,
        )
        return [dict(row) for row in rows]

    async def count(self, wanted: LogFilter) -> int:
        """Return how many rows a filter finds, up to ``COUNTED_MAX``."""
        found: int = await self._connection.fetchval(
            SQL["count_rows"],
            wanted.device_id,
            wanted.since,
            wanted.until,
            wanted.kind,
            wanted.id,
            COUNTED_MAX,
        )
        return found

    async def count_all(self, device_id: str) -> int:
        """Return how many rows a device has."""
        return await self._connection.fetchval(SQL["get_total"], device_id) or 0

    async def clear(self, device_id: str, *, actor: Caller) -> Cleared:
        """Delete the rows of a device, newest first; what is left goes with the next call.

        Raises:
            NotFoundError: There are none.
        """
        total = await self.count_all(device_id)
        if not total:
            raise NotFoundError(f"Nothing is logged of a device {device_id!r}.")
        # Said before the first row goes: whatever cuts the call short, the log says who began.
        await AuditStore(self._connection).insert(
            actor, "device_log.clear", device_id, before={"rows": total}, after=None
        )
        until, rows = self._monotonic() + CALL_S_MAX, 0
        for start, end in await self._connection.fetch(SQL["list_chunks"], CHUNKS_MAX):
            if self._monotonic() >= until:
                return Cleared(rows, is_complete=False)
            rows += await self._delete_part(device_id, start, end)
        return Cleared(rows, is_complete=True)

    async def _delete_part(self, device_id: str, start: datetime, end: datetime) -> int:
        async with self._connection.transaction(isolation="read_committed"):
            await self._connection.execute(SQL["allow_time"], f"{CHUNK_S_MAX}s")
            status = await self._connection.execute(
                SQL["delete_part"], device_id, start, end, timeout=CHUNK_S_MAX
            )
            deleted = int(status.rpartition(" ")[2])
            await self._connection.execute(SQL["subtract_rows"], device_id, deleted)
        return deleted
