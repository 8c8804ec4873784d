"""Chances: how unlikely a count is where so many are usual, on the scale of a normal distribution.

    9 where 1.5 are usual -> one minute in 40 000 by chance -> 4.1 standard deviations

Few counts are far from normal: of one a minute, five are nothing and ten are an incident. Beyond
what chance explains, ``core.tails`` learns how bursty a series is.
"""

from typing import Final

import numpy as np
from scipy.special import gammainc, gammaincc, ndtri

from core.rows import Floats

LEAST: Final = 1e-300
"""Smaller chances are this one, some 37 standard deviations."""


def score_counts(counts: Floats, usual: Floats) -> Floats:
    """Return how far counts lie above what is usual, or below it; NaN where nothing is known."""
    with np.errstate(invalid="ignore"):
        is_more = counts > usual
        # As many or more, and as many or fewer, of a Poisson distribution.
        more = np.where(counts > 0, gammainc(np.maximum(counts, 1), usual), 1.0)
        fewer = gammaincc(counts + 1, usual)
        above = -ndtri(np.maximum(more, LEAST))
        below = ndtri(np.maximum(fewer, LEAST))
    scores: Floats = np.where(is_more, np.maximum(above, 0), np.minimum(below, 0))
    return np.where(np.isfinite(counts) & np.isfinite(usual), scores, np.nan)
