"""Telemetry of sessions: points and channels of a session's own stream and of those it looks at.

Of its own stream all points belong to a session, of the others those from its start to its end.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from core.sessions import (
    CHANNELS_MAX,
    SNAPSHOT_AGE_MAX,
    Place,
    Point,
    list_streams,
    write_snapshot,
)
from db.minutes import BEGINNING, END, PointSpan
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("session_telemetry")

Row = dict[str, Any]
Session = Mapping[str, Any]


class SessionTelemetryStore:
    """Reads points through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_points(
        self, session: Session, places: Sequence[Place], wanted: PointSpan
    ) -> list[Point]:
        """Return points of channels, newest first."""
        streams = [place.stream_id for place in places]
        rows = await self._connection.fetch(
            SQL["list_points"],
            streams,
            [place.channel for place in places],
            *_list_bounds(session, streams),
            *wanted.to_parameters()[:3],
            wanted.span.limit,
            wanted.skip,
        )
        return list(map(Point._make, rows))

    async def list_channels(
        self, session: Session, *, start: datetime = BEGINNING, end: datetime = END
    ) -> list[Place]:
        """Return the channels that have points, those of the session's own stream first."""
        streams = list_streams(session)
        return await self._list_channels(streams, *_list_bounds(session, streams), start, end)

    async def take_snapshot(self, session: Session, at: datetime) -> Row:
        """Return the newest value of every channel at a time, none older than a day."""
        streams = list_streams(session)
        since = max(at - SNAPSHOT_AGE_MAX, BEGINNING)
        starts, ends = [since] * len(streams), [at] * len(streams)
        places = await self._list_channels(streams, starts, ends, since, at)
        found = await self._connection.fetch(
            SQL["list_newest"],
            [place.stream_id for place in places],
            [place.channel for place in places],
            since,
            at,
            CHANNELS_MAX,
        )
        return write_snapshot(session["id"], [dict(row) for row in found])

    async def find_applied(self, shard: int) -> int:
        """Return through which offset a shard is applied; 0 before the first."""
        applied: int | None = await self._connection.fetchval(SQL["find_applied"], shard)
        return applied or 0

    async def _list_channels(
        self,
        streams: Sequence[str],
        starts: Sequence[datetime],
        ends: Sequence[datetime],
        start: datetime,
        end: datetime,
    ) -> list[Place]:
        rows = await self._connection.fetch(
            SQL["list_channels"], streams, starts, ends, start, end, CHANNELS_MAX
        )
        return [Place(*row) for row in rows]


def _list_bounds(session: Session, streams: Sequence[str]) -> tuple[list[datetime], list[datetime]]:
    """Return from when to when points of streams belong to a session."""
    own, end = session["id"], session["ended_at"] or END
    starts = [BEGINNING if name == own else session["started_at"] for name in streams]
    return starts, [END if name == own else end for name in streams]
