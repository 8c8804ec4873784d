"""Verdicts: what detectors are asked and what they answer, as columns."""

from typing import Final, NamedTuple

import numpy as np

from core.rows import Bools, Floats, Ints

NOTHING: Final = -1


class Asked(NamedTuple):
    """Rows to be judged; those of one series in the order of time."""

    series: Ints
    """Whose each row is, by any number."""

    times: Ints
    """Seconds since 1970."""

    values: Floats
    """What is not finite is no value: judged as nothing, and learnt from by nobody."""


class Verdicts(NamedTuple):
    """What is said of rows, in their order."""

    scores: Floats
    """1.0 and above is unusual; one scale for all series."""

    telling: Ints
    """What told most, by its number in the detector; -1 where nothing did."""

    higher: Bools
    """Whether that was higher than ever, and not lower."""

    ages: Ints
    """How many rows of its series were known by then, this one included."""

    usual: Floats
    """What the series was on average before; NaN where nothing is known."""


def make_verdicts(count: int) -> Verdicts:
    """Return room for verdicts."""
    return Verdicts(
        np.zeros(count),
        np.full(count, NOTHING, np.int64),
        np.zeros(count, np.bool_),
        np.zeros(count, np.int64),
        np.full(count, np.nan),
    )
