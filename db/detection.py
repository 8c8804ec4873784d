"""Detection: how much is known of each series of a stream, from its stored minutes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from db.minutes import CHANNEL_SILENCE
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("detection")


LEDGER_MINUTES_MAX: Final = 10_000
"""Minutes of kinds and currencies that are looked at: an hour of a hundred and sixty of them."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of one series."""

    metric: str
    is_channel: bool
    minutes: int
    """Complete ones in the stretch that was looked at."""

    z_score: float | None = None
    """The last one that there was."""

    judged_at: datetime | None = None
    """Its minute."""


class DetectionStore:
    """Measures what is known through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def measure(
        self, stream_id: str, *, span: timedelta, until: datetime, limit: int
    ) -> list[Knowledge]:
        """Return what is known of every series that was heard, channels by name last.

        Args:
            stream_id: Whose series.
            span: How far to look back.
            until: The start of the last minute that counts.
            limit: How many channels at most.
        """
        stretch = (stream_id, until - span, until)
        return [
            *await self._measure_chat(*stretch),
            *await self._measure_transactions(*stretch),
            *await self._measure_channels(*stretch, limit, until - CHANNEL_SILENCE),
        ]

    async def _measure_chat(self, *stretch: object) -> list[Knowledge]:
        row = await self._connection.fetchrow(SQL["measure_chat"], *stretch)
        assert row is not None  # noqa: S101 (an aggregate has one row)
        judged = {"chat_count": (row["z_score"], row["judged_at"])}
        return [
            Knowledge(metric, False, row[metric], *judged.get(metric, ()))
            for metric in ("chat_count", "avg_viewers", "avg_sentiment")
            if row[metric] is not None
        ]

    async def _measure_transactions(self, *stretch: object) -> list[Knowledge]:
        minutes = await self._connection.fetchval(
            SQL["measure_transactions"], *stretch, LEDGER_MINUTES_MAX
        )
        return [Knowledge("transaction_count", False, minutes)] if minutes is not None else []

    async def _measure_channels(self, *parameters: object) -> list[Knowledge]:
        rows = await self._connection.fetch(SQL["measure_channels"], *parameters)
        return [
            Knowledge(row["channel"], True, row["minutes"], row["z_score"], row["judged_at"])
            for row in rows
        ]
