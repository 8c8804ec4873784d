"""Distributions: how long requests took, as counts in buckets that are one per cent wide.

A Python list of every time would grow with the run; this is bounded by the range of times: some
2 500 buckets from a microsecond to a day. Distributions of several names can be added up, which
percentiles cannot.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil, exp, log
from typing import Final

BUCKET_WIDTH: Final = 0.01
"""Natural logarithm of the ratio of two neighbours: a percentile is right to half a per cent."""

LEAST_MS: Final = 0.001
MOST_MS: Final = 24 * 3600 * 1000.0


@dataclass(slots=True)
class Distribution:
    """Times of one kind of request."""

    buckets: Counter[int] = field(default_factory=Counter)

    def add(self, time_ms: float) -> None:
        """Count one time; what is no time at all counts as the least there is."""
        bounded = min(max(time_ms, LEAST_MS), MOST_MS)
        self.buckets[round(log(bounded) / BUCKET_WIDTH)] += 1

    @property
    def count(self) -> int:
        """How many times were counted."""
        return self.buckets.total()

    def find_percentile(self, percent: float) -> float | None:
        """Return the time that so many per cent did not exceed; None when nothing was counted."""
        wanted = max(ceil(self.count * percent / 100), 1)
        passed = 0
        for bucket in sorted(self.buckets):
            passed += self.buckets[bucket]
            if passed >= wanted:
                return exp(bucket * BUCKET_WIDTH)
        return None


def add_up(distributions: Iterable[Distribution]) -> Distribution:
    """Return one distribution of all times."""
    total: Counter[int] = Counter()
    for distribution in distributions:
        total.update(distribution.buckets)
    return Distribution(total)
