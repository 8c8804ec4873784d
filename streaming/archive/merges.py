"""Merges: the many small files of an hour that is over, made few.

    parts -> one file over their range -> an hour later the parts go

Until they go, and after a crash at any place, parts and whole overlap and readers count rows once.
A reader that began before the merge still finds the parts.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Final

import structlog

from core.archives import HOUR, ROW_KEY, ArchiveFile, parse_hour, parse_path, split_covered
from streaming.archive.readers import find_defect, list_hours, path_of, scan_files
from streaming.archive.writers import write_rows

PARTS_MIN: Final = 8
"""Fewer files of a shard in an hour are left as they are."""

MERGED_BYTES_MAX: Final = 16_000_000
"""Of one merged file, some 800 000 messages: what a merge holds in memory, about 300 MB."""

log = structlog.get_logger()


def merge_hours(folder: Path, now: datetime) -> int:
    """Merge the files of hours that are over; return how many parts were merged.

    Args:
        folder: The archive.
        now: An hour counts as over when it ended an hour before.
    """
    merged = 0
    for name in list_hours(folder):
        hour = parse_hour(name)
        if hour is None or hour + 2 * HOUR > now:
            continue
        found = sorted(filter(None, map(parse_path, (folder / name).glob("shard-*.parquet"))))
        needed, covered = split_covered(found)
        _remove_covered(folder, needed, covered, now)
        for _, files in groupby(needed, key=lambda file: file.shard):
            merged += _merge_shard(folder, list(files))
    return merged


def _merge_shard(folder: Path, files: Sequence[ArchiveFile]) -> int:
    if len(files) < PARTS_MIN:
        return 0
    if any(find_defect(path_of(folder, file)) for file in files):
        # Merged around it, its rows would count as covered.
        log.warning("merge_skipped", folder=files[0].folder, shard=files[0].shard)
        return 0
    merged = 0
    for group in _group(folder, files):
        if len(group) > 1:
            write_rows(folder, group[0].hour, scan_files(folder, group).sort(ROW_KEY).collect())
            merged += len(group)
    return merged


def _group(folder: Path, files: Iterable[ArchiveFile]) -> Iterator[list[ArchiveFile]]:
    """Return neighbours that together are no larger than a merged file may be."""
    group: list[ArchiveFile] = []
    size = 0
    for file in files:
        own = path_of(folder, file).stat().st_size
        if group and size + own > MERGED_BYTES_MAX:
            yield group
            group, size = [], 0
        group.append(file)
        size += own
    yield group


def _remove_covered(
    folder: Path, needed: Sequence[ArchiveFile], covered: Sequence[ArchiveFile], now: datetime
) -> None:
    """Remove files whose rows another one has had for an hour."""
    for file in covered:
        whole = next(
            each
            for each in needed
            if each.shard == file.shard and each.first <= file.first and file.last <= each.last
        )
        path = path_of(folder, whole)
        age_s = now.timestamp() - path.stat().st_mtime
        if age_s >= HOUR.total_seconds() and find_defect(path) is None:
            path_of(folder, file).unlink(missing_ok=True)
