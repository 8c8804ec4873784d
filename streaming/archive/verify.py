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
from asyncpg.transaction import Transaction
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
from streaming.archive.recounts import MARGIN, Recount, Span, keep_span
from streaming.archive.roll_ups import compare_day, compare_hour, find_hour, list_days
from streaming.archive.sources import ArchiveSource, connect, read_stored

DIFFERENCES_SHOWN: Final = 50
DIFFERENCES_WRITTEN: Final = 10_000
"""Named in the answer for programs; all are counted."""

WIDTH_PIPED: Final = 160
"""Of the table where no terminal says how wide it may be: no name is folded."""

PAST_RETENTION: Final = "past the archive's retention"


async def verify(
    settings: Settings, source: ArchiveSource, span: Span, now: datetime
) -> Comparison:
    """Compare every minute of a span with the archive, and every hour and day with its minutes."""
    kept_from = floor_hour(now - timedelta(days=settings.archive_retention_days))
    async with connect(settings.require_database_url()) as connection:
        store = RecomputationStore(connection)

        def snapshot() -> Transaction:
            return connection.transaction(isolation="repeatable_read", readonly=True)

        parts = []
        for start, end in cut_hours(span.start, span.end):
            part = Span(start, end)
            is_kept = start >= kept_from or bool(source.list_shards(part))
            async with snapshot():
                parts += await verify_hour(
                    store, source, part, settings.bus_shards, is_kept=is_kept
                )
        for day in list_days(span):
            async with snapshot():
                parts.append(await compare_day(store, day, source.stream_id))
    return join_comparisons(parts)


async def verify_hour(
    store: RecomputationStore, source: ArchiveSource, span: Span, shards: int, *, is_kept: bool
) -> list[Comparison]:
    """Compare the minutes of an hour, or of a part of one, and the hour itself.

    The marks of the archive are read before its files, and all of the database in one snapshot:
    whatever happens meanwhile lies beyond a mark and is not judged.
    """
    marks = source.read_marks(shards, await store.read_offsets())
    hour = find_hour(span)
    all_stored = await read_stored(store, hour, source.stream_id)
    stored = keep_span(all_stored, span)
    rolled = await compare_hour(store, hour, all_stored, source.stream_id)
    if not is_kept:
        return [_skip(stored), rolled]
    late = await store.read_late(span.start - MARGIN, span.end + MARGIN, source.stream_id)
    found = source.list_shards(span)
    recounted = await asyncio.to_thread(source.recount, span, late, found)
    return [compare_all(stored, recounted, source.mark_unreadable(marks, span), shards), rolled]


def _skip(stored: Recount) -> Comparison:
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
        "roll_ups_compared": comparison.roll_ups,
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
    say(
        f"{comparison.compared} minutes, {comparison.roll_ups} hours and days compared,"
        f" {count_differing(comparison)} differ"
    )


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
        source = ArchiveSource.open(settings, options.stream)
        outcome = asyncio.run(verify(settings, source, span, now))
    except TelemetraError as error:
        sys.exit(f"telemetra: {error.detail}")
    if options.json:
        sys.stdout.buffer.write(orjson.dumps(describe(outcome, source, span)) + b"\n")
    else:
        show(Console(width=None if sys.stdout.isatty() else WIDTH_PIPED), outcome, source)
    sys.exit(1 if len(outcome.differences) or source.unreadable else 0)


if __name__ == "__main__":
    main()
