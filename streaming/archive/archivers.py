"""Archivers: the bus into Parquet files, one round after the other.

    read every shard after its progress -> files by event hour -> progress -> release

A round begins with what the last one left undone: nothing is released before it lies on disk, so
that a crash at any place costs rows written twice and never one lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from core import metrics
from core.archives import read_rows, split_by_hour
from core.batches import Entry
from streaming.archive.writers import Progress, read_progress, write_progress, write_rows
from streaming.bus.base import BusReader

ROUND_BYTES_MAX: Final = 64_000_000
"""Entry bytes of one round: a backlog is archived in rounds of this size, without a pause."""

SHARD_BYTES_MAX: Final = 16_000_000
"""Of one shard in a round, some 400 000 messages: what is decoded at once, about 200 MB."""

READ_BYTES: Final = 4_000_000
"""What one read of the bus aims at, judged by the largest entry of the shard so far."""

ENTRIES_A_READ_MAX: Final = 256
ENTRIES_A_READ_FIRST: Final = 8
"""Before anything is known of the entries' size: one may hold a whole request."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Round:
    """What a round did."""

    events: int
    is_behind: bool
    """More was waiting than one round takes."""

    newest_ms: int | None
    """When the last entry that it archived had arrived."""


class Archiver:
    """Archives everything that comes, and remembers how far it has come."""

    def __init__(self, reader: BusReader, folder: Path, *, shards: int) -> None:
        self._reader = reader
        self._folder = folder
        self._shards = shards
        self._progress = read_progress(folder)
        self._released: dict[int, int] = {}
        self._largest: dict[int, int] = {}
        self._first_shard = 0

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return self._progress

    def run_round(self) -> Round:
        """Archive what waits, up to the size of a round.

        Raises:
            BusAwayError: The bus cannot be reached; files that were written are written again.
            OSError: The disk is full or cannot be written; the entries stay on the bus.
        """
        progress, events, size, newest_ms = self._progress, 0, 0, None
        is_behind = False
        for shard in self._list_shards():
            if size >= ROUND_BYTES_MAX:
                is_behind = True
                # The next round begins here: no shard waits for ever behind a busy one.
                self._first_shard = shard
                break
            entries, has_more = self._gather(shard, progress.through.get(shard, 0))
            is_behind |= has_more
            if not entries:
                continue
            size += sum(len(entry.payload) for entry in entries)
            events += self._write(shard, entries)
            progress = progress.move(shard, entries[0].offset, entries[-1].offset)
            newest_ms = max(newest_ms or 0, entries[-1].arrived_ms)
        if progress is not self._progress:
            write_progress(self._folder, progress)
            self._progress = progress
            metrics.archive_events_written_total.inc(events)
        self._release()
        return Round(events, is_behind, newest_ms)

    def _list_shards(self) -> Iterator[int]:
        first = self._first_shard
        return ((first + number) % self._shards for number in range(self._shards))

    def _gather(self, shard: int, after: int) -> tuple[list[Entry], bool]:
        """Return entries up to a shard's part of a round, and whether more are waiting."""
        gathered: list[Entry] = []
        size = 0
        while size < SHARD_BYTES_MAX:
            limit = self._choose_limit(shard)
            entries = self._reader.read(shard, after=after, limit=limit)
            if entries:
                gathered += entries
                after = entries[-1].offset
                sizes = [len(entry.payload) for entry in entries]
                size += sum(sizes)
                self._largest[shard] = max(self._largest.get(shard, 1), *sizes)
            if len(entries) < limit:
                return gathered, False
        return gathered, True

    def _choose_limit(self, shard: int) -> int:
        if (largest := self._largest.get(shard)) is None:
            return ENTRIES_A_READ_FIRST
        return max(1, min(ENTRIES_A_READ_MAX, READ_BYTES // largest))

    def _write(self, shard: int, entries: list[Entry]) -> int:
        rows, dead = read_rows(shard, entries)
        for letter in dead:
            # The flow keeps it.
            metrics.archive_entries_skipped_total.inc()
            reason = letter.reason[:300]
            log.warning("entry_skipped", shard=shard, offset=letter.offset, reason=reason)
        for hour, part in split_by_hour(rows).items():
            path = write_rows(self._folder, hour, part)
            metrics.archive_bytes_written_total.inc(path.stat().st_size)
        return rows.height

    def _release(self) -> None:
        """Let go of what lies on disk; at the first round also of what a crash left unreleased."""
        for shard, through in self._progress.through.items():
            if self._released.get(shard) != through:
                self._reader.release(shard, through=through)
                self._released[shard] = through
