"""Comparisons: stored rows against recounted ones, column by column.

A row that cannot be judged yet is no difference: it is counted under its reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from core.emote_counts import TOP as TOP_EMOTES
from core.ids import shard_of
from streaming.archive.recounts import CHANNEL, MINUTE, MONEY, Recount, pick_top
from streaming.archive.tolerances import Test, between, is_near_enough, is_same, size_of, within

DIFFERENCES: Final = pl.Schema(
    {
        "table": pl.String(),
        "stream_id": pl.String(),
        "series": pl.String(),
        "minute": pl.Datetime("us", "UTC"),
        "column": pl.String(),
        "stored": pl.String(),
        "recounted": pl.String(),
    }
)

UNJUDGED: Final = pl.Schema({name: DIFFERENCES[name] for name in MINUTE})


@dataclass(frozen=True, slots=True)
class ShardMarks:
    """What is known of one shard."""

    since: int
    """The first offset that was ever archived."""

    through: int
    applied: int
    is_readable: bool = True
    """Whether every file of the span could be read."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found."""

    compared: int
    differences: pl.DataFrame
    pending: Mapping[str, int] = field(default_factory=dict)
    """How many rows cannot be judged, by reason."""

    unjudged: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=UNJUDGED))
    """The stream and minute of each of those."""

    roll_ups: int = 0
    """How many hours and days were compared."""


def compare_all(
    stored: Recount, recounted: Recount, marks: Mapping[int, ShardMarks], shards: int
) -> Comparison:
    """Compare all tables of a span."""
    known = _Known(marks, shards, recounted.doubtful.unique())
    parts = [
        _compare_chat(stored.chat, recounted.chat, known),
        _compare_readings(stored.readings, recounted.readings, known),
        _compare_transactions(stored.transactions, recounted.transactions, known),
    ]
    return join_comparisons(parts)


