"""Baselines: what a minute is measured against.

    the closed minutes of the last hour, without the judged one -> median and spread -> z-score

Median and median deviation instead of mean and standard deviation: a spike must not raise the bar
for the next.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import polars as pl

NORMAL_FROM_MAD: Final = 1.4826
"""A normal distribution's standard deviation in units of its median absolute deviation."""


@dataclass(frozen=True, slots=True)
class BaselinePolicy:
    """Decides which minutes make a baseline and how sure it must be."""

    span: timedelta = timedelta(minutes=60)
    least: int = 10
    """Fewer earlier minutes than this give no z-score: the stream is warming up."""

    threshold: float = 4.0
    """Spreads away from the median from which a minute is an anomaly; score 1.0."""


def score_minutes(
    rows: pl.DataFrame,
    history: pl.DataFrame,
    *,
    key: list[str],
    floor: pl.Expr,
    policy: BaselinePolicy,
) -> pl.DataFrame:
    """Add ``expected``, ``spread`` and ``z_score`` to rows; null while warming up.

    Args:
        rows: Columns ``key``, ``minute`` and ``value``.
        history: Closed minutes with the same columns; the judged minute in it is left out.
        key: What tells one series from another.
        floor: The least spread, from ``expected``: what chance alone would do.
        policy: Which minutes count.
    """
    past = history.select(*key, past="minute", past_value="value")
    value = pl.col("past_value")
    baseline = (
        rows.select(*key, "minute")
        .join(past, on=key)
        .filter(
            (pl.col("past") < pl.col("minute")) & (pl.col("past") >= pl.col("minute") - policy.span)
        )
        .group_by(*key, "minute")
        .agg(
            known=pl.len(),
            expected=value.median(),
            mad=(value - value.median()).abs().median(),
        )
        .filter(pl.col("known") >= policy.least)
        .with_columns(spread=pl.max_horizontal(pl.col("mad") * NORMAL_FROM_MAD, floor))
        .select(*key, "minute", "expected", "spread")
    )
    return rows.join(baseline, on=[*key, "minute"], how="left", maintain_order="left").with_columns(
        z_score=(pl.col("value") - pl.col("expected")) / pl.col("spread")
    )


def remember_minutes(
    history: pl.DataFrame, closed: pl.DataFrame, *, key: list[str], policy: BaselinePolicy
) -> pl.DataFrame:
    """Remember closed or revised minutes, and forget those nobody is measured against."""
    newest = closed.select(*key, "minute", "value")
    merged = pl.concat([history.join(newest, on=[*key, "minute"], how="anti"), newest])
    # Twice the span: a late event may still re-open a minute that needs the hour before it.
    oldest = pl.col("minute").max().over(key) - 2 * policy.span
    return merged.filter(pl.col("minute") >= oldest)
