"""Habits: what a series did several times, so that only more of it is news.

    unusual minute -> the second within two weeks -> from then on only what goes beyond is unusual

A job that runs each hour, a door that opens each morning: nobody wants to be told of them for ever.
For machines; of people each surge is an event of its own, so that chats have no habits.
"""

from typing import Final

import numpy as np

from core.rows import Bools, Floats, Ints, Rows, find_sorted

TIMES: Final = 2.0
"""How often something must have happened to be a habit."""

BEYOND: Final = 1.2
"""How many times farther than the farthest of them a minute must be, to be news all the same."""

HALF_ROWS: Final = 14 * 24 * 60
"""Minutes after which half of it is forgotten."""

APART_ROWS: Final = 5
"""Unusual minutes with fewer others between them happened once."""

_KEPT: Final = 0.5 ** (1 / HALF_ROWS)


class Habits:
    """The habits of many series."""

    def __init__(self) -> None:
        self._rows = Rows(times=np.float64(0), farthest=np.float64(0), since=np.int64(APART_ROWS))

    def raise_thresholds(self, series: Ints, thresholds: Floats) -> Floats:
        """Return thresholds, higher where that has happened often enough."""
        at, is_known = find_sorted(self._rows.keys, series)
        raised = thresholds.copy()
        known = at[is_known]
        is_habit = self._rows.floats("times")[known] >= TIMES
        farthest = np.where(is_habit, BEYOND * self._rows.floats("farthest")[known], 0.0)
        raised[is_known] = np.maximum(thresholds[is_known], farthest)
        return raised

    def learn(self, series: Ints, distances: Floats, unusual: Bools) -> None:
        """Learn from complete minutes, of each series the last one given.

        Args:
            series: Whose.
            distances: How far each is from what was expected, in spreads.
            unusual: Which were unusual by the series' own measure, habits left aside.
        """
        # Few series ever do anything unusual: only of those anything is kept.
        known = find_sorted(self._rows.keys, series)[1]
        told = known | unusual
        series, last = np.unique(series[told][::-1], return_index=True)
        far, is_new = np.abs(distances[told][::-1][last]), unusual[told][::-1][last]
        at = self._rows.place(series)
        times, farthest, since = (self._rows[name] for name in ("times", "farthest", "since"))
        times[at] *= _KEPT
        farthest[at] *= _KEPT
        begun = is_new & (since[at] >= APART_ROWS)
        times[at] += begun
        farthest[at] = np.where(is_new, np.maximum(farthest[at], far), farthest[at])
        since[at] = np.where(is_new, 0, since[at] + 1)

    def forget(self, series: Ints) -> None:
        """Drop what is known of series."""
        self._rows.keep(~np.isin(self._rows.keys, series))
