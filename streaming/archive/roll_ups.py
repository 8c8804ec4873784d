"""Roll-ups: every hour held against its final minutes, and every day against its hours.

    stored minutes -> rolled up here = stored hours -> rolled up here = stored days

One snapshot of the database holds both sides, for the flow writes them in one transaction: nothing
has to be waited for. The archive is not asked; the minutes are held against it beside this.
"""

from datetime import datetime, timedelta
from typing import Final

import polars as pl

from core.archives import HOUR, floor_hour
from core.emote_counts import TOP as TOP_EMOTES
from core.times import EPOCH
from db.recomputations import RecomputationStore, Unit
from streaming.archive.comparisons import (
    Comparison,
    join_comparisons,
    join_sides,
    list_differences,
    write_emotes,
)
from streaming.archive.recounts import CHANNEL, MINUTE, Recount, Span
from streaming.archive.tolerances import SUM_ERROR, is_same, size_of, within

DAY: Final = timedelta(days=1)

PARTS_GONE: Final = "some of its parts are gone"
"""Retention took minutes away, or a late event opened one again: a row never counts less."""


def find_hour(span: Span) -> Span:
    """Return the whole hour that a span within one lies in."""
    start = floor_hour(span.start)
    return Span(start, start + HOUR)


def list_days(span: Span) -> list[Span]:
    """Return the whole days that a span touches."""
    first = EPOCH + (span.start - EPOCH) // DAY * DAY
    count = -((first - span.end) // DAY)
    return [Span(first + number * DAY, first + (number + 1) * DAY) for number in range(count)]


async def compare_hour(
    store: RecomputationStore, hour: Span, minutes: Recount, stream_id: str | None
) -> Comparison:
    """Compare the hours that begin in an hour with all of its stored minutes."""
    chat = minutes.chat.filter("final").with_columns(
        minutes=pl.lit(1, dtype=pl.Int64),
        watched_minutes=pl.col("avg_viewers").is_not_null().cast(pl.Int64),
    )
    readings = minutes.readings.filter("final").with_columns(minutes=pl.lit(1, dtype=pl.Int64))
    return await _compare(store, "hours", hour, (chat, readings), stream_id)


async def compare_day(store: RecomputationStore, day: Span, stream_id: str | None) -> Comparison:
    """Compare a day with its stored hours."""
    wanted = (day.start, day.end, stream_id)
    chat = await store.read_chat_roll_ups("hours", *wanted)
    readings = await store.read_reading_roll_ups("hours", *wanted)
    return await _compare(store, "days", day, (chat, readings), stream_id)


async def _compare(
    store: RecomputationStore,
    unit: Unit,
    span: Span,
    parts: tuple[pl.DataFrame, pl.DataFrame],
    stream_id: str | None,
) -> Comparison:
    wanted = (unit, span.start, span.end, stream_id)
    chat, readings = parts
    outcome = join_comparisons(
        [
            _compare_chat(unit, await store.read_chat_roll_ups(*wanted), chat, span.start),
            _compare_readings(
                unit, await store.read_reading_roll_ups(*wanted), readings, span.start
            ),
        ]
    )
    return Comparison(0, outcome.differences, outcome.pending, roll_ups=outcome.compared)


def _compare_chat(
    unit: Unit, stored: pl.DataFrame, parts: pl.DataFrame, start: datetime
) -> Comparison:
    both = join_sides(
        stored.with_columns(pl.col("top_emotes").list.join(", "), emotes=write_emotes("emotes")),
        roll_up_chat(parts, start),
        MINUTE,
    )
    tests = {
        **dict.fromkeys(("minutes", "chat_count", "unique_chatters"), is_same),
        **dict.fromkeys(("top_emotes", "emotes"), is_same),
        "avg_sentiment": within(SUM_ERROR),
        "chat_rate": within(0.0, relative=SUM_ERROR),
        "watched_minutes": is_same,
        "avg_viewers": within(size_of("viewers_size")),
        **dict.fromkeys(("peak_viewers", "revision"), is_same),
    }
    return list_differences(f"chat {unit}", _add_pending(both), None, tests)


def _compare_readings(
    unit: Unit, stored: pl.DataFrame, parts: pl.DataFrame, start: datetime
) -> Comparison:
    both = join_sides(stored, roll_up_readings(parts, start), CHANNEL)
    size = size_of("min_recounted", "max_recounted")
    tests = {
        **dict.fromkeys(("minutes", "unit", "count", "min", "max"), is_same),
        "mean": within(size),
        "stddev": within(size, relative=1e-6),
        **dict.fromkeys(("last", "last_at", "revision"), is_same),
    }
    return list_differences(f"reading {unit}", _add_pending(both), pl.col("channel"), tests)


def _add_pending(both: pl.DataFrame) -> pl.DataFrame:
    has_more = pl.col("minutes") > pl.col("minutes_recounted").fill_null(0)
    return both.with_columns(pending=pl.when(has_more).then(pl.lit(PARTS_GONE)))


def roll_up_chat(parts: pl.DataFrame, start: datetime) -> pl.DataFrame:
    """Return what the hour or day from a time has to say, given its minutes or hours."""
    col = pl.col
    rolled = parts.group_by("stream_id").agg(
        pl.col("minutes", "chat_count", "watched_minutes").sum(),
        pl.col("unique_chatters", "peak_viewers", "revision").max(),
        felt=(col("avg_sentiment") * col("chat_count")).sum(),
        watched=(col("avg_viewers") * col("watched_minutes")).sum(),
        viewers_size=col("avg_viewers").abs().max(),
    )
    return rolled.join(_find_top(parts), on="stream_id", how="left").select(
        pl.exclude("felt", "watched", "emotes", "top_emotes"),
        pl.col("emotes", "top_emotes").fill_null(""),
        minute=pl.lit(start, dtype=parts.schema["minute"]),
        avg_sentiment=pl.when(col("chat_count") > 0).then(col("felt") / col("chat_count")),
        chat_rate=col("chat_count") / (60.0 * col("minutes")),
        avg_viewers=pl.when(col("watched_minutes") > 0).then(
            col("watched") / col("watched_minutes")
        ),
    )


def _find_top(parts: pl.DataFrame) -> pl.DataFrame:
    """Return the most frequent emotes of each stream, with their counts and without."""
    used = parts.select("stream_id", "emotes").explode("emotes", empty_as_null=True)
    return (
        used.drop_nulls("emotes")
        .unnest("emotes")
        .group_by("stream_id", "emote")
        .agg(pl.col("count").sum())
        .sort(-pl.col("count"), "emote")
        .group_by("stream_id", maintain_order=True)
        .head(TOP_EMOTES)
        .group_by("stream_id", maintain_order=True)
        .agg(
            emotes=pl.format("{} {}", "emote", "count").str.join(", "),
            top_emotes=pl.col("emote").str.join(", "),
        )
    )


def roll_up_readings(parts: pl.DataFrame, start: datetime) -> pl.DataFrame:
    """Return what the hour or day from a time has to say of each channel."""
    col = pl.col
    mean = (col("mean") * col("count")).sum() / col("count").sum()
    squares = (col("stddev") ** 2 * (col("count") - 1)).sum()
    squares += ((col("mean") - mean) ** 2 * col("count")).sum()
    rolled = (
        parts.sort("last_at")
        .group_by("stream_id", "channel", maintain_order=True)
        .agg(
            pl.col("minutes", "count").sum(),
            pl.col("min").min(),
            pl.col("max", "revision").max(),
            pl.col("last", "last_at").last(),
            unit=col("unit").drop_nulls().last(),
            mean=mean,
            squares=squares,
        )
    )
    spread = (col("squares") / (col("count") - 1)).sqrt()
    return rolled.select(
        pl.exclude("squares", "mean"),
        minute=pl.lit(start, dtype=parts.schema["minute"]),
        mean=col("mean").clip("min", "max"),
        stddev=pl.when(col("count") > 1).then(spread).otherwise(0.0),
    )
