"""Recomputes: minutes with late events, counted anew with them.

    late and not applied -> recount without them = stored row? -> recount with them -> row, mark

A minute is written only when the archive without the late events tells exactly what is stored:
where it holds less, a recount would take away what once was counted.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

import polars as pl
import redis.asyncio
import redis.exceptions
import structlog

from core.archives import cut_hours
from core.clock import Clock
from core.errors import ConflictError
from core.minutes import MINUTE
from core.settings import Settings
from db.recomputations import RecomputationStore
from streaming.archive.comparisons import ShardMarks, compare_all, spread_marks
from streaming.archive.recounts import LISTING, MARGIN, Recount, Span, pick_top
from streaming.archive.sources import ArchiveSource, connect, read_stored

KEY: Final = ["stream_id", "minute"]
TIME: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What a recomputation did."""

    minutes: int = 0
    listings: int = 0
    """Listings of late events that count from now on."""

    left: int = 0
    """Listings whose minutes were left as they are."""

    streams: frozenset[str] = frozenset()


async def recompute(
    settings: Settings, source: ArchiveSource, span: Span, clock: Clock
) -> Recomputed:
    """Count the late events of a span, one transaction an hour."""
    done = Recomputed()
    async with connect(settings.require_database_url()) as connection:
        store = RecomputationStore(connection)
        for start, end in cut_hours(span.start, span.end):
            async with connection.transaction():
                part = await recompute_hour(store, source, Span(start, end), settings.bus_shards)
            await _tell(settings, part.streams, clock)
            done = Recomputed(
                done.minutes + part.minutes,
                done.listings + part.listings,
                done.left + part.left,
                done.streams | part.streams,
            )
    return done


async def recompute_hour(
    store: RecomputationStore, source: ArchiveSource, span: Span, shards: int
) -> Recomputed:
    """Count the late events of an hour, or of a part of one, in the transaction of the store."""
    await store.lock(span.start)
    marks = source.read_marks(shards, await store.read_offsets())
    late = await store.read_late(span.start - MARGIN, span.end + MARGIN, source.stream_id)
    waiting = late.filter(~pl.col("applied")).select(LISTING)
    wanted = waiting.filter(pl.col("minute").is_between(span.start, span.end, closed="left"))
    if wanted.is_empty():
        return Recomputed()
    stored = await read_stored(store, span, source.stream_id)
    found = source.list_shards(span)
    before = await asyncio.to_thread(source.recount, span, waiting, found)
    blocked = _find_blocked(stored, before, wanted, source.mark_unreadable(marks, span), shards)
    counted = wanted.join(blocked, on=KEY, how="anti")
    if counted.is_empty():
        return Recomputed(left=wanted.height)
    rest = waiting.join(counted, on=LISTING, how="anti")
    after = await asyncio.to_thread(source.recount, span, rest, found)
    minutes = await _write(store, before, after, counted)
    streams = frozenset(counted["stream_id"].to_list())
    return Recomputed(minutes, counted.height, wanted.height - counted.height, streams)


def _find_blocked(
    stored: Recount,
    before: Recount,
    wanted: pl.DataFrame,
    marks: dict[int, ShardMarks],
    shards: int,
) -> pl.DataFrame:
    """Return the minutes that cannot be recomputed: archive and database do not agree on them."""
    keys = wanted.select(KEY).unique()
    outcome = compare_all(_only(stored, keys), _only(before, keys), marks, shards)
    known = spread_marks(wanted["stream_id"].unique(), marks, shards)
    is_out_of_reach = (pl.col("offset") > pl.col("through")) | ~pl.col("is_readable")
    out_of_reach = wanted.join(known, on="stream_id").filter(is_out_of_reach)
    return pl.concat(
        [outcome.differences.select(KEY), outcome.unjudged, out_of_reach.select(KEY)]
    ).unique()


def _only(rows: Recount, keys: pl.DataFrame) -> Recount:
    """Keep the minutes named; transactions are stored however late they come."""
    return Recount(
        chat=rows.chat.join(keys, on=KEY, how="semi"),
        readings=rows.readings.join(keys, on=KEY, how="semi"),
        transactions=rows.transactions.clear(),
    )


async def _write(
    store: RecomputationStore, before: Recount, after: Recount, counted: pl.DataFrame
) -> int:
    """Write the rows that the late events change, and mark these as counted."""
    only = _only(after, counted.select(KEY).unique())
    chat = only.chat.join(before.chat, on=[*KEY, "revision"], how="anti")
    readings = only.readings.join(before.readings, on=[*KEY, "channel", "revision"], how="anti")
    written, marked = await store.replace(
        _write_chat(chat), _write_readings(readings), _write_late(counted)
    )
    if (written, marked) != (chat.height + readings.height, counted.height):
        raise ConflictError("A minute changed while it was recomputed. Nothing was; try again.")
    return written


def _write_chat(rows: pl.DataFrame) -> str:
    return (
        rows.select(
            "stream_id",
            "chat_count",
            "unique_chatters",
            "avg_sentiment",
            "avg_viewers",
            "peak_viewers",
            "revision",
            *_windows(),
            chat_rate=pl.col("chat_count") / MINUTE.total_seconds(),
            top_emotes=pick_top(pl.col("emotes")),
        )
    ).write_json()


def _write_readings(rows: pl.DataFrame) -> str:
    return rows.select(
        pl.exclude("minute", "last_at"), *_windows(), pl.col("last_at").dt.strftime(TIME)
    ).write_json()


def _write_late(counted: pl.DataFrame) -> str:
    return counted.select(
        "stream_id",
        "type",
        window_start=pl.col("minute").dt.strftime(TIME),
        batch_offset="offset",
    ).write_json()


def _windows() -> list[pl.Expr]:
    start = pl.col("minute")
    return [
        start.dt.strftime(TIME).alias("window_start"),
        (start + MINUTE).dt.strftime(TIME).alias("window_end"),
    ]


async def _tell(settings: Settings, streams: frozenset[str], clock: Clock) -> None:
    """Make the cached answers of streams old; a Redis that is away has none."""
    if not streams:
        return
    version = f"recomputed.{clock.now_ms()}"
    keys = [*(f"version:stream:{stream_id}" for stream_id in streams), "version:streams:all"]
    try:
        async with redis.asyncio.from_url(settings.require_redis_url(), socket_timeout=2) as client:
            await client.mset(dict.fromkeys(keys, version))
    except (redis.exceptions.RedisError, OSError) as error:
        log.warning("redis_away", error=type(error).__name__)
