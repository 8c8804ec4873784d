"""Writers: files that are whole or not there, and how far the archive has come.

    bytes -> NAME.part, synced -> renamed -> folder synced

``progress.json`` is written after every file of a round: what it says is archived lies on disk.
"""

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import orjson
import polars as pl
import structlog

from core.archives import ArchiveFile, name_hour, parse_hour

PROGRESS: Final = "progress.json"
PART: Final = ".part"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Progress:
    """From which offset to which each shard is archived."""

    since: Mapping[int, int] = field(default_factory=dict)
    """The first offset ever archived of a shard; minutes before it cannot be recomputed."""

    through: Mapping[int, int] = field(default_factory=dict)

    def move(self, shard: int, first: int, last: int) -> "Progress":
        """Return the progress after the entries between two offsets."""
        return Progress({shard: first, **self.since}, {**self.through, shard: last})


def write_rows(folder: Path, hour: datetime, rows: pl.DataFrame) -> Path:
    """Write the rows of one shard and hour into a file of their own."""
    low, high = rows["offset"].min(), rows["offset"].max()
    file = ArchiveFile(hour, int(rows["shard"][0]), int(str(low)), int(str(high)))
    place = folder / name_hour(hour)
    if not place.is_dir():
        place.mkdir(parents=True, exist_ok=True)
        _sync_folder(folder)
    buffer = io.BytesIO()
    rows.write_parquet(buffer, compression="zstd", statistics=True)
    write_whole(place / file.name, buffer.getbuffer())
    return place / file.name


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that a crash leaves the old one or the new one, never a half."""
    part = path.with_name(path.name + PART)
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _sync_folder(path.parent)


def read_progress(folder: Path) -> Progress:
    """Return how far the archive in a folder has come.

    Without a readable file it begins again at the oldest entry of the bus: rows are then written
    a second time, and readers count them once.
    """
    path = folder / PROGRESS
    try:
        found = orjson.loads(path.read_bytes())
        return Progress(_read_offsets(found["since"]), _read_offsets(found["through"]))
    except FileNotFoundError:
        return Progress()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("progress_unreadable", path=str(path), error=type(error).__name__)
        return Progress()


def write_progress(folder: Path, progress: Progress) -> None:
    """Note how far the archive has come."""
    found = {"since": dict(progress.since), "through": dict(progress.through)}
    write_whole(folder / PROGRESS, orjson.dumps(found, option=orjson.OPT_NON_STR_KEYS))


def remove_parts(folder: Path) -> None:
    """Remove what a crash left half written."""
    for part in [*folder.glob(f"*{PART}"), *folder.glob(f"*/*{PART}")]:
        log.info("part_removed", path=str(part))
        part.unlink(missing_ok=True)


def drop_old_hours(folder: Path, before: datetime) -> int:
    """Remove the folders of hours that ended before a time; return how many those were."""
    dropped = 0
    for place in sorted(folder.glob("????-??-??T??")):
        hour = parse_hour(place.name)
        if hour is None or not place.is_dir() or name_hour(before) <= place.name:
            continue
        # The file's own names only: what somebody else put there is not ours to remove.
        for path in place.glob("shard-*"):
            path.unlink(missing_ok=True)
        if not any(place.iterdir()):
            place.rmdir()
            dropped += 1
    return dropped


def _read_offsets(found: Mapping[str, int]) -> dict[int, int]:
    return {int(shard): int(offset) for shard, offset in found.items()}


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
