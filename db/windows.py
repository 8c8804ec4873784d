"""Windows: rows of metrics at any resolution, all of one shape.

    1m       the minutes themselves
    5m, 15m  put together from minutes when they are asked for
    1h, 1d   the roll-ups

A window lies in a span when it begins in it, and is always told whole.
"""

from dataclasses import dataclass
from typing import Any, Final

from core.resolutions import MINUTE, Resolution
from db.minutes import END, MinuteStore, Span
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("windows")

_ROLL_UPS: Final = {"1h": "hours", "1d": "days"}


@dataclass(frozen=True, slots=True)
class Source:
    """What has windows: the chat of a stream, or one of its channels."""

    stream_id: str
    channel: str | None = None

    @property
    def noun(self) -> str:
        """The noun in the names of its queries."""
        return "chat" if self.channel is None else "reading"

    @property
    def key(self) -> tuple[str, ...]:
        """The leading parameters of its queries."""
        return (self.stream_id,) if self.channel is None else (self.stream_id, self.channel)


class WindowStore:
    """Reads windows through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_windows(
        self, source: Source, resolution: Resolution, span: Span
    ) -> list[dict[str, Any]]:
        """Return the windows that begin in a span, newest first."""
        if resolution is MINUTE:
            return await self._list_minutes(source, span)
        if resolution.name in _ROLL_UPS:
            return await self._list_roll_ups(source, _ROLL_UPS[resolution.name], span)
        return await self._put_together(source, resolution, span)

    async def _list_minutes(self, source: Source, span: Span) -> list[dict[str, Any]]:
        minutes = MinuteStore(self._connection)
        if source.channel is None:
            return await minutes.list_chat(source.stream_id, span)
        return await minutes.list_readings(source.stream_id, source.channel, span)

    async def _list_roll_ups(self, source: Source, noun: str, span: Span) -> list[dict[str, Any]]:
        query = SQL[f"list_{source.noun}_{noun}"]
        rows = await self._connection.fetch(query, *source.key, span.start, span.end, span.limit)
        return [dict(row) for row in rows]

    async def _put_together(
        self, source: Source, resolution: Resolution, span: Span
    ) -> list[dict[str, Any]]:
        rows = await self._connection.fetch(
            SQL[f"list_{source.noun}_buckets"],
            *source.key,
            # No minute counts that belongs to a window beginning outside of the span.
            resolution.round_up(min(span.start, END)),
            resolution.round_up(min(span.end, END)),
            resolution.width,
            span.limit * resolution.minutes,
            span.limit,
        )
        return [dict(row) for row in rows]
