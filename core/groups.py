"""Groups: rows that share a key, found in one pass and summed in others.

    keys of rows -> group_rows -> different keys, sorted, and the place of each row's key among them

For keys that are whole numbers, of which there are few beside the rows; Polars groups everything
else.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.compiled import compiled
from core.rows import Ints

SLOTS_FIRST: Final = 4_096

_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)
_TOP: Final = np.uint64(32)
_ONE: Final = np.uint64(1)
_FULL: Final = -1

Numbers = NDArray[np.int32]


class Groups(NamedTuple):
    """Rows by their keys."""

    keys: Ints
    """The different keys, sorted."""

    places: Numbers
    """Of each row, where its key stands among them."""

    def count_rows(self) -> Ints:
        """Return how many rows each group has."""
        return np.bincount(self.places, minlength=len(self.keys))

    def add(self, values: Ints) -> Ints:
        """Return the sum of each group, exact up to 2**53."""
        sums = np.bincount(self.places, weights=values, minlength=len(self.keys))
        return sums.astype(np.int64)

    def bound(self, values: Ints) -> tuple[Ints, Ints]:
        """Return the least and the most of each group."""
        limits = np.iinfo(np.int64)
        least = np.full(len(self.keys), limits.max)
        most = np.full(len(self.keys), limits.min)
        _bound(self.places, values, least, most)
        return least, most


def group_rows(keys: Ints) -> Groups:
    """Return rows by their keys."""
    places = np.empty(len(keys), np.int32)
    size = SLOTS_FIRST
    while True:
        slots, first = np.zeros(size, np.int32), np.empty(size // 2, np.int64)
        if (count := _number(keys, slots, first, places)) != _FULL:
            break
        size *= 8
    different = keys[first[:count]]
    order = np.argsort(different)
    rank = np.empty(count, np.int32)
    rank[order] = np.arange(count, dtype=np.int32)
    return Groups(different[order], rank[places])


def find_first(keys: NDArray[np.uint64]) -> Ints:
    """Return the first row of each different key, in the order of the rows."""
    # Nearly all may be different: there is room for that from the beginning.
    slots = np.zeros(1 << (2 * len(keys) + 1).bit_length(), np.int32)
    first = np.empty(len(keys), np.int64)
    places = np.empty(len(keys), np.int32)
    count = _number(keys.view(np.int64), slots, first, places)
    return first[:count]


@compiled
def _number(keys: Ints, slots: Numbers, first: Ints, places: Numbers) -> int:
    """Number keys as they come; return how many there are, or that there is no room for them."""
    mask = np.uint64(len(slots) - 1)
    count = 0
    for row in range(len(keys)):
        key = keys[row]
        spread = np.uint64(key) * _SPREAD
        slot = (spread ^ (spread >> _TOP)) & mask
        while slots[slot] and keys[first[slots[slot] - 1]] != key:
            slot = (slot + _ONE) & mask
        if not slots[slot]:
            if count == len(first):
                return _FULL
            first[count] = row
            count += 1
            slots[slot] = count
        places[row] = slots[slot] - 1
    return count


@compiled
def _bound(places: Numbers, values: Ints, least: Ints, most: Ints) -> None:
    for row in range(len(places)):
        place, value = places[row], values[row]
        least[place] = min(least[place], value)
        most[place] = max(most[place], value)
