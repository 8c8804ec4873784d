"""Windows: rows of metrics at any resolution, all of one shape.

    1m       the minutes themselves
    5m, 15m  put together from minutes when they are asked for
    1h, 1d   the roll-ups

A window lies in a span when it begins in it, and is always told whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from core.resolutions import MINUTE, Resolution
from db.minutes import END, MinuteStore, Span, read_chat
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("windows")
CURVES: Final = load_queries("curves")

_NOUNS: Final = {"1m": "minutes", "1h": "hours", "1d": "days"}
"""In the names of queries; what is put together is in buckets."""


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
        noun = _NOUNS.get(resolution.name, "buckets")
        query = SQL[f"list_{source.noun}_{noun}"]
        narrowed = self._narrow(resolution, span)
        rows = await self._connection.fetch(query, *source.key, *narrowed, span.starts)
        return [dict(row) if source.channel else read_chat(row) for row in rows]

    async def list_curves(
        self, source: Source, resolution: Resolution, span: Span
    ) -> Sequence[Mapping[str, Any]]:
        """Return of the same windows only what a chart is thinned by: ``at``, and the curves."""
        query = CURVES[f"list_{source.noun}_{_NOUNS.get(resolution.name, 'buckets')}"]
        narrowed = self._narrow(resolution, span)
        rows = await self._connection.fetch(query, *source.key, *narrowed)
        # A record is a mapping in all but its type; ten thousand dictionaries would be slow.
        return cast("Sequence[Mapping[str, Any]]", rows)

    async def _list_minutes(self, source: Source, span: Span) -> list[dict[str, Any]]:
        minutes = MinuteStore(self._connection)
        if source.channel is None:
            return await minutes.list_chat(source.stream_id, span)
        return await minutes.list_readings(source.stream_id, source.channel, span)

    def _narrow(self, resolution: Resolution, span: Span) -> tuple[object, ...]:
        """Return the parameters that say when and how many."""
        if resolution.name in _NOUNS:
            return (span.start, span.end, span.limit)
        # No minute counts that belongs to a window beginning outside of the span.
        start = resolution.round_up(min(span.start, END))
        end = resolution.round_up(min(span.end, END))
        return (start, end, resolution.width, span.limit * resolution.minutes, span.limit)
