"""Verification as a process: ``python -m streaming.archive.verify --help``.

Recounts minutes from the archive and says where the database differs. Exit code 0 says that
nothing does, 1 that something does or that it could not be found out.
"""

import argparse
import asyncio
import sys
from argparse import Namespace
from datetime import datetime, timedelta
from typing import Final

import orjson
import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table

from core.archives import cut_hours, floor_hour
from core.clock import SystemClock
from core.errors import TelemetraError
from core.logging import configure_logging
from core.settings import Settings, load_settings
from db.recomputations import RecomputationStore
from streaming.archive.comparisons import Comparison, compare_all, join_comparisons
from streaming.archive.options import add_span, choose_span
from streaming.archive.recounts import MARGIN, Span
from streaming.archive.sources import ArchiveSource, connect, read_stored

DIFFERENCES_SHOWN: Final = 50
DIFFERENCES_WRITTEN: Final = 10_000
"""Named in the answer for programs; all are counted."""

PAST_RETENTION: Final = "past the archive's retention"


async def verify(
    settings: Settings, source: ArchiveSource, span: Span, now: datetime
) -> Comparison:
    """Compare every minute of a span with the archive."""
    kept_from = floor_hour(now - timedelta(days=settings.archive_retention_days))
    async with connect(settings.require_database_url()) as connection:
        store = RecomputationStore(connection)
        parts = []
        for start, end in cut_hours(span.start, span.end):
            hour = Span(start, end)
            if start < kept_from and not source.list_shards(hour):
                parts.append(await _skip_hour(store, hour, source.stream_id))
            else:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    parts.append(await verify_hour(store, source, hour, settings.bus_shards))
    return join_comparisons(parts)


async def verify_hour(
    store: RecomputationStore, source: ArchiveSource, span: Span, shards: int
) -> Comparison:
    """Compare the minutes of an hour, or of a part of one.

    The marks of the archive are read before its files, and all of the database in one snapshot:
    whatever happens meanwhile lies beyond a mark and is not judged.
    """
    marks = source.read_marks(shards, await store.read_offsets())
    stored = await read_stored(store, span, source.stream_id)
    late = await store.read_late(span.start - MARGIN, span.end + MARGIN, source.stream_id)
    uncounted = late.filter(~pl.col("applied"))
    found = source.list_shards(span)
    recounted = await asyncio.to_thread(source.recount, span, uncounted, found)
    return compare_all(stored, recounted, source.mark_unreadable(marks, span), shards)


async def _skip_hour(store: RecomputationStore, span: Span, stream_id: str | None) -> Comparison:
    stored = await read_stored(store, span, stream_id)
    rows = sum(len(part) for part in (stored.chat, stored.readings, stored.transactions))
    nothing = join_comparisons([])
    return Comparison(0, nothing.differences, {PAST_RETENTION: rows} if rows else {})


def describe(comparison: Comparison, source: ArchiveSource, span: Span) -> dict[str, object]:
    """Return the outcome for programs."""
    rows = comparison.differences.head(DIFFERENCES_WRITTEN).with_columns(
        pl.col("minute").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    )
    return {
        "from": span.start,
        "to": span.end,
        "compared": comparison.compared,
        "differ": count_differing(comparison),
        "not_comparable": dict(comparison.pending),
        "unreadable": [
            {"file": str(found.path), "reason": found.reason}
            for found in source.unreadable.values()
        ],
        "differences": rows.to_dicts(),
    }


def count_differing(comparison: Comparison) -> int:
    """Return how many rows differ, in however many columns."""
    return comparison.differences.select("table", "stream_id", "series", "minute").n_unique()


def show(console: Console, comparison: Comparison, source: ArchiveSource) -> None:
    """Print the outcome for people."""

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    shown = comparison.differences.head(DIFFERENCES_SHOWN)
    if len(shown):
        console.print(_make_table(shown))
    if (more := len(comparison.differences) - len(shown)) > 0:
        say(f"and {more} more; --json names them")
    for found in source.unreadable.values():
        say(f"unreadable: {found.path}: {found.reason}")
    for reason, count in sorted(comparison.pending.items()):
        say(f"{count} not comparable: {reason}")
    say(f"{comparison.compared} minutes compared, {count_differing(comparison)} differ")


def _make_table(rows: pl.DataFrame) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("table", "stream", "series", "minute", "column", "stored", "recounted"):
        table.add_column(title, overflow="fold")
    for row in rows.with_columns(pl.col("minute").dt.strftime("%Y-%m-%dT%H:%MZ")).iter_rows():
        table.add_row(*("" if value is None else str(value) for value in row))
    return table


def read_options(arguments: list[str]) -> Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="telemetra verify",
        description="Recount minutes from the archive and name every difference.",
        epilog="example: telemetra verify --from 2026-01-26T10:00Z --to 2026-01-26T12:00Z",
    )
    add_span(parser)
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser.parse_args(arguments)


def main() -> None:
    """Verify a span and end with its outcome."""
    options = read_options(sys.argv[1:])
    try:
        settings = load_settings()
        configure_logging("verify", level="ERROR", as_json=settings.log_as_json)
        now = SystemClock().now()
        span = choose_span(options, now)
        source = ArchiveSource(settings.archive_dir, options.stream)
        outcome = asyncio.run(verify(settings, source, span, now))
    except TelemetraError as error:
        sys.exit(f"telemetra: {error.detail}")
    if options.json:
        sys.stdout.buffer.write(orjson.dumps(describe(outcome, source, span)) + b"\n")
    else:
        show(Console(), outcome, source)
    sys.exit(1 if len(outcome.differences) or source.unreadable else 0)


if __name__ == "__main__":
    main()
