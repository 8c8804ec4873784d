"""Archives: how events lie in Parquet files, and which of those files may hold a row twice.

    archive/2026-01-26T10/shard-0003-{first offset}-{last offset}.parquet

A folder is an hour of event time, a file what one round of the archive found of one shard in it.
A round that a crash cut short leaves rows that the next one writes again, under another name:
files of one hour and shard whose ranges overlap are made unique by ``ROW_KEY``.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import PurePath
from typing import Final

import polars as pl

from core.batches import Batch, Entry, decode_batch
from core.dead_letters import DeadLetter
from core.events import SCHEMA, TIMESTAMP, fill_columns

HOUR: Final = timedelta(hours=1)

ROW_KEY: Final = ("shard", "offset", "row")
"""What names an event for ever: its shard, its bus entry, and its place in that entry."""

ARCHIVE_SCHEMA: Final = pl.Schema(
    {
        **SCHEMA,
        "shard": pl.Int32(),
        "offset": pl.Int64(),
        "row": pl.Int32(),
        "arrived_at": TIMESTAMP,
    }
)

REQUIRED: Final = ("stream_id", "type", "timestamp", *ROW_KEY, "arrived_at")
"""Without these a row cannot be placed; other columns may be missing and read as null."""

_HOUR_FORMAT: Final = "%Y-%m-%dT%H"
_NAME: Final = re.compile(r"shard-(\d{4,})-(\d+)-(\d+)\.parquet")


@dataclass(frozen=True, slots=True, order=True)
class ArchiveFile:
    """What the path of a file says of it."""

    hour: datetime
    shard: int
    first: int
    last: int

    @property
    def folder(self) -> str:
        """The name of its hour's folder."""
        return name_hour(self.hour)

    @property
    def name(self) -> str:
        """Its name within the folder."""
        return f"shard-{self.shard:04d}-{self.first}-{self.last}.parquet"


def floor_hour(at: datetime) -> datetime:
    """Return the beginning of the hour of a time."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def name_hour(hour: datetime) -> str:
    """Return the name of an hour's folder."""
    return hour.astimezone(UTC).strftime(_HOUR_FORMAT)


def parse_hour(name: str) -> datetime | None:
    """Return the hour that a folder's name says, or None when it is no such folder."""
    try:
        hour = datetime.strptime(name, _HOUR_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
    return hour if name_hour(hour) == name else None


def parse_path(path: PurePath) -> ArchiveFile | None:
    """Return what a path says, or None when it is no file of the archive."""
    hour, match = parse_hour(path.parent.name), _NAME.fullmatch(path.name)
    if hour is None or match is None:
        return None
    shard, first, last = (int(part) for part in match.groups())
    return ArchiveFile(hour, shard, first, last)


def split_overlapping(files: Iterable[ArchiveFile]) -> tuple[list[ArchiveFile], list[ArchiveFile]]:
    """Split files into those that share a row with no other, and those that may."""
    ordered = sorted(files)
    overlapping: set[ArchiveFile] = set()
    widest: dict[tuple[datetime, int], ArchiveFile] = {}
    for file in ordered:
        reach = widest.get((file.hour, file.shard))
        if reach is not None and file.first <= reach.last:
            overlapping |= {reach, file}
        if reach is None or file.last > reach.last:
            widest[file.hour, file.shard] = file
    return [file for file in ordered if file not in overlapping], sorted(overlapping)


def split_covered(files: Iterable[ArchiveFile]) -> tuple[list[ArchiveFile], list[ArchiveFile]]:
    """Split files into those that are needed and those whose rows another one has all of.

    A file has every row of its hour and shard from its first offset to its last: rounds read the
    bus without gaps, and only neighbours are merged.
    """
    needed: list[ArchiveFile] = []
    covered: list[ArchiveFile] = []
    for file in sorted(files, key=lambda file: (file.hour, file.shard, file.first, -file.last)):
        reach = needed[-1] if needed else None
        is_same_place = reach is not None and (reach.hour, reach.shard) == (file.hour, file.shard)
        if reach is not None and is_same_place and file.last <= reach.last:
            covered.append(file)
        else:
            needed.append(file)
    return needed, covered


def read_rows(shard: int, entries: Sequence[Entry]) -> tuple[pl.DataFrame, tuple[DeadLetter, ...]]:
    """Return the events of bus entries as rows of the archive, and the entries that hold none.

    What is readable is decided where the flow decides it: an entry is archived or a dead letter.
    """
    decoded = decode_batch(Batch(shard, tuple(entries)))
    rows = fill_columns(decoded.events, SCHEMA.names()).select(
        *SCHEMA.names(),
        shard=pl.lit(shard, dtype=pl.Int32),
        offset=pl.col("offset"),
        row=pl.int_range(pl.len(), dtype=pl.Int32).over("offset"),
        arrived_at=pl.col("arrived").cast(TIMESTAMP),
    )
    return rows, decoded.dead


def split_by_hour(rows: pl.DataFrame) -> dict[datetime, pl.DataFrame]:
    """Split rows by the hour of their event time, keeping their order."""
    parts = rows.with_columns(_hour=pl.col("timestamp").dt.truncate("1h")).partition_by(
        "_hour", as_dict=True, include_key=False, maintain_order=True
    )
    return {key[0].astimezone(UTC): part for key, part in parts.items()}


def cut_hours(start: datetime, end: datetime) -> Sequence[tuple[datetime, datetime]]:
    """Cut a span at full hours."""
    inner = [floor_hour(start) + HOUR * number for number in range(1, _count_hours(start, end) + 1)]
    points = [start, *(at for at in inner if start < at < end), end]
    return list(pairwise(points))


def _count_hours(start: datetime, end: datetime) -> int:
    return (end - floor_hour(start)) // HOUR
