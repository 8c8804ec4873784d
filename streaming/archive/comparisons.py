"""Comparisons: stored rows against recounted ones, column by column.

A row that cannot be judged yet is no difference: it is counted under its reason.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import polars as pl

from core.emote_counts import TOP as TOP_EMOTES
from core.ids import shard_of
from streaming.archive.recounts import CHANNEL, MINUTE, MONEY, Recount, pick_top

CHATTERS_EXACT_MAX: Final = 10_000
CHATTERS_ERROR: Final = 0.03
"""Beyond so many, unique chatters may be an estimate with this relative error."""

Test: TypeAlias = Callable[[pl.Expr, pl.Expr], pl.Expr]
"""Whether a stored value is as good as the recounted one."""

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


def compare_all(
    stored: Recount, recounted: Recount, marks: Mapping[int, ShardMarks], shards: int
) -> Comparison:
    """Compare all tables of a span."""
    parts = [
        _compare_chat(stored.chat, recounted.chat, marks, shards),
        _compare_readings(stored.readings, recounted.readings, marks, shards),
        _compare_transactions(stored.transactions, recounted.transactions, marks, shards),
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
    )


def _compare_chat(
    stored: pl.DataFrame, recounted: pl.DataFrame, marks: Mapping[int, ShardMarks], shards: int
) -> Comparison:
    both = _join(stored, recounted, MINUTE, marks, shards)
    # Of the stored list each emote must have its count, and the list must be as long as it may.
    there = both.get_column("emotes_recounted")
    mine = both.get_column("emotes")
    same = _tell_emotes_equal(mine, there)
    both = both.with_columns(
        emotes=_write_emotes("emotes"),
        emotes_recounted=pl.when(same)
        .then(_write_emotes("emotes"))
        .otherwise(_write_emotes("emotes_recounted")),
    )
    tests = {
        "chat_count": _is_same,
        "unique_chatters": _is_near_enough,
        "emotes": _is_same,
        "avg_sentiment": _within(1e-9),
        "avg_viewers": _within(0.0, relative=1e-9),
        "peak_viewers": _is_same,
    }
    return _list_differences("chat", both, None, tests)


def _compare_readings(
    stored: pl.DataFrame, recounted: pl.DataFrame, marks: Mapping[int, ShardMarks], shards: int
) -> Comparison:
    both = _join(stored, recounted, CHANNEL, marks, shards)
    # The error of a sum is that of its largest part, however small the sum itself is.
    size = 1e-9 * pl.max_horizontal(pl.col("min_recounted").abs(), pl.col("max_recounted").abs())
    tests = {
        "count": _is_same,
        "mean": _within(size),
        "min": _is_same,
        "max": _is_same,
        "stddev": _within(size, relative=1e-6),
        "last": _is_same,
    }
    return _list_differences("readings", both, pl.col("channel"), tests)


def _compare_transactions(
    stored: pl.DataFrame, recounted: pl.DataFrame, marks: Mapping[int, ShardMarks], shards: int
) -> Comparison:
    # Rows of points carry no offset: what the flow has applied beyond the archive may be in them.
    has_more = (pl.col("count") > pl.col("count_recounted").fill_null(0)).fill_null(value=False)
    revised = stored.with_columns(revision=pl.lit(None, dtype=pl.Int64), final=pl.lit(value=True))
    both = _join(revised, recounted, MONEY, marks, shards).with_columns(
        pending=pl.coalesce(
            "pending",
            pl.when(has_more & (pl.col("applied") > pl.col("through"))).then(
                pl.lit("not archived yet")
            ),
        )
    )
    tests = {"count": _is_same, "amount": _within(0.0, relative=1e-9)}
    series = pl.concat_str("kind", "currency", separator=" ", ignore_nulls=True)
    return _list_differences("transactions", both, series, tests)


def _join(
    stored: pl.DataFrame,
    recounted: pl.DataFrame,
    key: list[str],
    marks: Mapping[int, ShardMarks],
    shards: int,
) -> pl.DataFrame:
    """Return both rows of each key side by side, and why it cannot be judged, or null."""
    both = stored.with_columns(is_stored=True).join(
        recounted.with_columns(is_recounted=True),
        on=key,
        how="full",
        coalesce=True,
        nulls_equal=True,
        suffix="_recounted",
    )
    both = both.with_columns(pl.col("is_stored", "is_recounted").fill_null(value=False))
    known = spread_marks(both["stream_id"].unique(), marks, shards)
    return both.join(known, on="stream_id", how="left").with_columns(pending=_find_reason())


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
    ]
    return pl.coalesce(pl.when(is_so).then(pl.lit(reason)) for is_so, reason in reasons)


def _list_differences(
    table: str, both: pl.DataFrame, series: pl.Expr | None, tests: Mapping[str, Test]
) -> Comparison:
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


def _is_same(stored: pl.Expr, recounted: pl.Expr) -> pl.Expr:
    return stored.eq_missing(recounted)


def _is_near_enough(stored: pl.Expr, recounted: pl.Expr) -> pl.Expr:
    may_err = recounted > CHATTERS_EXACT_MAX
    return (stored == recounted) | (
        may_err & ((stored - recounted).abs() <= recounted * CHATTERS_ERROR)
    )


def _within(absolute: float | pl.Expr, *, relative: float = 0.0) -> Test:
    def is_within(stored: pl.Expr, recounted: pl.Expr) -> pl.Expr:
        allowed = absolute + relative * recounted.abs()
        near = ((stored - recounted).abs() <= allowed).fill_null(value=False)
        return near | (stored.is_null() & recounted.is_null())

    return is_within


def _tell_emotes_equal(stored: pl.Series, recounted: pl.Series) -> pl.Series:
    """Tell for each row whether the stored list holds right counts, and enough of them."""
    rows = pl.DataFrame({"stored": stored, "recounted": recounted}).with_row_index("at")
    left = rows.select("at", e="stored").explode("e", empty_as_null=True).drop_nulls("e")
    right = rows.select("at", e="recounted").explode("e", empty_as_null=True).drop_nulls("e")
    wrong = left.unnest("e").join(right.unnest("e"), on=["at", "emote", "count"], how="anti")
    wanted = pl.col("recounted").list.len().clip(upper_bound=TOP_EMOTES)
    enough = (pl.col("stored").list.len() == wanted).fill_null(value=False)
    return rows.select(enough & ~pl.col("at").is_in(wrong["at"].implode())).to_series()


def _write_emotes(name: str) -> pl.Expr:
    """Write the most frequent emotes as one text."""
    element = pl.element().struct
    written = pl.format("{} {}", element.field("emote"), element.field("count"))
    return pick_top(pl.col(name)).list.eval(written).list.join(", ")
