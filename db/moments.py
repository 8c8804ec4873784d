"""Moments: what was unusual, as it is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from db.minutes import Span
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("moments")


@dataclass(frozen=True, slots=True)
class MomentFilter:
    """Which moments a list names."""

    span: Span
    stream_id: str | None = None
    moment_type: str | None = None
    state: str | None = None
    min_score: float = 0.0
    after: tuple[datetime, str] | None = None
    """Time and id of the last moment of the page before."""


class MomentStore:
    """Reads moments through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_moments(self, wanted: MomentFilter) -> list[dict[str, Any]]:
        """Return moments, newest first."""
        rows = await self._connection.fetch(
            SQL["list_moments"],
            wanted.stream_id,
            wanted.span.start,
            wanted.span.end,
            wanted.moment_type,
            wanted.state,
            wanted.min_score,
            *(wanted.after or (None, None)),
            wanted.span.limit,
        )
        return [dict(row) for row in rows]

    async def list_open(
        self, streams: Sequence[str], *, since: datetime, limit: int
    ) -> list[dict[str, Any]]:
        """Return the moments of streams that began since a time and are not over, newest first."""
        rows = await self._connection.fetch(SQL["list_open_moments"], streams, since, limit)
        return [dict(row) for row in rows]
