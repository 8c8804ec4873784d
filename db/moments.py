"""Moments: what was unusual, as it is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from core.moment_lives import show_moment
from core.moments import MomentState
from db.minutes import Span
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("moments")

STORED: Final = {
    None: "true",
    "open": "state IN ('open', 'shelved')",
    "acknowledged": "state IN ('acknowledged', 'shelved')",
    "shelved": "state IN ('acknowledged', 'shelved')",
    "resolved": "state <> 'open'",
}
"""What may be stored of a moment that is in a state now: the condition of a partial index."""

LISTS: Final = {
    state: SQL["list_moments"].replace("{stored}", stored) for state, stored in STORED.items()
}
"""``list_moments``, by the state asked for."""


@dataclass(frozen=True, slots=True)
class MomentFilter:
    """Which moments a list names."""

    span: Span
    stream_id: str | None = None
    moment_type: str | None = None
    state: MomentState | None = None
    min_score: float = 0.0
    after: tuple[datetime, str] | None = None
    """Time and id of the last moment of the page before."""


class MomentStore:
    """Reads moments through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_moments(self, wanted: MomentFilter, *, now: datetime) -> list[dict[str, Any]]:
        """Return moments as they are at a time, newest first."""
        rows = await self._connection.fetch(
            LISTS[wanted.state],
            wanted.stream_id,
            wanted.span.start,
            wanted.span.end,
            wanted.moment_type,
            wanted.state,
            wanted.min_score,
            *(wanted.after or (None, None)),
            wanted.span.limit,
            now,
        )
        return [show_moment(dict(row), now) for row in rows]

    async def list_best(
        self, stream_id: str, span: Span, *, now: datetime
    ) -> tuple[list[dict[str, Any]], int]:
        """Return the moments of a stream with the highest scores, and how many there are."""
        rows = await self._connection.fetch(
            SQL["list_best_moments"], stream_id, span.start, span.end, span.limit
        )
        moments = [dict(row) for row in rows]
        found = moments[0]["found"] if moments else 0
        for moment in moments:
            del moment["found"]
        return [show_moment(moment, now) for moment in moments], found

    async def find_shelf_end(self, stream_id: str | None, *, now: datetime) -> datetime | None:
        """Return when the next moment of a stream, or of all, comes back from its shelf."""
        end: datetime | None = await self._connection.fetchval(
            SQL["find_shelf_end"], stream_id, now
        )
        return end

    async def upsert(self, moments: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Write moments of the flow where they are newer; return those, as they are stored now."""
        rows = orjson.dumps(moments).decode()
        return [dict(row) for row in await self._connection.fetch(SQL["upsert_moments"], rows)]

    async def find(self, moment_id: str) -> dict[str, Any] | None:
        """Return a moment as it is stored."""
        row = await self._connection.fetchrow(SQL["find_moment"], moment_id)
        return None if row is None else dict(row)

    async def list_open(
        self, streams: Sequence[str], *, since: datetime, limit: int, now: datetime
    ) -> list[dict[str, Any]]:
        """Return the moments of streams that began since a time and are not over, newest first."""
        rows = await self._connection.fetch(SQL["list_open_moments"], streams, since, limit)
        return [show_moment(dict(row), now) for row in rows]
