"""Baselines: what a minute is measured against.

    the closed minutes of the last hour, without the judged one -> level and spread
                                                               └-> where it is now, and its drift

Median and median deviation instead of mean and standard deviation: a spike must not raise the bar
for the next. A series' minutes lie in a ring, each with the number of its minute.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.rows import Bools, Floats, Ints, find_sorted

NORMAL_FROM_MAD: Final = 1.4826
"""A normal distribution's standard deviation in units of its median absolute deviation."""


ORDINARY: Final = 2 / 3
"""Of the known minutes, so many must be usual ones: what fills a third of an hour is usual too."""

RECENT: Final = 3
"""Minutes that tell where a series is now: an incident of five minutes does not move their
median."""

LAG: Final = 2
"""Minutes between two values whose distance tells how far a series drifts meanwhile."""


@dataclass(frozen=True, slots=True)
class BaselinePolicy:
    """Decides which minutes make a baseline and how sure it must be."""

    span: timedelta = timedelta(minutes=60)
    least: int = 10
    """Fewer earlier minutes than this give no z-score: the stream is warming up."""

    strictness: float = 1.0
    """What the threshold of every series is multiplied by."""


class Baselines(NamedTuple):
    """What was usual before minutes, two ways; NaN while a series warms up."""

    level: Floats
    """The median of what was usual in the span."""

    spread: Floats
    """How far values lie from that."""

    mean: Floats
    """The mean of what was usual, one more minute of one assumed: what tells of few counts."""

    recent: Floats
    """The median of the newest minutes."""

    drift: Floats
    """How far values lie from those some minutes before."""


def make_baselines(count: int) -> Baselines:
    """Return room for what was usual before minutes; nothing is known yet."""
    return Baselines(*(np.full(count, np.nan) for _ in Baselines._fields))


