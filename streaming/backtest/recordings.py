"""Recordings: what once came, in the order in which it came.

    archive            files -> five minutes of arrival -> events in order -> steps
    file of events     the same, by the time of the events, which is when they came

All shards together: a shard keeps its streams apart, and a batch of many streams costs little more
than one of few. Five minutes are in memory at a time.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple, Protocol

import numpy as np
import polars as pl

from core.archives import ArchiveFile
from core.errors import InvalidError
from core.event_times import read_times
from core.events import RAW_SCHEMA, SCHEMA, TIMESTAMP
from core.times import EPOCH
from streaming.archive.readers import list_readable, scan_files
from streaming.archive.recounts import Span

WINDOW: Final = timedelta(minutes=5)
"""Of arrival, read at once: at 10 000 events a second some 700 MB."""

MICROSECOND: Final = timedelta(microseconds=1)

SUFFIXES: Final = (".parquet", ".ndjson")


class Arrival(NamedTuple):
    """Events that came together."""

    at: datetime
    events: pl.DataFrame


class Recording(Protocol):
    """What once came."""

    def read(self, step: timedelta) -> Iterator[Arrival]:
        """Return it in order; what came within a step came together."""
        ...


@dataclass(frozen=True, slots=True)
class ArchiveRecording:
    """A span of the archive."""

    folder: Path
    span: Span
    stream_id: str | None = None

    def read(self, step: timedelta) -> Iterator[Arrival]:
        """Return it in the order of arrival, and of the bus."""
        files = list_readable(self.folder, self.span.start, self.span.end)
        reach = {file: self._find_reach(file) for file in files}
        windows = sorted({number for low, high in reach.values() for number in range(low, high)})
        for number in windows:
            wanted = [file for file, (low, high) in reach.items() if low <= number < high]
            yield from _cut(self._read_window(wanted, number), step)

    def _find_reach(self, file: ArchiveFile) -> tuple[int, int]:
        """Return the numbers of the first window of a file and of the one behind its last."""
        arrived = pl.col("arrived_at")
        first, last = (
            self._choose([file]).select(first=arrived.min(), last=arrived.max()).collect().row(0)
        )
        return (0, 0) if first is None else (_number_window(first), _number_window(last) + 1)

    def _read_window(self, files: list[ArchiveFile], number: int) -> pl.DataFrame:
        begin = EPOCH + number * WINDOW
        low, high = (pl.lit(at, dtype=TIMESTAMP) for at in (begin, begin + WINDOW))
        arrived = pl.col("arrived_at")
        return (
            self._choose(files)
            .filter(arrived >= low, arrived < high)
            .sort("arrived_at", "shard", "offset", "row")
            .select(*SCHEMA.names(), "offset", arrived=arrived.dt.epoch("us"))
            .collect()
        )

    def _choose(self, files: list[ArchiveFile]) -> pl.LazyFrame:
        low, high = (pl.lit(at, dtype=TIMESTAMP) for at in (self.span.start, self.span.end))
        at = pl.col("timestamp")
        events = scan_files(self.folder, files).filter(at >= low, at < high)
        return events if self.stream_id is None else events.filter(stream_id=self.stream_id)


@dataclass(frozen=True, slots=True)
class FileRecording:
    """A file of events, in Parquet; each came when it happened."""

    path: Path
    stream_id: str | None = None

    def find_span(self) -> Span:
        """Return from when until when its events are.

        Raises:
            InvalidError: There are none.
        """
        at = pl.col("timestamp")
        first, last = self._scan().select(first=at.min(), last=at.max()).collect().row(0)
        if first is None:
            stream = f" of {self.stream_id}" if self.stream_id else ""
            raise InvalidError(f"The file holds no events{stream}.")
        minute = timedelta(minutes=1)
        begin = first.replace(second=0, microsecond=0)
        return Span(begin, begin + ((last - begin) // minute + 1) * minute)

    def read(self, step: timedelta) -> Iterator[Arrival]:
        """Return its events, by their time."""
        span = self.find_span()
        for number in range(_number_window(span.start), _number_window(span.end) + 1):
            begin = EPOCH + number * WINDOW
            low, high = (pl.lit(at, dtype=TIMESTAMP) for at in (begin, begin + WINDOW))
            at = pl.col("timestamp")
            events = self._scan().filter(at >= low, at < high).collect()
            yield from _cut(events.sort("timestamp", maintain_order=True), step)

    def _scan(self) -> pl.LazyFrame:
        events = pl.scan_parquet(self.path, glob=False)
        return events if self.stream_id is None else events.filter(stream_id=self.stream_id)


@contextmanager
def open_file(path: Path, stream_id: str | None = None) -> Iterator[FileRecording]:
    """Lend the recording of a file, of which a copy in order is kept meanwhile.

    Raises:
        InvalidError: It cannot be read, or holds no events.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="telemetra-backtest-")))
        copy = folder / "events.parquet"
        try:
            _scan_file(path).sink_parquet(copy, compression="lz4")
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InvalidError(f"{path} cannot be read as events: {reason}") from error
        yield FileRecording(copy, stream_id)


def _scan_file(path: Path) -> pl.LazyFrame:
    """Return the events of a file, with the columns and types of checked ones."""
    if path.suffix not in SUFFIXES:
        raise InvalidError(f"{path} ends in neither {' nor '.join(SUFFIXES)}.")
    events = (
        pl.scan_parquet(path, glob=False)
        if path.suffix == ".parquet"
        else pl.scan_ndjson(path, schema=RAW_SCHEMA)
    )
    names = events.collect_schema().names()
    if missing := [name for name in ("stream_id", "type", "timestamp") if name not in names]:
        raise InvalidError(f"{path} has no column {', '.join(missing)}.")
    at = pl.col("timestamp").map_batches(
        lambda given: read_times(given, EPOCH), return_dtype=TIMESTAMP
    )
    others = [
        pl.col(name).cast(SCHEMA[name]) if name in names else pl.lit(None, SCHEMA[name]).alias(name)
        for name in SCHEMA.names()
        if name != "timestamp"
    ]
    events = events.select(*others, at).select(SCHEMA.names())
    known = [pl.col(name).is_not_null() for name in ("stream_id", "type", "timestamp")]
    return events.filter(*known)


def _cut(events: pl.DataFrame, step: timedelta) -> Iterator[Arrival]:
    """Cut the events of a window into what came together."""
    if events.is_empty():
        return
    used = [name for name in events.columns if events[name].null_count() < events.height]
    events, step_us = events.select(used), step // MICROSECOND
    is_of_bus = "arrived" in events.columns
    times = (events["arrived"] if is_of_bus else events["timestamp"].dt.epoch("us")).to_numpy()
    steps = times // step_us
    begins = np.flatnonzero(np.diff(steps, prepend=steps[0] - 1))
    ends = [*begins[1:].tolist(), events.height]
    for begin, end in zip(begins.tolist(), ends, strict=True):
        last = int(times[end - 1]) if is_of_bus else int(steps[begin] + 1) * step_us
        yield Arrival(EPOCH + last * MICROSECOND, events.slice(begin, end - begin))


def _number_window(at: datetime) -> int:
    return (at - EPOCH) // WINDOW
