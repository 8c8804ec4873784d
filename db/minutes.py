"""Minutes: the stored aggregates of chat and of numeric channels."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

from core.times import EPOCH
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("minutes")

BEGINNING: Final = EPOCH
END: Final = datetime(3000, 1, 1, tzinfo=UTC)

CHANNEL_SILENCE: Final = timedelta(days=1)
"""A channel that was silent for so long before the end of its stream is not listed."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time and how many rows of it are wanted, newest first."""

    start: datetime = BEGINNING
    end: datetime = END
    limit: int = 100
    starts: tuple[datetime, ...] | None = None
    """Only windows that begin at one of these times; None for all."""

    def to_parameters(self) -> tuple[object, ...]:
        """Return the last parameters of a query for windows."""
        return (self.start, self.end, self.limit, self.starts)


@dataclass(frozen=True, slots=True)
class PointSpan:
    """A page of raw points, which have no key: several may share a time."""

    span: Span
    until: datetime = END
    """The time of the last point of the page before; points of that time may be left."""

    skip: int = 0
    """How many points of that time earlier pages had."""

    def to_parameters(self) -> tuple[datetime, datetime, datetime, int, int]:
        """Return the last parameters of a query for points."""
        return (self.span.start, self.span.end, self.until, self.span.limit, self.skip)


class MinuteStore:
    """Reads minutes through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_chat(self, stream_id: str, span: Span) -> list[dict[str, Any]]:
        """Return the chat minutes of a stream, newest first."""
        rows = await self._connection.fetch(
            SQL["list_chat_minutes"], stream_id, *span.to_parameters()
        )
        return [read_chat(row) for row in rows]

    async def list_readings(self, stream_id: str, channel: str, span: Span) -> list[dict[str, Any]]:
        """Return the minutes of a channel, newest first."""
        rows = await self._connection.fetch(
            SQL["list_reading_minutes"], stream_id, channel, *span.to_parameters()
        )
        return [dict(row) for row in rows]

    async def list_channels(self, stream_id: str, limit: int) -> list[dict[str, Any]]:
        """Return the channels heard in the last day of a stream, with their newest value."""
        heard_at = await self._connection.fetchval(SQL["find_last_heard"], stream_id)
        if heard_at is None:
            return []
        since = heard_at - CHANNEL_SILENCE
        rows = await self._connection.fetch(SQL["list_channels"], stream_id, since, limit)
        return [dict(row) for row in rows]


def read_chat(row: asyncpg.Record) -> dict[str, Any]:
    """Return a window of chat with the emotes used most, each beside its count."""
    window = dict(row)
    counts = window.pop("emote_counts")
    window["top_emotes"] = [
        {"emote": name, "count": counts.get(name)} for name in window["top_emotes"]
    ]
    return window
