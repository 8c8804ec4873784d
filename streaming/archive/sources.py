"""Sources: what verification and recomputation work from, the database and the archive.

Both go hour by hour, and within an hour shard by shard, so that memory holds the events of one
shard and hour at most.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import asyncpg
import polars as pl

from core.archives import HOUR
from core.errors import DatabaseAwayError
from core.settings import Settings
from core.watermarks import LatenessPolicy
from db.pool import AWAY, prepare_connection
from db.recomputations import RecomputationStore
from streaming.archive.comparisons import UNJUDGED, ShardMarks
from streaming.archive.readers import UnreadableFile, list_files, path_of, scan_archive
from streaming.archive.recounts import (
    MARGIN,
    POLICY,
    Recount,
    Span,
    empty_recount,
    join_recounts,
    recount,
)
from streaming.archive.writers import read_progress

APPLICATION: Final = "telemetra-archive"


@dataclass(frozen=True, slots=True)
class ArchiveSource:
    """Recounts spans of the archive."""

    folder: Path
    stream_id: str | None = None
    unreadable: dict[Path, UnreadableFile] = field(default_factory=dict)
    """Files that were left out, of all spans so far."""

    policy: LatenessPolicy = POLICY
    """How long the flow remembers an id."""

    @classmethod
    def open(cls, settings: Settings, stream_id: str | None = None) -> "ArchiveSource":
        """Return the archive of a product."""
        policy = LatenessPolicy(allowed=timedelta(minutes=settings.lateness_minutes))
        return cls(settings.archive_dir, stream_id, policy=policy)

    def list_shards(self, span: Span) -> list[int]:
        """Return the shards that have files of a span."""
        files = list_files(self.folder, span.start - MARGIN, span.end + MARGIN)
        return sorted({file.shard for file in files})

    def recount(self, span: Span, late: pl.DataFrame, shards: Iterable[int]) -> Recount:
        """Recount the minutes of a span, one shard after the other."""
        parts = [self._recount_shard(span, late, shard) for shard in shards]
        return join_recounts([empty_recount(), *parts])

    def read_marks(self, shards: int, applied: Mapping[int, int]) -> dict[int, ShardMarks]:
        """Return how far flow and archive have come; to be asked before the archive is read."""
        progress = read_progress(self.folder)
        return {
            shard: ShardMarks(
                since=progress.since.get(shard, 0),
                through=progress.through.get(shard, 0),
                applied=applied.get(shard, 0),
            )
            for shard in range(shards)
        }

    def mark_unreadable(self, marks: Mapping[int, ShardMarks], span: Span) -> dict[int, ShardMarks]:
        """Return the marks with those shards named whose files of a span could not be read."""
        broken = {
            found.file.shard
            for found in self.unreadable.values()
            if span.start - MARGIN < found.file.hour + HOUR and found.file.hour < span.end + MARGIN
        }
        return {
            shard: replace(mark, is_readable=shard not in broken) for shard, mark in marks.items()
        }

    def _recount_shard(self, span: Span, late: pl.DataFrame, shard: int) -> Recount:
        try:
            return recount(self._scan(span, shard), late, span, self.policy)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
            # The ends of all files were good: a page in the midst of one is not.
            if not self._find_damaged(span, shard):
                raise
            return empty_recount()

    def _find_damaged(self, span: Span, shard: int) -> bool:
        found = False
        for file in list_files(self.folder, span.start - MARGIN, span.end + MARGIN, shard=shard):
            path = path_of(self.folder, file)
            try:
                pl.read_parquet(path, glob=False)
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
                reason = f"a page of it is damaged ({type(error).__name__})"
                self._note(UnreadableFile(file, path, reason))
                found = True
        return found

    def _scan(self, span: Span, shard: int) -> pl.LazyFrame:
        events = scan_archive(
            self.folder,
            span.start - MARGIN,
            span.end + MARGIN,
            shard=shard,
            on_unreadable=self._note,
        )
        if self.stream_id is not None:
            events = events.filter(pl.col("stream_id") == self.stream_id)
        return events

    def _note(self, found: UnreadableFile) -> None:
        self.unreadable[found.path] = found


async def read_stored(store: RecomputationStore, span: Span, stream_id: str | None) -> Recount:
    """Return the stored rows of a span."""
    wanted = (span.start, span.end, stream_id)
    return Recount(
        chat=await store.read_chat(*wanted),
        readings=await store.read_readings(*wanted),
        transactions=await store.read_transactions(*wanted),
        doubtful=pl.DataFrame(schema=UNJUDGED),
    )


@asynccontextmanager
async def connect(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Lend a connection of its own.

    Raises:
        DatabaseAwayError: The database cannot be reached, or went away meanwhile.
    """
    try:
        connection = await asyncpg.connect(
            database_url, timeout=5, server_settings={"application_name": APPLICATION}
        )
        try:
            await prepare_connection(connection)
            yield connection
        finally:
            await connection.close(timeout=5)
    except AWAY as error:
        raise DatabaseAwayError(
            f"The database did not answer ({type(error).__name__}). Nothing was changed."
        ) from error
