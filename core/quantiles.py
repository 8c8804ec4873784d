"""Quantiles: the values of channels in one minute, exactly up to a limit, then by a sketch."""

from typing import Final

import numpy as np

from core.rows import Floats, Ints
from core.sketches import ValueSketch

EXACT_MAX: Final = 1_024
"""Values of a channel and minute that are kept; 16 bytes each."""

RANKS: Final = (0.5, 0.95)


class Values:
    """The values of one minute."""

    def __init__(self) -> None:
        self._keys: Ints = np.empty(0, np.int64)
        self._values: Floats = np.empty(0, np.float64)
        self._sketches: dict[int, ValueSketch] = {}

    def add(self, keys: Ints, values: Floats) -> None:
        """Add values with their keys."""
        if self._sketches:
            rough = np.isin(keys, list(self._sketches))
            for key in np.unique(keys[rough]).tolist():
                self._sketches[key].update(values[keys == key])
            keys, values = keys[~rough], values[~rough]
        self._keys = np.concatenate([self._keys, keys])
        self._values = np.concatenate([self._values, values])
        self._bound()

    def find_quantiles(self, keys: Ints) -> Floats:
        """Return one row a key with the least values that so large parts of its own are not above.

        A key without values gets NaN.
        """
        wanted = np.isin(self._keys, keys)
        order = np.lexsort((self._values[wanted], self._keys[wanted]))
        owners, values = self._keys[wanted][order], self._values[wanted][order]
        first = np.searchsorted(owners, keys)
        count = np.searchsorted(owners, keys, side="right") - first
        found = np.full((len(keys), len(RANKS)), np.nan)
        has_values = count > 0
        for column, rank in enumerate(RANKS):
            at = first + np.ceil(rank * count).astype(np.int64) - 1
            found[has_values, column] = values[at[has_values]]
        for row in np.flatnonzero(np.isin(keys, list(self._sketches))).tolist():
            found[row] = self._sketches[int(keys[row])].find_quantiles(RANKS)
        return found

    def keep(self, keys: Ints) -> None:
        """Forget the values of all other keys."""
        kept = np.isin(self._keys, keys)
        self._keys, self._values = self._keys[kept], self._values[kept]
        known = set(keys.tolist())
        self._sketches = {key: sketch for key, sketch in self._sketches.items() if key in known}

    def _bound(self) -> None:
        """Go on with a sketch where there are too many values."""
        if len(self._keys) <= EXACT_MAX:
            return
        keys, counts = np.unique(self._keys, return_counts=True)
        for key in keys[counts > EXACT_MAX].tolist():
            here = self._keys == key
            sketch = self._sketches[key] = ValueSketch()
            sketch.update(self._values[here])
            self._keys, self._values = self._keys[~here], self._values[~here]
