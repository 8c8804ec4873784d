"""Tolerances: how far a stored value may lie from the recounted one and still be right."""

from collections.abc import Callable
from typing import Final, TypeAlias

import polars as pl

from core.chatters import EXACT_MAX as CHATTERS_EXACT_MAX
from core.quantiles import EXACT_MAX as VALUES_EXACT_MAX

CHATTERS_ERROR: Final = 0.03
"""Beyond so many as are counted exactly, unique chatters may be an estimate with this error."""

SUM_ERROR: Final = 1e-9
"""Of the largest part of a sum, however small the sum itself is."""

TINY: Final = 1e-130
"""The database takes smaller squares and products for nothing."""

Test: TypeAlias = Callable[[pl.Expr, pl.Expr], pl.Expr]
"""Whether a stored value is as good as the recounted one."""


def is_same(stored: pl.Expr, recounted: pl.Expr) -> pl.Expr:
    """Build the test for what has one right value."""
    return stored.eq_missing(recounted)


def is_near_enough(stored: pl.Expr, recounted: pl.Expr) -> pl.Expr:
    """Build the test for counts of chatters."""
    may_err = recounted > CHATTERS_EXACT_MAX
    return (stored == recounted) | (
        may_err & ((stored - recounted).abs() <= recounted * CHATTERS_ERROR)
    )


def within(absolute: float | pl.Expr, *, relative: float = 0.0) -> Test:
    """Return the test for what is computed with rounding."""

    def is_within(stored: pl.Expr, recounted: pl.Expr) -> pl.Expr:
        allowed = absolute + relative * recounted.abs()
        near = ((stored - recounted).abs() <= allowed).fill_null(value=False)
        return near | (stored.is_null() & recounted.is_null())

    return is_within


def between(low: str, high: str) -> Test:
    """Return the test for quantiles: one of many values may lie between two columns."""

    def is_between(stored: pl.Expr, recounted: pl.Expr) -> pl.Expr:
        may_err = pl.col("count_recounted") > VALUES_EXACT_MAX
        near = (may_err & stored.is_between(low, high)).fill_null(value=False)
        return near | stored.eq_missing(recounted)

    return is_between


def size_of(*names: str) -> pl.Expr:
    """Build the allowed error of a sum whose parts are no larger than the columns named."""
    return SUM_ERROR * pl.max_horizontal(pl.col(name).abs() for name in names) + TINY
