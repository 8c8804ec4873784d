"""Recomputes: minutes with late events, counted anew with them.

    late and not applied -> recount without them = stored row? -> recount with them -> row, mark

A minute is written only when the archive without the late events tells exactly what is stored:
where it holds less, a recount would take away what once was counted.
"""

import asyncio
from dataclasses import dataclass, fields
from typing import Final

import polars as pl
import redis.asyncio
import redis.exceptions
import structlog

from core.archives import cut_hours
from core.clock import Clock
from core.errors import ConflictError
from core.events import TIMESTAMP
from core.scopes import STREAMS_ALL, TOUCHED, pack_scopes, scope_of_stream, version_key
from core.settings import Settings
from core.times import MINUTE
from db.recomputations import RecomputationStore
from streaming.archive.comparisons import ShardMarks, compare_all, spread_marks
from streaming.archive.recounts import (
    CHANNEL,
    LISTING,
    MARGIN,
    MONEY,
    Recount,
    Span,
    pick_top,
)
from streaming.archive.sources import ArchiveSource, connect, read_stored

KEY: Final = ["stream_id", "minute"]

CHAT_WRITTEN: Final = [
    *("stream_id", "window_start", "window_end", "chat_count", "unique_chatters", "top_emotes"),
    *("avg_sentiment", "chat_rate", "avg_viewers", "peak_viewers", "revision"),
]
READING_WRITTEN: Final = [
    *("stream_id", "channel", "window_start", "window_end", "unit", "count", "mean", "min", "max"),
    *("stddev", "p50", "p95", "last", "last_at", "revision"),
]
MONEY_WRITTEN: Final = [
    *("stream_id", "kind", "currency", "window_start", "window_end", "count", "sum", "revision")
]

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
            async with connection.transaction(isolation="read_committed"):
                part = await recompute_hour(
                    store, source, Span(start, end), settings.bus_shards, clock
                )
            await _tell(settings, part.streams, clock)
            done = Recomputed(
                done.minutes + part.minutes,
                done.listings + part.listings,
                done.left + part.left,
                done.streams | part.streams,
            )
    return done


async def recompute_hour(
    store: RecomputationStore, source: ArchiveSource, span: Span, shards: int, clock: Clock
) -> Recomputed:
    """Count the late events of an hour, or of a part of one, in the transaction of the store."""
    await store.lock(span.start)
    marks = source.read_marks(shards, await store.read_offsets())
    late = await store.read_late(span.start - MARGIN, span.end + MARGIN, source.stream_id)
    waiting = late.filter(pl.col("applied_at").is_null()).select(LISTING)
    wanted = waiting.filter(pl.col("minute").is_between(span.start, span.end, closed="left"))
    if wanted.is_empty():
        return Recomputed()
    stored = await read_stored(store, span, source.stream_id)
    found = source.list_shards(span)
    before = await asyncio.to_thread(source.recount, span, late, found)
    blocked = _find_blocked(stored, before, wanted, source.mark_unreadable(marks, span), shards)
    counted = wanted.join(blocked, on=KEY, how="anti")
    if counted.is_empty():
        return Recomputed(left=wanted.height)
    applied = late.join(counted.with_columns(is_counted=True), on=LISTING, how="left").select(
        *LISTING,
        applied_at=pl.when("is_counted")
        .then(pl.lit(clock.now(), dtype=TIMESTAMP))
        .otherwise("applied_at"),
    )
    after = await asyncio.to_thread(source.recount, span, applied, found)
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
    """Keep the minutes named."""
    return Recount(*(getattr(rows, f.name).join(keys, on=KEY, how="semi") for f in fields(Recount)))


async def _write(
    store: RecomputationStore, before: Recount, after: Recount, counted: pl.DataFrame
) -> int:
    """Write the rows that the late events change, and mark these as counted."""
    only = _only(after, counted.select(KEY).unique())
    chat = _list_changed(only.chat, before.chat, KEY).with_columns(
        chat_rate=pl.col("chat_count") / MINUTE.total_seconds(),
        top_emotes=pick_top(pl.col("emotes")),
    )
    readings = _list_changed(only.readings, before.readings, CHANNEL)
    money = _list_changed(only.transactions, before.transactions, MONEY)
    late = counted.rename({"minute": "window_start", "offset": "batch_offset"})
    written, marked = await store.replace(
        chat.select(CHAT_WRITTEN),
        readings.select(READING_WRITTEN),
        money.select(MONEY_WRITTEN),
        late,
    )
    if (written, marked) != (chat.height + readings.height + money.height, counted.height):
        raise ConflictError("A minute changed while it was recomputed. Nothing was; try again.")
    return written


def _list_changed(after: pl.DataFrame, before: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Return the rows that more events made, in the order in which the flow writes them."""
    changed = after.join(before, on=[*key, "revision"], how="anti").sort(key)
    start = pl.col("minute")
    return changed.with_columns(window_start=start, window_end=start + MINUTE)


async def _tell(settings: Settings, streams: frozenset[str], clock: Clock) -> None:
    """Make the cached answers of streams old; a Redis that is away has none."""
    if not streams:
        return
    touched = [STREAMS_ALL, *map(scope_of_stream, streams)]
    version = f"recomputed.{clock.now_ms()}"
    try:
        async with (
            redis.asyncio.from_url(settings.require_redis_url(), socket_timeout=2) as client,
            client.pipeline(transaction=False) as pipeline,
        ):
            pipeline.mset(dict.fromkeys(map(version_key, touched), version))
            for payload in pack_scopes(touched):
                pipeline.publish(TOUCHED, payload)
            await pipeline.execute()
    except (redis.exceptions.RedisError, OSError) as error:
        log.warning("redis_away", error=type(error).__name__)
