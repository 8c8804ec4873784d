"""Readings: the raw points of channels."""

from collections.abc import Sequence
from typing import Any, Final

from db.minutes import PointSpan, Span
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("readings")


class ReadingStore:
    """Reads points through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_readings(
        self, stream_id: str, channels: Sequence[str], wanted: PointSpan
    ) -> list[dict[str, Any]]:
        """Return points of channels, newest first."""
        rows = await self._connection.fetch(
            SQL["list_readings"], stream_id, channels, *wanted.to_parameters()
        )
        return [dict(row) for row in rows]

    async def list_channels(self, stream_id: str, span: Span) -> list[str]:
        """Return the channels that have points in a span, by name."""
        query = SQL["list_heard_channels"]
        rows = await self._connection.fetch(query, stream_id, span.start, span.end, span.limit)
        return [row["channel"] for row in rows]
