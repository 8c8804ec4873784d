"""Names: numbers for names, so that everything after them is arithmetic.

    stream "abc" -> 0, stream "def" -> 1        Names
    channel "temperature" of "abc" -> 0         Series

Kept for ever: by its number a stream's watermark is found, and a watermark is what tells a late
event from a new one. A name costs some 200 bytes.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
import polars as pl

from core.rows import Ints

_BETWEEN: Final = "\x1f"
"""Stands between the parts of a name; only the last part may have it inside."""


class Names:
    """Numbers names in the order in which they were first seen."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.names)

    def number(self, names: pl.Series) -> pl.Series:
        """Return the number of each name; new names get the next ones."""
        different = names.unique(maintain_order=True).to_list()
        numbers = [self._number(name) for name in different]
        if len(different) == 1:
            return pl.repeat(numbers[0], len(names), dtype=pl.Int64, eager=True)
        return names.replace_strict(different, numbers, return_dtype=pl.Int64)

    def find(self, name: str) -> int:
        """Return the number of a name that has one."""
        return self._numbers[name]

    def list_known(self, names: Iterable[str]) -> Ints:
        """Return the numbers of those names that have one."""
        found = (self._numbers.get(name) for name in names)
        return np.array([number for number in found if number is not None], np.int64)

    def list_names(self, numbers: Ints) -> list[str]:
        """Return the names of numbers."""
        return [self.names[number] for number in numbers.tolist()]

    def _number(self, name: str) -> int:
        number = self._numbers.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
        return number


class Series:
    """Numbers what belongs to a stream: its channels, its kinds of transactions."""

    def __init__(self, streams: Names) -> None:
        self._streams = streams
        self._names = Names()
        self._owners: list[int] = []

    def number(self, frame: pl.DataFrame, parts: Iterable[str]) -> pl.Series:
        """Return the number of each row's series, which the columns named make up."""
        joined = frame.select(pl.concat_str("stream_id", *parts, separator=_BETWEEN)).to_series()
        known = len(self._names)
        numbers = self._names.number(joined)
        for name in self._names.names[known:]:
            self._owners.append(self._streams.find(name.split(_BETWEEN, 1)[0]))
        return numbers

    def find_owners(self, numbers: Ints) -> Ints:
        """Return the streams that series belong to."""
        return np.array(self._owners, np.int64)[numbers]

    def list_owned(self, streams: Ints) -> Ints:
        """Return the series that belong to streams."""
        return np.flatnonzero(np.isin(np.array(self._owners, np.int64), streams))

    def name(self, number: int) -> tuple[str, str]:
        """Return the stream and the rest of the name of a series."""
        stream_id, rest = self._names.names[number].split(_BETWEEN, 1)
        return stream_id, rest

    def split_names(self, numbers: Ints, parts: list[str]) -> pl.DataFrame:
        """Return the stream and the other parts of the names of series, as columns."""
        rows = [name.split(_BETWEEN, len(parts)) for name in self._names.list_names(numbers)]
        schema = dict.fromkeys(["stream_id", *parts], pl.String())
        return pl.DataFrame(rows, schema=schema, orient="row")
