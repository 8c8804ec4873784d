"""Rows: events as numbers, a few bytes each, in the order in which they are generated.

    generators -> rows -> merged, cut -> ``tables`` -> lines of JSON, or a frame

A row says of each field only which line of a table it is; line 0 of every table is nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

IntArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float64]
Records: TypeAlias = NDArray[np.void]
"""Rows with the fields of ``RECORD``."""


class Type(IntEnum):
    """The type of an event."""

    RAID = 0
    VIEWERS = 1
    CHAT = 2
    TRANSACTION = 3
    READING = 4


RECORD: Final = np.dtype(
    [
        ("at_ms", np.int64),
        ("value", np.float64),
        ("stem", np.int32),
        ("number", np.int32),
        ("stream", np.int32),
        ("user", np.int32),
        ("text", np.int32),
        ("channel", np.int16),
        ("type", np.int8),
        ("badges", np.int8),
        ("offer", np.int8),
    ]
)
"""An id is a stem, the same for all of a block, and the number within it."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows in the order of their times, and the stems of their ids."""

    records: Records
    stems: tuple[str, ...]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.records)

    @classmethod
    def merge(cls, parts: Sequence[Self]) -> Self:
        """Return all rows in the order of time; what is simultaneous stays in the order given."""
        records = np.concatenate([np.empty(0, RECORD), *(part.records for part in parts)])
        shifts = np.cumsum([0, *(len(part.stems) for part in parts)])[:-1]
        records["stem"] += np.repeat(shifts, [len(part) for part in parts]).astype(np.int32)
        order = _order(records["at_ms"])
        return cls(records[order], tuple(stem for part in parts for stem in part.stems))

    def cut(self, start_ms: int, end_ms: int) -> "Rows":
        """Return the rows from one time until before another."""
        first, end = np.searchsorted(self.records["at_ms"], (start_ms, end_ms)).tolist()
        return Rows(self.records[first:end], self.stems)

    def split(self, rows_max: int) -> list["Rows"]:
        """Return the rows in parts of a bounded length."""
        firsts = range(0, len(self), rows_max)
        return [Rows(self.records[first : first + rows_max], self.stems) for first in firsts]


def make_records(event_type: Type, times_ms: IntArray, **fields: ArrayLike) -> Records:
    """Return rows of one type.

    Args:
        event_type: Their type.
        times_ms: Their times in milliseconds since 1970.
        fields: What this type has: arrays, or one value for all rows.
    """
    records = np.zeros(len(times_ms), RECORD)
    records["type"], records["at_ms"] = event_type, times_ms
    for name, values in fields.items():
        records[name] = values
    return records


def _order(times_ms: IntArray) -> NDArray[np.intp]:
    """Return the order of times; short spans are sorted by the counting sort of small numbers."""
    since = times_ms - (times_ms.min() if len(times_ms) else 0)
    is_short = len(since) > 0 and int(since.max()) <= np.iinfo(np.uint16).max
    return np.argsort(since.astype(np.uint16) if is_short else since, kind="stable")
