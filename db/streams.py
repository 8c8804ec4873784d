"""Streams: what is known of each source of events, beside its minutes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.errors import NotFoundError
from core.keys import Caller
from db.audit_log import AuditStore
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("streams")


@dataclass(frozen=True, slots=True)
class StreamFilter:
    """Which streams a list names."""

    after: str | None = None
    kind: str | None = None
    search: str | None = None
    is_live: bool | None = None
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class OverviewSpan:
    """Which streams an overview names, and from when to when it tells their rates."""

    after: str | None
    start: datetime
    end: datetime
    limit: int


@dataclass(frozen=True, slots=True)
class StreamNames:
    """What a person says about a stream; what is None stays as it was."""

    title: str | None = None
    kind: str | None = None
    metadata: dict[str, Any] | None = None


class StreamStore:
    """Reads and names streams through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._audit = AuditStore(connection)

    async def list_streams(
        self, wanted: StreamFilter, *, live_since: datetime
    ) -> list[dict[str, Any]]:
        """Return streams by id."""
        rows = await self._connection.fetch(
            SQL["list_streams"],
            wanted.after,
            wanted.kind,
            wanted.search,
            wanted.is_live,
            live_since,
            wanted.limit,
            wanted.offset,
        )
        return [dict(row) for row in rows]

    async def list_overview(self, span: OverviewSpan) -> list[dict[str, Any]]:
        """Return streams by id, each with its newest minute and the rates of a span."""
        rows = await self._connection.fetch(
            SQL["list_overview"], span.after, span.start, span.end, span.limit
        )
        return [dict(row) for row in rows]

    async def get(self, stream_id: str) -> dict[str, Any]:
        """Return one stream.

        Raises:
            NotFoundError: There is none with this id.
        """
        row = await self._connection.fetchrow(SQL["get_stream"], stream_id)
        if row is None:
            raise NotFoundError(
                f"There is no stream {stream_id!r}. Its first event makes it appear."
            )
        return dict(row)

    async def require(self, stream_id: str) -> None:
        """Raise ``NotFoundError`` unless the stream exists."""
        if not await self._connection.fetchval(SQL["exists_stream"], stream_id):
            raise NotFoundError(
                f"There is no stream {stream_id!r}. Its first event makes it appear."
            )

    async def put(self, stream_id: str, named: StreamNames, *, actor: Caller) -> None:
        """Name a stream, and write down who did when that changes anything."""
        async with self._connection.transaction():
            before = await self._lock(stream_id)
            await self._connection.execute(
                SQL["put_stream"], stream_id, named.title, named.kind, named.metadata
            )
            after = await self._lock(stream_id)
            if after != before:
                await self._audit.insert(actor, "stream.put", stream_id, before=before, after=after)

    async def _lock(self, stream_id: str) -> dict[str, Any] | None:
        row = await self._connection.fetchrow(SQL["lock_stream"], stream_id)
        return None if row is None else dict(row)
