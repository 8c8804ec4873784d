"""Replays: archived events in the order of their arrival, as bodies for the door.

    files -> windows of arrival -> events in order -> ticks -> NDJSON under another stream's name

A window at a time is in memory. Which files a window needs is known from their arrivals.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from core.archives import ArchiveFile
from core.events import SCHEMA, TIMESTAMP
from streaming.archive.readers import list_readable, scan_files
from streaming.archive.recounts import Span

WINDOW: Final = timedelta(seconds=10)
"""Of arrival, read and sorted at once: at 100 000 events a second some 200 MB."""

TICK: Final = timedelta(milliseconds=250)
"""Of the replay's own time: what arrived within one travels together."""

BODY_EVENTS_MAX: Final = 5000
"""About one megabyte, far below what the API takes at once."""

ORDER: Final = ("arrived_at", "shard", "offset", "row")


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What is replayed and how."""

    folder: Path
    span: Span
    prefix: str
    stream_id: str | None = None
    speed: float | None = None
    """How many times faster than it was recorded; None does not wait at all."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What there is to replay."""

    events: int
    first_at: datetime
    last_at: datetime
    """When its first and its last event had arrived."""

    files: tuple[tuple[ArchiveFile, int, int], ...]
    """Each with the numbers of its first and its last window."""

    windows: tuple[int, ...]
    """The numbers of those in which anything came."""


@dataclass(frozen=True, slots=True)
class Body:
    """Events to send together."""

    arrived_at: datetime
    """When the first of them had arrived."""

    count: int
    ndjson: bytes


def find_recording(plan: ReplayPlan) -> Recording | None:
    """Return what there is to replay, or None when there is nothing."""
    files = list_readable(plan.folder, plan.span.start, plan.span.end)
    arrived = pl.col("arrived_at")
    events, first, last = (
        _choose(scan_files(plan.folder, files), plan)
        .select(pl.len(), first=arrived.min(), last=arrived.max())
        .collect()
        .row(0)
    )
    if not events:
        return None
    numbered = [
        _choose(scan_files(plan.folder, [file]), plan)
        .select(place=pl.lit(place), number=_number_window(first))
        .unique()
        for place, file in enumerate(files)
    ]
    found = pl.concat(numbered).collect()
    reach = found.group_by("place").agg(low=pl.col("number").min(), high=pl.col("number").max())
    return Recording(
        events,
        first,
        last,
        files=tuple((files[place], low, high) for place, low, high in reach.iter_rows()),
        windows=tuple(sorted(found["number"].unique().to_list())),
    )


def cut_bodies(plan: ReplayPlan, recording: Recording, *, shift: timedelta) -> Iterator[Body]:
    """Return the bodies of a recording, in the order of arrival."""
    tick = pl.lit(0)
    if plan.speed is not None:
        tick = _since(recording.first_at) // _count_micros(TICK * plan.speed)
    place = pl.int_range(pl.len()).over("tick") // BODY_EVENTS_MAX
    for number in recording.windows:
        events = _read_window(plan, recording, number).with_columns(tick=tick)
        for part in events.with_columns(part=place).partition_by(
            "tick", "part", maintain_order=True, include_key=False
        ):
            yield _write_body(part, plan.prefix, shift)


def find_shift(recording: Recording, plan: ReplayPlan, now: datetime) -> timedelta:
    """Return how far to move the times so that the last event comes when it is sent.

    At recorded speed each event then carries about the time at which it is sent; faster, the
    earlier ones lie further back, and none lies ahead of the clock.
    """
    lasts = recording.last_at - recording.first_at
    takes = timedelta(0) if plan.speed is None else lasts / plan.speed
    return now + takes - recording.last_at


def _choose(events: pl.LazyFrame, plan: ReplayPlan) -> pl.LazyFrame:
    """Keep the events of a plan, without those that a replay under its prefix brought."""
    start, end = (pl.lit(at, dtype=TIMESTAMP) for at in (plan.span.start, plan.span.end))
    events = events.filter(pl.col("timestamp") >= start, pl.col("timestamp") < end)
    if plan.stream_id is not None:
        return events.filter(pl.col("stream_id") == plan.stream_id)
    if plan.prefix:
        return events.filter(~pl.col("stream_id").str.starts_with(plan.prefix))
    return events


def _read_window(plan: ReplayPlan, recording: Recording, number: int) -> pl.DataFrame:
    files = [file for file, low, high in recording.files if low <= number <= high]
    return (
        _choose(scan_files(plan.folder, files), plan)
        .filter(_number_window(recording.first_at) == number)
        .sort(ORDER)
        .collect()
    )


def _number_window(first_at: datetime) -> pl.Expr:
    return _since(first_at) // _count_micros(WINDOW)


def _since(first_at: datetime) -> pl.Expr:
    return (pl.col("arrived_at") - pl.lit(first_at, dtype=TIMESTAMP)).dt.total_microseconds()


def _count_micros(span: timedelta) -> int:
    return max(1, span // timedelta(microseconds=1))


def _write_body(events: pl.DataFrame, prefix: str, shift: timedelta) -> Body:
    moved = events.select(
        pl.concat_str(pl.lit(prefix), "stream_id").alias("stream_id"),
        (pl.col("timestamp") + shift).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
        *(name for name in SCHEMA.names() if name not in {"stream_id", "timestamp"}),
    )
    used = [name for name in moved.columns if moved[name].null_count() < moved.height]
    ndjson = moved.select(used).write_ndjson()
    return Body(events["arrived_at"][0], events.height, ndjson.encode())
