"""Levels: minutes beside what their series did in the hour before.

    value -> remembered when complete -> level of the hour before, and of its newest minutes
          -> z-score -> beside how far this series strays by itself -> score

A running minute is judged by the baseline that the last complete one left. Which floor the spread
has is the metric's: what chance alone would do.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from core.baselines import BaselinePolicy, Baselines, Histories, make_baselines
from core.chances import score_counts
from core.habits import Habits
from core.rows import Bools, Floats, Ints, Rows, find_sorted
from core.tails import Tails

OFF: Final = 1.0
"""Spreads off the hour's level from which the newest minutes are asked."""

UNUSUAL: Final = 0.6
"""The score from which a minute is left out of the baselines of the next hour."""

STANDS_FOR: Final = 3
"""Minutes for which a baseline holds when no minute is completed."""

Floor: TypeAlias = Callable[[Floats], Floats]
"""The least spread, given what is expected."""


class Minutes(NamedTuple):
    """Minutes to be judged; those of one series in the order of time."""

    series: Ints
    minutes: Ints
    values: Floats
    """What is not finite is no value: judged as nothing, and learnt from by nobody."""

    final: Bools


class Levelled(NamedTuple):
    """What is said of them, in their order; NaN while a series warms up."""

    expected: Floats
    spread: Floats
    z_scores: Floats
    thresholds: Floats
    """The z-scores from which minutes are unusual, a score of 1."""

    @property
    def scores(self) -> Floats:
        """How unusual each is; 1.0 and above is."""
        scores: Floats = np.abs(self.z_scores) / self.thresholds
        return np.nan_to_num(scores, nan=0.0)