class Histories:
    """The closed minutes of many series."""

    def __init__(self, policy: BaselinePolicy, *, reopened: timedelta) -> None:
        """Make room for the span before any minute that may still be re-opened."""
        self._policy = policy
        self._span = policy.span // timedelta(minutes=1)
        self._size = self._span + reopened // timedelta(minutes=1) + 2
        self._series: Ints = np.empty(0, np.int64)
        self._minutes: NDArray[np.uint32] = np.empty((0, self._size), np.uint32)
        self._values: Floats = np.empty((0, self._size))
        self._unusual: Bools = np.empty((0, self._size), np.bool_)

    def remember(self, series: Ints, minutes: Ints, values: Floats) -> None:
        """Remember closed or revised minutes; each overwrites the one a ring's length before."""
        different, where = np.unique(series, return_inverse=True)
        row = self._place(different)[where]
        slot = minutes % self._size
        # What is older than the ring must not take the place of what is newer.
        newer = minutes >= self._minutes[row, slot]
        row, slot = row[newer], slot[newer]
        self._minutes[row, slot] = minutes[newer]
        self._values[row, slot] = values[newer]
        self._unusual[row, slot] = False

    def mark_unusual(self, series: Ints, minutes: Ints) -> None:
        """Say of remembered minutes that they were unusual: the next are not measured by them."""
        row, is_known = self._find(series)
        row, minutes = row[is_known], minutes[is_known]
        slot = minutes % self._size
        self._unusual[row, slot] |= self._minutes[row, slot] == minutes

    def measure(self, series: Ints, minutes: Ints) -> Baselines:
        """Return what was usual before each minute; NaN while warming up."""
        found = make_baselines(len(series))
        row, is_known = self._find(series)
        if not is_known.any():
            return found
        # The newest minute first.
        wanted = minutes[:, None] - np.arange(1, self._span + 1)
        slots = wanted % self._size
        counted = (self._minutes[row[:, None], slots] == wanted) & is_known[:, None]
        # Sorting is what costs: only for those who have warmed up.
        warm = np.flatnonzero(counted.sum(axis=1) >= self._policy.least)
        row, slots, counted = row[warm][:, None], slots[warm], counted[warm]
        values = np.where(counted, self._values[row, slots], np.nan)
        usual = self._leave_out_unusual(values, self._unusual[row, slots])
        middle = _find_median(usual)
        found.level[warm] = middle
        found.spread[warm] = NORMAL_FROM_MAD * _find_median(np.abs(usual - middle[:, None]))
        known = np.isfinite(usual).sum(axis=1)
        found.mean[warm] = (np.nansum(usual, axis=1) + 1) / (known + 1)
        found.recent[warm] = _find_median(values[:, :RECENT])
        apart = values[:, :-LAG] - values[:, LAG:]
        found.drift[warm] = NORMAL_FROM_MAD * _find_median(np.abs(apart))
        return found

    def knows(self, series: Ints, minutes: Ints) -> Bools:
        """Tell which minutes of which series are remembered."""
        row, is_known = self._find(series)
        if not is_known.any():
            return is_known
        known: Bools = is_known & (self._minutes[row, minutes % self._size] == minutes)
        return known

    def list_values(self, series: Ints, first: int, last: int) -> Floats:
        """Return what series were in the minutes from the first to the last one; NaN for nothing.

        A row a series, a column a minute.
        """
        wanted = np.arange(max(first, last - self._size + 1), last + 1)
        row, is_known = self._find(series)
        values = np.full((len(series), len(wanted)), np.nan)
        if is_known.any():
            slots = wanted % self._size
            at = row[is_known][:, None]
            found = self._minutes[at, slots] == wanted
            values[is_known] = np.where(found, self._values[at, slots], np.nan)
        return values

    def follow(self, policy: BaselinePolicy, *, reopened: timedelta) -> "Histories":
        """Return the same minutes, as many as there is room for, under another policy."""
        other = Histories(policy, reopened=reopened)
        row, slot = np.nonzero(self._minutes)
        minutes = self._minutes[row, slot].astype(np.int64)
        # The newest last: they take the places of what is too old.
        order = np.argsort(minutes)
        row, slot, minutes = row[order], slot[order], minutes[order]
        other.remember(self._series[row], minutes, self._values[row, slot])
        unusual = self._unusual[row, slot]
        other.mark_unusual(self._series[row[unusual]], minutes[unusual])
        return other

    def forget(self, series: Ints) -> None:
        """Drop what is known of series."""
        kept = ~np.isin(self._series, series)
        self._series = self._series[kept]
        self._minutes, self._values = self._minutes[kept], self._values[kept]
        self._unusual = self._unusual[kept]

    def _leave_out_unusual(self, values: Floats, unusual: Bools) -> Floats:
        """Return values without unusual ones, while those are few: many of them are usual."""
        usual = np.where(unusual, np.nan, values)
        known = np.isfinite(usual).sum(axis=1)
        enough = known >= np.maximum(self._policy.least, ORDINARY * np.isfinite(values).sum(axis=1))
        return np.where(enough[:, None], usual, values)

    def _place(self, series: Ints) -> Ints:
        at, is_known = self._find(series)
        if not is_known.all():
            where = np.searchsorted(self._series, series[~is_known])
            self._series = np.insert(self._series, where, series[~is_known])
            self._minutes = np.insert(self._minutes, where, 0, axis=0)
            self._values = np.insert(self._values, where, np.nan, axis=0)
            self._unusual = np.insert(self._unusual, where, values=False, axis=0)
            at = np.searchsorted(self._series, series)
        return at

    def _find(self, series: Ints) -> tuple[Ints, Bools]:
        """Return a row for each series, any for one that is unknown, and which are known."""
        at, is_known = find_sorted(self._series, series)
        return np.minimum(at, max(0, len(self._series) - 1)), is_known


def _find_median(values: Floats) -> Floats:
    """Return the median of the numbers in each row; NaN, which sorts behind them, for none."""
    count = np.isfinite(values).sum(axis=1)
    ordered = np.sort(values, axis=1)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    high = np.minimum(high, values.shape[1] - 1)
    rows = np.arange(len(values))
    middle: Floats = (ordered[rows, low] + ordered[rows, np.maximum(high, low)]) / 2
    return middle
