"""Chatters: who spoke in one minute, exactly up to a limit, then by a sketch.

All streams of a shard share one sorted array a minute: a message is looked up by a hash of its
user and its stream.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.groups import find_first
from core.minutes import find_minutes
from core.rows import Ints, find_sorted
from core.sketches import ChatterSketch

EXACT_MAX: Final = 10_000
"""Chatters of a stream and minute that are counted exactly; 16 bytes each."""

Hashes: TypeAlias = NDArray[np.uint64]

_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)
"""An odd number with its bits well mixed: it sets the users of different streams apart."""


def hash_users(user: pl.Expr) -> pl.Expr:
    """Build the hash of users; two of them share one with a chance of 1 in 10^19."""
    return user.hash(seed=0)


class Pairs(NamedTuple):
    """Who spoke where: keys and hashes of users."""

    keys: Ints
    users: Hashes

    def split(self) -> Iterator[tuple[int, Ints, Hashes]]:
        """Yield the pairs of each minute."""
        minutes = find_minutes(self.keys)
        for minute in np.unique(minutes).tolist():
            here = minutes == minute
            yield minute, self.keys[here], self.users[here]


def pair_chatters(keys: Ints, users: Hashes) -> Pairs:
    """Return the users of messages with the keys of these, each pair once."""
    first = find_first(_mix(keys, users))
    return Pairs(keys[first], users[first])


class Chatters:
    """The chatters of one minute."""

    def __init__(self) -> None:
        self._mixed: Hashes = np.empty(0, np.uint64)
        self._keys: Ints = np.empty(0, np.int64)
        self._sketches: dict[int, ChatterSketch] = {}

    def add(self, keys: Ints, users: Hashes) -> tuple[Ints, Ints]:
        """Add different pairs; return sorted keys and how many chatters each has more."""
        if self._sketches:
            rough = np.isin(keys, list(self._sketches))
            for key in np.unique(keys[rough]).tolist():
                self._sketches[key].update(users[keys == key])
            keys, users = keys[~rough], users[~rough]
        mixed = _mix(keys, users)
        order = np.argsort(mixed)
        mixed, keys = mixed[order], keys[order]
        at, is_known = find_sorted(self._mixed, mixed)
        is_new = ~is_known
        self._mixed = np.insert(self._mixed, at[is_new], mixed[is_new])
        self._keys = np.insert(self._keys, at[is_new], keys[is_new])
        return np.unique(keys[is_new], return_counts=True)

    def sketch(self, key: int) -> None:
        """Go on with a sketch for one key."""
        kept = self._keys != key
        sketch = self._sketches[key] = ChatterSketch()
        sketch.update(_mix(self._keys[~kept], self._mixed[~kept]))
        self._mixed, self._keys = self._mixed[kept], self._keys[kept]

    def estimate(self) -> dict[int, int]:
        """Return the counts of the keys that have a sketch."""
        return {key: sketch.count for key, sketch in self._sketches.items()}

    def keep(self, keys: Ints) -> None:
        """Forget the chatters of all other keys."""
        kept = np.isin(self._keys, keys)
        self._mixed, self._keys = self._mixed[kept], self._keys[kept]
        known = set(keys.tolist())
        self._sketches = {key: sketch for key, sketch in self._sketches.items() if key in known}


def _mix(keys: Ints, users: Hashes) -> Hashes:
    """Mix users with their keys; done twice it gives the users back."""
    return users ^ (keys.view(np.uint64) * _SPREAD)
