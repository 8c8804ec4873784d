"""Judges: minutes beside what their series did before.

    value -> remembered when complete -> baseline of the hour before -> z-score -> anomaly or not

A running minute keeps its baseline until a minute before it is completed.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

import numpy as np
import polars as pl

from core.baselines import NORMAL_FROM_MAD, BaselinePolicy, Histories
from core.minutes import find_minutes, find_series
from core.open_minutes import Wanted, measure, start_over
from core.rows import Floats, Ints, Rows

Floor: TypeAlias = Callable[[Floats], Floats]
"""The least spread of what is expected: what chance alone would do."""


class Judge:
    """Measures the minutes of one kind."""

    def __init__(self, histories: Histories, policy: BaselinePolicy, floor: Floor) -> None:
        self._histories = histories
        self._policy = policy
        self._floor = floor

    def judge(self, rows: Rows, wanted: Wanted, values: Floats) -> dict[str, pl.Series]:
        """Return ``expected``, ``z_score`` and ``is_anomaly`` of the wanted rows."""
        at = wanted.at
        series, minutes = find_series(rows.keys[at]), find_minutes(rows.keys[at])
        final = rows.bools("final")[at]
        if final.any():
            self._histories.remember(series[final], minutes[final], values[final])
            start_over(rows, series[final])
        stale = final | ~rows.bools("is_measured")[at]
        if stale.any():
            expected, deviation = self._histories.measure(series[stale], minutes[stale])
            spread = np.fmax(deviation * NORMAL_FROM_MAD, self._floor(expected))
            measure(rows, at[stale], expected, spread)
        expected = rows.floats("expected")[at]
        score = (values - expected) / rows.floats("spread")[at]
        # A running minute is still filling up: that it lies below the baseline says nothing.
        score = np.where(final | (score > 0), score, np.nan)
        return {
            "expected": pl.Series(expected).fill_nan(None),
            "z_score": pl.Series(score).fill_nan(None),
            "is_anomaly": pl.Series(np.abs(score) >= self._policy.threshold),
        }

    def follow(self, policy: BaselinePolicy, *, reopened: timedelta) -> None:
        """Go on by another policy."""
        self._histories = self._histories.follow(policy, reopened=reopened)
        self._policy = policy

    def forget(self, series: Ints) -> None:
        """Drop what is known of series."""
        self._histories.forget(series)


def expect_counts(expected: Floats) -> Floats:
    """Return the least spread of counts: that of chance."""
    return np.maximum(np.sqrt(expected), 1.0)


def expect_values(expected: Floats) -> Floats:
    """Return the least spread of readings: what a sensor resolves."""
    return np.maximum(np.abs(expected) * 1e-3, 1e-9)
