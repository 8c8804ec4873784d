"""Readings: the level of channels, and how far their readings scatter, judged."""

from datetime import timedelta
from typing import Final

import numpy as np
import polars as pl

from core.baselines import BaselinePolicy
from core.habits import Habits
from core.open_minutes import Wanted
from core.rows import Floats, Ints, Rows
from streaming.detect.levels import Levelled, Levels, Minutes
from streaming.detect.novelties import Novelties
from streaming.flow.judges.base import SCATTER, Judgements, Picked, combine, find_news, pick

VALUES_MIN: Final = 5
"""Of fewer readings the scatter says nothing."""

RUNNING_VALUES_MIN: Final = 3
"""Of a running minute: one or two readings may be slips."""

SCATTER_SPREAD_MIN: Final = 0.25
"""Of the logarithm of the scatter: what is less than a tripling is none."""


def expect_values(expected: Floats) -> Floats:
    """Return the least spread of readings: what a sensor resolves."""
    return np.maximum(np.abs(expected) * 1e-3, 1e-9)


def expect_scatter(expected: Floats) -> Floats:
    """Return the least spread of the logarithm of the scatter."""
    return np.full(len(expected), SCATTER_SPREAD_MIN)


class ReadingJudge:
    """Judges the level of channels, and how far their readings scatter."""

    def __init__(self, policy: BaselinePolicy, *, reopened: timedelta) -> None:
        self.means = Levels(policy, expect_values, reopened=reopened, habits=Habits())
        self.scatters = Levels(policy, expect_scatter, reopened=reopened, habits=Habits())
        self._novelties = Novelties()

    @property
    def levels(self) -> tuple[Levels, ...]:
        """Everything that has a policy."""
        return self.means, self.scatters

    def judge(self, rows: Rows, wanted: Wanted) -> tuple[dict[str, pl.Series], list[Judgements]]:
        """Return what is stored beside the means, and all judgements."""
        picked = pick(rows, wanted)
        row = rows.take(wanted.at)
        scatter = self._judge_scatter(picked, row)
        # How far the mean of the few readings of a running minute strays by chance.
        usual = np.exp(np.nan_to_num(self.scatters.find_standing(picked.series)[0], nan=-np.inf))
        chance = np.where(picked.final, 0.0, usual / np.sqrt(np.maximum(row["count"], 1)))
        enough = picked.final | (row["count"] >= RUNNING_VALUES_MIN)
        means = np.where(enough, row["mean"], np.nan)
        minutes = Minutes(picked.series, picked.minutes, means, picked.final)
        levelled = self.means.judge(minutes, widened=chance)
        novel = find_news(self._novelties, picked, row["mean"])
        stored = {
            "z_score": pl.Series(levelled.z_scores).fill_nan(None),
            "is_anomaly": pl.Series(levelled.scores >= 1),
        }
        judged = combine(picked, row["mean"], levelled, novel)
        # Where the level tells, it tells more: it has a direction.
        is_told = (judged["scores"] < 1) & (scatter.scores > judged["scores"])
        for name, column in (("scores", scatter.scores), ("z_scores", scatter.z_scores)):
            judged[name] = np.where(is_told, column, judged[name])
        judged["telling"] = np.where(is_told, SCATTER, judged["telling"])
        return stored, [Judgements(None, "reading_anomaly", "reading_anomaly", **judged)]

    def forget(self, channels: Ints) -> None:
        """Drop what is known of channels."""
        for levels in self.levels:
            levels.forget(channels)
        self._novelties.forget(channels)

    def _judge_scatter(self, picked: Picked, row: dict[str, Floats]) -> Levelled:
        """Judge how far readings lie apart; that they lie nearer than usual is a flat line's."""
        scatter = np.sqrt(row["m2"] / np.maximum(row["count"] - 1, 1))
        enough = picked.final & (row["count"] >= VALUES_MIN) & (scatter > 0)
        with np.errstate(divide="ignore"):
            values = np.where(enough, np.log(scatter), np.nan)
        minutes = Minutes(picked.series, picked.minutes, values, picked.final)
        levelled = self.scatters.judge(minutes)
        return levelled._replace(z_scores=np.fmax(levelled.z_scores, 0.0))
