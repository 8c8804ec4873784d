"""Tails: how far the ordinary minutes of a series stray, and so what is unusual for it.

    scores of ordinary minutes -> how often they pass 2, and by how much -> the score that ordinary
    minutes pass less than once in two weeks

Beyond a low limit the distances of most series fall off exponentially, by a length of their own:
a wild series is given a wider margin than a steady one, and nobody has to set either. Minutes that
were found unusual teach nothing, or the next incident would have to be larger.
"""

from typing import Final

import numpy as np

from core.rows import Floats, Ints, Rows, find_sorted

LIMIT: Final = 2.0
"""Scores from here on are the tail."""

SHARE_NORMAL: Final = 0.0455
EXCESS_NORMAL: Final = 0.373
"""What both are for a normal distribution: what is believed of a series that told nothing yet."""

BELIEF_ROWS: Final = 120
"""How many minutes that belief weighs."""

MEMORY_ROWS: Final = 3_000
"""Minutes after which what was learnt fades."""

RETURN_ROWS: Final = 2 * 7 * 24 * 60
"""Minutes of which one may pass by chance alone."""

THRESHOLD_MIN: Final = 4.0
"""However tame a series, below this a minute is ordinary."""

THRESHOLD_MAX: Final = 12.0
"""However wild a series, from here on a minute is unusual."""


RESTLESS: Final = 0.7
REST_ROWS: Final = 6
"""After a minute of so much of the threshold nothing is learnt for a while: what comes then is
the rest of an incident."""


class Tails:
    """The tails of many series."""

    def __init__(self) -> None:
        self._rows = Rows(
            seen=np.int64(0),
            share=np.float64(SHARE_NORMAL),
            excess=np.float64(EXCESS_NORMAL),
            resting=np.int64(0),
        )

    def find_thresholds(self, series: Ints) -> Floats:
        """Return from which score on a minute of each series is unusual."""
        at, is_known = find_sorted(self._rows.keys, series)
        share = np.full(len(series), SHARE_NORMAL)
        excess = np.full(len(series), EXCESS_NORMAL)
        share[is_known] = self._rows.floats("share")[at[is_known]]
        excess[is_known] = self._rows.floats("excess")[at[is_known]]
        passed = np.maximum(share * RETURN_ROWS, 1.0)
        found: Floats = np.clip(LIMIT + excess * np.log(passed), THRESHOLD_MIN, THRESHOLD_MAX)
        return found

    def learn(self, series: Ints, scores: Floats, thresholds: Floats) -> None:
        """Learn from complete minutes; not from what is or was lately unusual."""
        taught = np.isfinite(scores)
        if not taught.any():
            return
        # Of several minutes of one series, as a gap may leave them, the last one is enough.
        series, last = np.unique(series[taught][::-1], return_index=True)
        scores = np.abs(scores[taught][::-1][last])
        thresholds = thresholds[taught][::-1][last]
        at = self._rows.place(series)
        resting = self._rows.ints("resting")
        resting[at] = np.where(
            scores >= RESTLESS * thresholds, REST_ROWS, np.maximum(resting[at] - 1, 0)
        )
        ordinary = resting[at] == 0
        self._follow(at[ordinary], scores[ordinary])

    def forget(self, series: Ints) -> None:
        """Drop what is known of series."""
        self._rows.keep(~np.isin(self._rows.keys, series))

    def _follow(self, at: Ints, scores: Floats) -> None:
        seen, share, excess = (self._rows[name] for name in ("seen", "share", "excess"))
        rate = 1 / np.minimum(seen[at] + BELIEF_ROWS, MEMORY_ROWS)
        beyond = scores > LIMIT
        seen[at] += 1
        share[at] += rate * (beyond - share[at])
        far = at[beyond]
        # A tail is seen seldom: it is learnt by how often it was seen.
        rate = rate[beyond] / np.maximum(share[far], SHARE_NORMAL / 4)
        excess[far] += np.minimum(rate, 0.2) * (scores[beyond] - LIMIT - excess[far])
