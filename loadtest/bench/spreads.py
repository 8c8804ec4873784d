"""Spreads: what several rounds of a measurement say together."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of several values, and how far they lie apart."""

    median: float
    least: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    """Return the spread of at least one value."""
    return Spread(statistics.median(values), min(values), max(values))


def spread_ratios(seconds: Sequence[float], peer_seconds: Sequence[float]) -> Spread:
    """Return how many times as fast as a peer something was, round by round.

    Both were measured in the same round: what slows the machine down slows both.
    """
    return spread([peer / own for own, peer in zip(seconds, peer_seconds, strict=True)])


def find_percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    place = -(-len(ordered) * percent // 100)
    return ordered[max(int(place) - 1, 0)]
