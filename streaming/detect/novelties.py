"""Novelties: the default detector, which tells what its series never did before.

What that is, and how it is weighed, stands in ``core.novelties``.
"""

import numpy as np

from core.novelties import COUNT, TRAITS, judge_rows, make_states
from core.rows import Ints, find_sorted
from core.verdicts import Asked, Verdicts, make_verdicts


class Novelties:
    """The states of all series that were seen."""

    def __init__(self) -> None:
        self._series: Ints = np.empty(0, np.int64)
        self._slots: Ints = np.empty(0, np.int64)
        """Where the state of each series lies; states stay where they are."""

        self._states = make_states(0)
        self._free: list[int] = []

    def __len__(self) -> int:
        """Return how many series are known."""
        return len(self._series)

    def update(self, asked: Asked) -> Verdicts:
        """Judge rows and learn from them."""
        verdicts = make_verdicts(len(asked.series))
        placed = asked._replace(series=self._place(asked.series))
        judge_rows(self._states, placed, np.empty(COUNT), verdicts)
        return verdicts

    def explain(self, telling: int, *, is_higher: bool) -> str:
        """Return in words what told most."""
        trait = TRAITS[telling]
        return trait.higher if is_higher else trait.lower

    def forget(self, series: Ints) -> None:
        """Drop what is known of series."""
        is_over = np.isin(self._series, series)
        freed = self._slots[is_over]
        self._states[freed] = make_states(len(freed))
        self._free += freed.tolist()
        self._series, self._slots = self._series[~is_over], self._slots[~is_over]

    def _place(self, series: Ints) -> Ints:
        """Return where the state of each row's series lies; a new series gets one."""
        different, whose = np.unique(series, return_inverse=True)
        at, is_known = find_sorted(self._series, different)
        if not is_known.all():
            new = different[~is_known]
            self._slots = np.insert(self._slots, at[~is_known], self._take(len(new)))
            self._series = np.insert(self._series, at[~is_known], new)
            at = np.searchsorted(self._series, different)
        return self._slots[at][whose]

    def _take(self, count: int) -> Ints:
        """Return places for new series, making more where there are too few."""
        missing = count - len(self._free)
        if missing > 0:
            size = len(self._states)
            more = max(missing, size // 2)
            self._states = np.concatenate([self._states, make_states(more)])
            self._free += range(size + more - 1, size - 1, -1)
        taken = self._free[-count:][::-1]
        del self._free[-count:]
        return np.array(taken, np.int64)