def join_comparisons(parts: list[Comparison]) -> Comparison:
    """Return several comparisons as one."""
    pending: dict[str, int] = {}
    for part in parts:
        for reason, count in part.pending.items():
            pending[reason] = pending.get(reason, 0) + count
    empty = pl.DataFrame(schema=DIFFERENCES)
    return Comparison(
        compared=sum(part.compared for part in parts),
        differences=pl.concat([empty, *(part.differences for part in parts)]),
        pending=pending,
        unjudged=pl.concat([pl.DataFrame(schema=UNJUDGED), *(part.unjudged for part in parts)]),
        roll_ups=sum(part.roll_ups for part in parts),
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the shards, and of the minutes beside what they hold."""

    marks: Mapping[int, ShardMarks]
    shards: int
    doubtful: pl.DataFrame


def _compare_chat(stored: pl.DataFrame, recounted: pl.DataFrame, known: _Known) -> Comparison:
    both = _join(stored, recounted, MINUTE, known)
    # Of the stored list each emote must have its count, and the list must be as long as it may.
    there = both.get_column("emotes_recounted")
    mine = both.get_column("emotes")
    same = _tell_emotes_equal(mine, there)
    both = both.with_columns(
        emotes=write_emotes("emotes"),
        emotes_recounted=pl.when(same)
        .then(write_emotes("emotes"))
        .otherwise(write_emotes("emotes_recounted")),
    )
    tests = {
        "chat_count": is_same,
        "unique_chatters": is_near_enough,
        "emotes": is_same,
        "avg_sentiment": within(1e-9),
        "avg_viewers": within(size_of("viewers_size")),
        "peak_viewers": is_same,
    }
    return list_differences("chat", both, None, tests)


def _compare_readings(stored: pl.DataFrame, recounted: pl.DataFrame, known: _Known) -> Comparison:
    both = _join(stored, recounted, CHANNEL, known)
    size = size_of("min_recounted", "max_recounted")
    tests = {
        "count": is_same,
        "mean": within(size),
        "min": is_same,
        "max": is_same,
        "stddev": within(size, relative=1e-6),
        "p50": between("p50_low", "p50_high"),
        "p95": between("p95_low", "p95_high"),
        "last": is_same,
        "last_at": is_same,
    }
    return list_differences("readings", both, pl.col("channel"), tests)


def _compare_transactions(
    stored: pl.DataFrame, recounted: pl.DataFrame, known: _Known
) -> Comparison:
    both = _join(stored, recounted, MONEY, known)
    # As many roundings as there are parts.
    tests = {"count": is_same, "sum": within(size_of("size") * pl.col("count_recounted").sqrt())}
    series = pl.concat_str("kind", "currency", separator=" ").str.strip_suffix(" ")
    return list_differences("transactions", both, series, tests)


def _join(
    stored: pl.DataFrame, recounted: pl.DataFrame, key: list[str], known: _Known
) -> pl.DataFrame:
    """Return both rows of each key side by side, and why it cannot be judged, or null."""
    both = join_sides(stored, recounted, key)
    marks = spread_marks(both["stream_id"].unique(), known.marks, known.shards)
    doubts = known.doubtful.with_columns(is_doubtful=True)
    return (
        both.join(marks, on="stream_id", how="left")
        .join(doubts, on=MINUTE, how="left")
        .with_columns(pending=_find_reason())
    )


def join_sides(stored: pl.DataFrame, recounted: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Return both rows of each key side by side, and whether each is there."""
    both = stored.with_columns(is_stored=True).join(
        recounted.with_columns(is_recounted=True),
        on=key,
        how="full",
        coalesce=True,
        suffix="_recounted",
    )
    return both.with_columns(pl.col("is_stored", "is_recounted").fill_null(value=False))


def spread_marks(
    stream_ids: pl.Series, marks: Mapping[int, ShardMarks], shards: int
) -> pl.DataFrame:
    """Return what is known of the shard of each stream."""
    shard = pl.Series(
        "shard", [shard_of(stream_id, shards) for stream_id in stream_ids], dtype=pl.Int64
    )
    rows = [
        (number, mark.since, mark.through, mark.applied, mark.is_readable)
        for number, mark in marks.items()
    ]
    kinds = [("shard", pl.Int64), ("since", pl.Int64), ("through", pl.Int64)]
    known = pl.DataFrame(
        rows, schema=[*kinds, ("applied", pl.Int64), ("is_readable", pl.Boolean)], orient="row"
    )
    return pl.DataFrame([stream_ids, shard]).join(known, on="shard", how="left").drop("shard")


def _find_reason() -> pl.Expr:
    col = pl.col
    reasons = [
        (~col("is_readable"), "in an unreadable file"),
        (~col("final"), "still open"),
        (col("revision") > col("through").fill_null(0), "not archived yet"),
        (col("revision_recounted") > col("applied").fill_null(0), "not applied yet"),
        (
            col("is_stored") & ~col("is_recounted") & (col("revision") < col("since")),
            "before the archive began",
        ),
        (col("is_doubtful"), "an id came again after a while"),
    ]
    return pl.coalesce(pl.when(is_so).then(pl.lit(reason)) for is_so, reason in reasons)


def list_differences(
    table: str, both: pl.DataFrame, series: pl.Expr | None, tests: Mapping[str, Test]
) -> Comparison:
    """Compare both sides column by column, but for rows that have a ``pending`` reason."""
    unjudged = both.filter(pl.col("pending").is_not_null())
    pending = dict(unjudged.group_by("pending").len().iter_rows())
    judged = both.filter(pl.col("pending").is_null()).with_columns(
        table=pl.lit(table),
        series=pl.lit(None, dtype=pl.String) if series is None else series,
    )
    whole = judged.filter(pl.col("is_stored") & pl.col("is_recounted"))
    parts = [_list_missing(judged)]
    for name, test in tests.items():
        is_same = test(pl.col(name), pl.col(f"{name}_recounted"))
        parts.append(_name_column(whole.filter(~is_same), name))
    differences = pl.concat(parts).sort("minute", "stream_id", "series", "column")
    return Comparison(judged.height, differences, pending, unjudged.select(MINUTE))


def _list_missing(judged: pl.DataFrame) -> pl.DataFrame:
    missing = judged.filter(pl.col("is_stored") != pl.col("is_recounted"))
    return missing.select(
        *DIFFERENCES.names()[:4],
        column=pl.lit("row"),
        stored=pl.when("is_stored").then(pl.lit("there")).otherwise(pl.lit("missing")),
        recounted=pl.when("is_recounted").then(pl.lit("there")).otherwise(pl.lit("no events")),
    )


def _name_column(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    return rows.select(
        *DIFFERENCES.names()[:4],
        column=pl.lit(name),
        stored=pl.col(name).cast(pl.String),
        recounted=pl.col(f"{name}_recounted").cast(pl.String),
    )


def _tell_emotes_equal(stored: pl.Series, recounted: pl.Series) -> pl.Series:
    """Tell for each row whether the stored list holds right counts, and enough of them."""
    rows = pl.DataFrame({"stored": stored, "recounted": recounted}).with_row_index("at")
    left = rows.select("at", e="stored").explode("e", empty_as_null=True).drop_nulls("e")
    right = rows.select("at", e="recounted").explode("e", empty_as_null=True).drop_nulls("e")
    wrong = left.unnest("e").join(right.unnest("e"), on=["at", "emote", "count"], how="anti")
    wanted = pl.col("recounted").list.len().clip(upper_bound=TOP_EMOTES)
    enough = (pl.col("stored").list.len() == wanted).fill_null(value=False)
    return rows.select(enough & ~pl.col("at").is_in(wrong["at"].implode())).to_series()


def write_emotes(name: str) -> pl.Expr:
    """Build the most frequent emotes as one text."""
    element = pl.element().struct
    written = pl.format("{} {}", element.field("emote"), element.field("count"))
    return pick_top(pl.col(name)).list.eval(written).list.join(", ")