class Levels:
    """The last hour of many series, and how far each strays."""

    def __init__(
        self,
        policy: BaselinePolicy,
        floor: Floor,
        *,
        reopened: timedelta,
        habits: Habits | None = None,
        are_few: bool = False,
    ) -> None:
        """Know nothing yet.

        Args:
            policy: What makes a baseline.
            floor: The least spread.
            reopened: How old a minute may be that is revised.
            habits: What is usual because it happened often; None for what people do.
            are_few: Whether values are counts so small that only chances tell of them.
        """
        self.histories = Histories(policy, reopened=reopened)
        self._policy = policy
        self._floor = floor
        self._tails = Tails()
        self._habits = habits
        self._are_few = are_few
        self._standing = Rows(
            **dict.fromkeys(Baselines._fields, np.float64(np.nan)),
            measured_for=np.int64(0),
            running=np.int64(0),
            value=np.float64(np.nan),
        )
        """What a running minute of a series is judged by, and for which it was worked out."""

    def judge(self, asked: Minutes, *, widened: Floats | None = None) -> Levelled:
        """Judge minutes, and learn from those that are complete.

        Args:
            asked: The minutes.
            widened: What is added to the spread of each: how far a minute of few values strays
                more than others.
        """
        usual = self._measure(asked)
        if self._are_few:
            expected, spread = usual.mean, np.sqrt(usual.mean)
            z_scores = score_counts(asked.values, expected)
        else:
            expected, spread, z_scores = self._choose(asked.values, usual, widened)
        thresholds = self._tails.find_thresholds(asked.series) * self._policy.strictness
        raised = thresholds
        if self._habits is not None:
            raised = self._habits.raise_thresholds(asked.series, thresholds)
        levelled = Levelled(expected, spread, z_scores, thresholds)
        self._learn(asked, levelled)
        return levelled._replace(thresholds=raised)

    def _learn(self, asked: Minutes, levelled: Levelled) -> None:
        """Learn from complete minutes, by the series' own measure: habits left aside."""
        final = asked.final
        series, z_scores = asked.series[final], levelled.z_scores[final]
        scores = levelled.scores[final]
        if self._habits is not None:
            self._habits.learn(series, z_scores, scores >= 1)
        self._tails.learn(series, z_scores, levelled.thresholds[final])
        unusual = scores >= UNUSUAL
        self.histories.mark_unusual(series[unusual], asked.minutes[final][unusual])

    def _choose(
        self, values: Floats, usual: Baselines, widened: Floats | None
    ) -> tuple[Floats, Floats, Floats]:
        """Return what is expected, the spread, and how many spreads values are away from it.

        Of a series that wanders, the newest minutes tell more than the hour does. They are asked
        only about what leads away from the hour's level: at the end of an incident all is as it was
        before, and nothing but its own last minutes is contradicted.
        """
        spread, drift = self._raise_spreads(usual)
        if widened is not None:
            spread, drift = np.hypot(spread, widened), np.hypot(drift, widened)
        far, near = (values - usual.level) / spread, (values - usual.recent) / drift
        away = np.abs(values - usual.level) - np.abs(usual.recent - usual.level)
        is_near = (
            (far * near > 0) & (np.abs(far) >= OFF) & (np.abs(near) > np.abs(far)) & (away > 0)
        )
        return (
            np.where(is_near, usual.recent, usual.level),
            np.where(is_near, drift, spread),
            np.where(is_near, near, far),
        )

    def find_standing(self, series: Ints) -> tuple[Floats, Floats]:
        """Return what running minutes of series are judged by: the level of the hour, its spread.

        Of a series that wanders less from minute to minute than within the hour, where it is now.
        """
        usual = self._stand_by(series)
        spread, drift = self._raise_spreads(usual)
        is_near = drift < spread
        return np.where(is_near, usual.recent, usual.level), np.minimum(drift, spread)

    def _raise_spreads(self, usual: Baselines) -> tuple[Floats, Floats]:
        """Return the spread of the hour and that of its newest minutes, the floor at least."""
        floor = self._floor(usual.level)
        return np.fmax(usual.spread, floor), np.fmax(usual.drift, floor)

    def _stand_by(self, series: Ints) -> Baselines:
        at, is_known = find_sorted(self._standing.keys, series)
        found = make_baselines(len(series))
        for name, column in zip(Baselines._fields, found, strict=True):
            column[is_known] = self._standing.floats(name)[at[is_known]]
        return found

    def list_values(self, series: int, first: int, last: int) -> Floats:
        """Return what a series was in minutes from the first to the last, the running one too."""
        values: Floats = self.histories.list_values(np.array([series]), first, last)[0]
        (at,), (is_known,) = find_sorted(self._standing.keys, np.array([series]))
        if is_known:
            place = len(values) - 1 - last + int(self._standing.ints("running")[at])
            if 0 <= place < len(values) and np.isnan(values[place]):
                values[place] = self._standing.floats("value")[at]
        return values

    def follow(self, policy: BaselinePolicy, *, reopened: timedelta) -> None:
        """Go on by another policy."""
        self.histories = self.histories.follow(policy, reopened=reopened)
        self._policy = policy
        self._standing.ints("measured_for")[:] = 0

    def forget(self, series: Ints) -> None:
        """Drop what is known of series."""
        self.histories.forget(series)
        self._tails.forget(series)
        if self._habits is not None:
            self._habits.forget(series)
        self._standing.keep(~np.isin(self._standing.keys, series))

    def _measure(self, asked: Minutes) -> Baselines:
        final = asked.final & np.isfinite(asked.values)
        usual = make_baselines(len(final))
        if final.any():
            series, minutes = asked.series[final], asked.minutes[final]
            self.histories.remember(series, minutes, asked.values[final])
            at = self._standing.place(np.unique(series))
            # Running minutes are measured anew: a minute before them was completed.
            self._standing.ints("measured_for")[at] = 0
            _fill(usual, final, self.histories.measure(series, minutes))
        running = ~asked.final
        if running.any():
            series = asked.series[running]
            self._stand(series, asked.minutes[running])
            # Of two minutes that run at once the newer one stands behind.
            at = np.searchsorted(self._standing.keys, series)
            self._standing.ints("running")[at] = asked.minutes[running]
            self._standing.floats("value")[at] = asked.values[running]
            _fill(usual, running, self._stand_by(series))
        return usual

    def _stand(self, series: Ints, minutes: Ints) -> None:
        """Measure what running minutes are judged by, where that is not known."""
        different, first = np.unique(series, return_index=True)
        at = self._standing.place(different)
        wanted = minutes[first]
        # After a pause the hour before is another one.
        stale = wanted - self._standing.ints("measured_for")[at] > STANDS_FOR
        if stale.any():
            usual = self.histories.measure(different[stale], wanted[stale])
            for name, column in zip(Baselines._fields, usual, strict=True):
                self._standing.floats(name)[at[stale]] = column
            self._standing.ints("measured_for")[at[stale]] = wanted[stale]


def _fill(whole: Baselines, where: Bools, part: Baselines) -> None:
    for column, values in zip(whole, part, strict=True):
        column[where] = values
