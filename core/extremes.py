"""Extremes: fewer rows for a chart that still shows every peak.

    rows -> pixels, equal slices of time -> in each the lowest and the highest row of each curve

Rows are picked, never averaged: what is drawn was there. ``api.metrics`` and ``api.compare`` thin
rows with it.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from core.rows import Ints

Floats: TypeAlias = npt.NDArray[np.float64]


def pick_extremes(at: Ints, curves: Sequence[Floats], points: int) -> Ints:
    """Return which rows to keep, in their order: all, or at most ``points``.

    The lowest value of each curve survives; give a curve negated to keep its highest. Of more
    curves than points the last ones give way.

    Args:
        at: The time of each row.
        curves: A value for each row; NaN where there is none.
        points: How many rows are wanted at most, one or more.
    """
    if len(at) <= points:
        return np.arange(len(at))
    kept = curves[:points]
    pixels = _slice_time(at, points // len(kept))
    return np.unique(np.concatenate([_find_lowest(pixels, curve) for curve in kept]))


def _slice_time(at: Ints, pixels: int) -> Ints:
    """Return the pixel of each row; rows need not be evenly spaced."""
    start = at.min()
    # The width is rounded up, so that the last row falls into the last pixel.
    width = (at.max() - start) // pixels + 1
    numbers: Ints = (at - start) // width
    return numbers


def _find_lowest(pixels: Ints, curve: Floats) -> Ints:
    """Return the row of the lowest value in each pixel that has a value."""
    (rows,) = np.nonzero(~np.isnan(curve))
    order = rows[np.lexsort((curve[rows], pixels[rows]))]
    _, first = np.unique(pixels[order], return_index=True)
    return order[first]
