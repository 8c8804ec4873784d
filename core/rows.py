"""Rows: columns under a sorted integer key, one row a key, grown and shrunk in place.

    place(keys) -> positions -> rows["count"][positions] += partial

A step of the flow touches few rows many times a second; NumPy does that at a microsecond an
operation. A key is a series and a minute: see ``core.minutes``.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]


def find_sorted(known: NDArray[Any], wanted: NDArray[Any]) -> tuple[Ints, Bools]:
    """Return where among sorted, different values each wanted one is or belongs, and if it is."""
    at = np.searchsorted(known, wanted)
    is_known = np.zeros(len(wanted), np.bool_)
    inside = at < len(known)
    is_known[inside] = known[at[inside]] == wanted[inside]
    return at, is_known


class Rows:
    """A table in memory."""

    def __init__(self, **initial: np.generic) -> None:
        """Name the columns and what a new row holds; its type is the column's."""
        self.keys: Ints = np.empty(0, np.int64)
        self._initial = initial
        self._columns: dict[str, NDArray[Any]] = {
            name: np.empty(0, value.dtype) for name, value in initial.items()
        }

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[name]

    def ints(self, name: str) -> Ints:
        """Return a column of whole numbers."""
        return self._columns[name]

    def floats(self, name: str) -> Floats:
        """Return a column of numbers."""
        return self._columns[name]

    def bools(self, name: str) -> Bools:
        """Return a column of truths."""
        return self._columns[name]

    def place(self, keys: Ints) -> Ints:
        """Return where the rows of different, sorted keys stand, made where there were none.

        Columns that were taken before are the old ones when a row was made.
        """
        at, is_known = find_sorted(self.keys, keys)
        if not is_known.all():
            where, is_new = at[~is_known], ~is_known
            self.keys = np.insert(self.keys, where, keys[is_new])
            for name, initial in self._initial.items():
                self._columns[name] = np.insert(self._columns[name], where, initial)
            at = np.searchsorted(self.keys, keys)
        return at

    def keep(self, kept: Bools) -> None:
        """Drop the other rows."""
        self.keys = self.keys[kept]
        self._columns = {name: column[kept] for name, column in self._columns.items()}

    def take(self, at: Ints) -> dict[str, NDArray[Any]]:
        """Return all columns of some rows."""
        return {name: column[at] for name, column in self._columns.items()}
