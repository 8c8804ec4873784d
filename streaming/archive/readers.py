"""Readers: events back from the archive, each once.

Verification, replay and backtests read through ``scan_archive``. A file that a crash or a copy
left half is named and left out; the others are read.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import structlog

from core.archives import (
    ARCHIVE_SCHEMA,
    REQUIRED,
    ROW_KEY,
    ArchiveFile,
    floor_hour,
    name_hour,
    parse_path,
    split_overlapping,
)
from core.events import TIMESTAMP

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class UnreadableFile:
    """A file of the archive that cannot be read, and why."""

    file: ArchiveFile
    path: Path
    reason: str


def log_unreadable(unreadable: UnreadableFile) -> None:
    """Say that a file is left out."""
    log.warning("file_unreadable", path=str(unreadable.path), reason=unreadable.reason)


def scan_archive(
    folder: Path,
    start: datetime,
    end: datetime,
    *,
    shard: int | None = None,
    on_unreadable: Callable[[UnreadableFile], None] = log_unreadable,
) -> pl.LazyFrame:
    """Return the events from a time until before another, by their own time, each once.

    Args:
        folder: The archive.
        start: Of the first event.
        end: Beyond the last event.
        shard: Only the events of one shard.
        on_unreadable: Told of each file that is left out.
    """
    files = list_readable(folder, start, end, shard=shard, on_unreadable=on_unreadable)
    low, high = (pl.lit(at.astimezone(UTC), dtype=TIMESTAMP) for at in (start, end))
    at = pl.col("timestamp")
    return scan_files(folder, files).filter(at >= low, at < high)


def scan_files(folder: Path, files: Iterable[ArchiveFile]) -> pl.LazyFrame:
    """Return the events of files, each once."""
    single, overlapping = split_overlapping(files)
    # Without its maintained order ``unique`` streams; the order of rows is in their columns.
    twice = _scan(folder, overlapping).unique(subset=ROW_KEY, keep="any")
    return pl.concat([_scan(folder, single), twice])


def list_readable(
    folder: Path,
    start: datetime,
    end: datetime,
    *,
    shard: int | None = None,
    on_unreadable: Callable[[UnreadableFile], None] = log_unreadable,
) -> list[ArchiveFile]:
    """Return the files that may hold events of a span and can be read."""
    files = list_files(folder, start, end, shard=shard)
    return [file for file in files if not _tell(folder, file, on_unreadable)]


def list_files(
    folder: Path, start: datetime, end: datetime, *, shard: int | None = None
) -> list[ArchiveFile]:
    """Return the files that may hold events of a span, by hour, shard and offset."""
    low, high = name_hour(floor_hour(start)), name_hour(end)
    # Names of hours sort as the hours do.
    places = (place for place in folder.glob("????-??-??T??") if low <= place.name <= high)
    found = (parse_path(path) for place in places for path in place.glob("shard-*.parquet"))
    return sorted(
        file for file in found if file and shard in {None, file.shard} and file.hour < end
    )


def list_hours(folder: Path) -> list[str]:
    """Return the names of the hours that the archive holds, oldest first."""
    return sorted(place.name for place in folder.glob("????-??-??T??") if place.is_dir())


def path_of(folder: Path, file: ArchiveFile) -> Path:
    """Return where a file lies."""
    return folder / file.folder / file.name


def find_defect(path: Path) -> str | None:
    """Return why a file cannot be read, or None; looks at its end, not at every page."""
    try:
        schema = pl.read_parquet_schema(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        return f"it is damaged or not whole ({type(error).__name__})"
    if missing := [name for name in REQUIRED if name not in schema]:
        return f"it has no column {', '.join(missing)}"
    wrong = [name for name, kind in schema.items() if ARCHIVE_SCHEMA.get(name, kind) != kind]
    return f"it has another type in {', '.join(wrong)}" if wrong else None


def _tell(folder: Path, file: ArchiveFile, tell: Callable[[UnreadableFile], None]) -> bool:
    path = path_of(folder, file)
    if (reason := find_defect(path)) is None:
        return False
    tell(UnreadableFile(file, path, reason))
    return True


def _scan(folder: Path, files: Iterable[ArchiveFile]) -> pl.LazyFrame:
    paths = [path_of(folder, file) for file in files]
    if not paths:
        return pl.LazyFrame(schema=ARCHIVE_SCHEMA)
    return pl.scan_parquet(
        paths,
        schema=ARCHIVE_SCHEMA,
        glob=False,
        missing_columns="insert",
        extra_columns="ignore",
        hive_partitioning=False,
    )
