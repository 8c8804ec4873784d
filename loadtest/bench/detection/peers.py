"""Peers: other detectors of one series, row by row, each with the best threshold it has here.

rolling z       deviation from the mean of the 2 000 rows before, in their deviations
Gaussian tail   the same over 6 400 rows, renewed every hundred, as the benchmark's baseline
eleven rows     the last eleven rows with the judged one among them: never above 3.16
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from core.rows import Floats

Scorer = Callable[[Floats], Floats]

ELEVEN: Final = 11


def roll(rows: int, every: int = 1) -> Scorer:
    """Return how far each row lies from the rows before it, in their deviations."""

    def score(values: Floats) -> Floats:
        counts = np.minimum(np.arange(len(values)), rows)
        # Sums of what is off the first value: of large numbers nothing is lost.
        off = values - values[0]
        sums = np.concatenate([[0.0], np.cumsum(off)])
        squares = np.concatenate([[0.0], np.cumsum(off * off)])
        at = np.arange(len(values)) // every * every
        first = np.maximum(at - rows, 0)
        seen = np.maximum(at - first, 1)
        mean = (sums[at] - sums[first]) / seen
        spread = np.sqrt(np.maximum((squares[at] - squares[first]) / seen - mean * mean, 1e-12))
        scores: Floats = np.where(counts > ELEVEN, np.abs(off - mean) / spread, 0.0)
        return scores

    return score


def score_with_itself(values: Floats) -> Floats:
    """Return the z-score of each row among the last eleven, itself one of them."""
    windows = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([np.full(ELEVEN - 1, values[0]), values]), ELEVEN
    )
    spread = np.maximum(windows.std(axis=1, ddof=1), 1e-12)
    scores: Floats = np.abs(values - windows.mean(axis=1)) / spread
    return scores


THRESHOLDS: Final = tuple(math.exp(step / 10) for step in range(30))
"""From one deviation to eighteen."""


class Peer(NamedTuple):
    """A detector and the thresholds that it is tried with."""

    score: Scorer
    thresholds: Sequence[float] = THRESHOLDS


PEERS: Final[Mapping[str, Peer]] = {
    "rolling z-score, 2 000 rows": Peer(roll(2000)),
    "windowed Gaussian, 6 400 rows": Peer(roll(6400, 100)),
    "z-score of eleven rows with itself": Peer(score_with_itself),
}
