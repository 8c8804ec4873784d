"""Curves: what the metrics of a backtest did, minute by minute, for its picture."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from core.changes import Changes

POINTS_MAX: Final = 2_000_000
"""Minutes of series that are kept, about a hundred megabytes; a picture shows a few thousand."""

SCHEMA: Final = pl.Schema(
    {
        "stream_id": pl.String(),
        "metric": pl.String(),
        "minute": pl.Datetime("us", "UTC"),
        "value": pl.Float64(),
    }
)

_KEY: Final = ("stream_id", "metric", "minute")


@dataclass(slots=True)
class Curves:
    """Collects complete minutes, the newest telling of each."""

    points: int = 0
    is_full: bool = False
    _parts: list[pl.DataFrame] = field(default_factory=list)

    def note(self, changes: Changes) -> None:
        """Keep the minutes that a batch completed."""
        parts = [*_list_chat(changes.chat), *_list_others(changes)]
        height = sum(part.height for part in parts)
        if self.points + height > POINTS_MAX:
            self.is_full = True
            return
        self.points += height
        self._parts += [part for part in parts if part.height]

    def draw_out(self) -> pl.DataFrame:
        """Return all minutes, by stream, metric and time."""
        if not self._parts:
            return pl.DataFrame(schema=SCHEMA)
        return pl.concat(self._parts).unique(_KEY, keep="last", maintain_order=True).sort(_KEY)


def _list_chat(chat: pl.DataFrame) -> Iterable[pl.DataFrame]:
    final = chat.filter("final") if chat.height else chat
    if not final.height:
        return
    yield _shape(final, pl.lit("chat_count"), pl.col("chat_count"))
    for metric in ("avg_viewers", "avg_sentiment"):
        yield _shape(final, pl.lit(metric), pl.col(metric)).filter(pl.col("value").is_not_null())


def _list_others(changes: Changes) -> Iterable[pl.DataFrame]:
    readings, money = changes.readings, changes.transactions
    if readings.height and (final := readings.filter("final")).height:
        yield _shape(final, pl.col("channel"), pl.col("mean"))
    if money.height and (final := money.filter("final")).height:
        counted = final.group_by("stream_id", "minute", maintain_order=True).agg(
            pl.col("count").sum()
        )
        yield _shape(counted, pl.lit("transaction_count"), pl.col("count"))


def _shape(rows: pl.DataFrame, metric: pl.Expr, value: pl.Expr) -> pl.DataFrame:
    chosen = rows.select(
        "stream_id", metric=metric, minute=pl.col("minute"), value=value.cast(pl.Float64)
    )
    return chosen.cast(SCHEMA)
