"""Writers: points of all devices of this process, on their way to the log and to the bus.

    point ─► waits, bounded ─► every tenth of a second ─┬─► the device's log
                                                        └─► readings of the stream, on the bus

While the database or the bus is away points wait for it, up to a limit; beyond that they are
counted as lost, and the device is told so. Nobody else waits for either.
"""

import asyncio
import secrets
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Generic, NamedTuple, TypeVar

import polars as pl
import structlog
from typing_extensions import override

from api.ingest.checks import Checker, count_events
from core import metrics
from core.errors import TelemetraError
from core.events import TIMESTAMP
from core.keys import EVERYONE
from core.tasks import end
from db.device_logs import DeviceLogStore, LogRow
from db.pool import Pool
from streaming.bus.base import BusWriter, Once

EVERY_S: Final = 0.1
"""How often what waits is written: a thousand points a second are ten statements."""

AT_ONCE_MAX: Final = 5_000
"""Rows of one statement or entry, a few hundred kilobytes."""

WAITING_MAX: Final = 100_000
"""Rows that wait: a hundred seconds of ten devices with a hundred points a second each, and some
fifty megabytes."""

RETRY_S_MAX: Final = 5.0

Row = TypeVar("Row")

log = structlog.get_logger()


class Reading(NamedTuple):
    """A number that a device measured."""

    device_id: str
    channel: str
    value: float
    unit: str | None
    timestamp: datetime


class Writer(ABC, Generic[Row]):
    """Writes rows in the order in which they came, and keeps them until that succeeded."""

    name: str

    def __init__(self) -> None:
        # At 0 from the start: of a series that begins with its first loss no growth is seen.
        metrics.device_points_lost_total.labels(self.name)
        self._waiting: list[Row] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many rows wait to be written."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write what waits, if that is possible at once, and stop."""
        if self._task is not None:
            await end(self._task)
            await self._write_waiting()

    def add(self, device_id: str, rows: Sequence[Row]) -> int:
        """Let rows of a device wait to be written; return how many are lost for lack of room."""
        room = max(WAITING_MAX - len(self._waiting), 0)
        self._waiting += rows[:room]
        lost = max(len(rows) - room, 0)
        if lost:
            metrics.device_points_lost_total.labels(self.name).inc(lost)
            log.warning("device_points_lost", writer=self.name, device_id=device_id, count=lost)
        return lost

    async def _run(self) -> None:
        wait_s = EVERY_S
        while True:
            await asyncio.sleep(wait_s)
            is_written = await self._write_waiting()
            wait_s = EVERY_S if is_written else min(wait_s * 2, RETRY_S_MAX)

    async def _write_waiting(self) -> bool:
        """Write all that waits; say whether that could be done."""
        while self._waiting:
            try:
                written = await self._write(self._waiting[:AT_ONCE_MAX])
            except TelemetraError as error:
                waiting = len(self._waiting)
                log.warning("device_points_wait", writer=self.name, code=error.code, count=waiting)
                return False
            del self._waiting[:written]
        return True

    @abstractmethod
    async def _write(self, rows: Sequence[Row]) -> int:
        """Write the first of some rows, and return how many; the same again change nothing."""


class LogWriter(Writer[LogRow]):
    """Writes the log."""

    name = "log"

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self._pool = pool

    @override
    async def _write(self, rows: Sequence[LogRow]) -> int:
        async with self._pool.connection() as connection:
            await DeviceLogStore(connection).insert(rows)
        return len(rows)


class Append(NamedTuple):
    """Readings as they go onto the bus."""

    rows: int
    entries: dict[int, bytes]
    once: Once
    counts: dict[str, int]
    rejected: int


class ReadingWriter(Writer[Reading]):
    """Puts readings on the bus, as the door for events does."""

    name = "readings"

    def __init__(self, bus: BusWriter, checker: Checker) -> None:
        super().__init__()
        self._bus = bus
        self._checker = checker
        self._begun: Append | None = None
        """What was tried, and may have arrived: it goes again as it is, and counts once."""

    @override
    async def _write(self, rows: Sequence[Reading]) -> int:
        append = self._begun = self._begun or self._pack(rows)
        if append.entries:
            await self._bus.append(append.entries, once=append.once)
        self._begun = None
        count_events(append.counts, append.rejected)
        return append.rows

    def _pack(self, rows: Sequence[Reading]) -> "Append":
        devices, channels, values, units, times = zip(*rows, strict=True)
        raw = pl.DataFrame(
            {
                "stream_id": pl.Series(devices, dtype=pl.String),
                "channel": pl.Series(channels, dtype=pl.String),
                "value": pl.Series(values, dtype=pl.Float64),
                "unit": pl.Series(units, dtype=pl.String),
                "timestamp": pl.Series(times, dtype=TIMESTAMP),
            }
        ).with_columns(type=pl.lit("reading"))
        checked = self._checker.check_rows(raw.with_row_index("index"), EVERYONE)
        counts = checked.count_by_type() if checked.events.height else {}
        return Append(
            len(rows),
            self._checker.pack(checked.events),
            Once(f"devices:{secrets.token_hex(16)}", "readings"),
            counts,
            len(checked.rejected),
        )
