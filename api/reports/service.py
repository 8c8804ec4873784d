"""Report service: reads what a report tells of, both periods in the same way."""

from datetime import datetime
from typing import Any, Final

import orjson

from api.deps import Resources
from core.reports import (
    CHANNELS_MAX,
    MOMENTS_MAX,
    WINDOWS_MAX,
    Found,
    Period,
    make_report,
)
from core.resolutions import Resolution, choose_resolution
from db.minutes import MinuteStore, Span
from db.moments import MomentStore
from db.pool import Connection
from db.streams import StreamStore
from db.transactions import TransactionStore
from db.windows import Source, WindowStore

LEDGER_ROWS_MAX: Final = 20_000
"""Stretches of time times kinds times currencies: far more than any stream has."""


async def load_report(uses: Resources, stream_id: str, period: Period) -> bytes:
    """Return a report as JSON.

    Raises:
        NotFoundError: There is no such stream.
    """
    now = uses.clock.now()
    resolution = choose_resolution(period.end - period.start, WINDOWS_MAX)
    async with (
        uses.pool.connection() as connection,
        # Nothing changes between the totals and what they are the sums of.
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        stream = await StreamStore(connection).get(stream_id)
        reading = _Reading(connection, stream_id, resolution, now)
        found = await reading.read(period, CHANNELS_MAX), await reading.read(period.before, 0)
    report = make_report(stream, period, resolution, found, now)
    return orjson.dumps(report, option=orjson.OPT_UTC_Z)


class _Reading:
    """Reads periods of one stream."""

    def __init__(
        self, connection: Connection, stream_id: str, resolution: Resolution, now: datetime
    ) -> None:
        self._connection = connection
        self._stream_id = stream_id
        self._resolution = resolution
        self._now = now

    async def read(self, period: Period, channels_max: int) -> Found:
        """Return what there is of a period, and of so many channels."""
        whole = Span(period.start, period.end, LEDGER_ROWS_MAX)
        best = Span(period.start, period.end, MOMENTS_MAX)
        moments, count = await MomentStore(self._connection).list_best(
            self._stream_id, best, now=self._now
        )
        return Found(
            chat=await self._list_windows(Source(self._stream_id), period),
            transactions=await TransactionStore(self._connection).sum_up(
                self._stream_id, whole, self._resolution.width
            ),
            moments=moments,
            moments_found=count,
            channels=await self._list_channels(period, channels_max),
        )

    async def _list_channels(self, period: Period, limit: int) -> dict[str, list[dict[str, Any]]]:
        if not limit:
            return {}
        rows = await MinuteStore(self._connection).list_channels(self._stream_id, limit)
        names = [row["channel"] for row in rows]
        return {
            name: await self._list_windows(Source(self._stream_id, name), period) for name in names
        }

    async def _list_windows(self, source: Source, period: Period) -> list[dict[str, Any]]:
        span = Span(period.start, period.end, WINDOWS_MAX + 1)
        return await WindowStore(self._connection).list_windows(source, self._resolution, span)
