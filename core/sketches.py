"""Sketches: what takes the place of exact sets when a minute holds too much of something.

Small, of a fixed size, with a known error. The sketches are those of Apache DataSketches; here
they take columns and can be put into a snapshot.
"""

from typing import Final

import numpy as np
from datasketches import (
    frequent_items_error_type,
    frequent_strings_sketch,
    hll_sketch,
    hll_union,
    kll_doubles_sketch,
    tgt_hll_type,
)
from numpy.typing import NDArray

from core.rows import Floats

CHATTERS_LOG_SIZE: Final = 14
"""2^14 registers, 16 kB: counts are off by 0.8 % (one standard error)."""

EMOTES_LOG_SIZE: Final = 12
"""2^12 places: counts are low by at most 0.09 % of all emotes of the minute."""

VALUES_SIZE: Final = 400
"""Ranks of quantiles are off by at most 0.7 % (with 99 % confidence); 10 kB."""


class ChatterSketch:
    """How many different chatters: a HyperLogLog."""

    def __init__(self) -> None:
        self._sketch = hll_sketch(CHATTERS_LOG_SIZE, tgt_hll_type.HLL_8)

    @property
    def count(self) -> int:
        """The estimate; the same for the same chatters, in whatever order they came.

        A sketch that was never merged estimates by the order too; a replay has another one.
        """
        union = hll_union(CHATTERS_LOG_SIZE)
        for _ in range(2):
            union.update(self._sketch)
        return round(float(union.get_estimate()))

    def update(self, hashes: NDArray[np.uint64]) -> None:
        """Add chatters by their hashes; a tenth of a microsecond each."""
        for number in hashes.view(np.int64).tolist():
            self._sketch.update(number)

    def __getstate__(self) -> bytes:
        return bytes(self._sketch.serialize_updatable())

    def __setstate__(self, state: bytes) -> None:
        self._sketch = hll_sketch.deserialize(state)


class EmoteSketch:
    """The most frequent emotes."""

    def __init__(self) -> None:
        self._sketch = frequent_strings_sketch(EMOTES_LOG_SIZE)

    def update(self, emotes: list[str], counts: list[int]) -> None:
        """Add counts of different emotes."""
        for emote, count in zip(emotes, counts, strict=True):
            self._sketch.update(emote, count)

    def list_top(self, count: int) -> list[tuple[str, int]]:
        """Return the most frequent emotes, ties by name."""
        found = self._sketch.get_frequent_items(frequent_items_error_type.NO_FALSE_NEGATIVES)
        ranked = sorted((-estimate, emote) for emote, estimate, _, _ in found)
        return [(emote, -estimate) for estimate, emote in ranked[:count]]

    def __getstate__(self) -> bytes:
        return bytes(self._sketch.serialize())

    def __setstate__(self, state: bytes) -> None:
        self._sketch = frequent_strings_sketch.deserialize(state)


class ValueSketch:
    """The quantiles of values: a KLL sketch."""

    def __init__(self) -> None:
        self._sketch = kll_doubles_sketch(VALUES_SIZE)

    def update(self, values: Floats) -> None:
        """Add values."""
        self._sketch.update(values)

    def find_quantiles(self, ranks: tuple[float, ...]) -> list[float]:
        """Return the least values that so large parts of all are not above."""
        return [float(self._sketch.get_quantile(rank, True)) for rank in ranks]

    def __getstate__(self) -> bytes:
        return bytes(self._sketch.serialize())

    def __setstate__(self, state: bytes) -> None:
        self._sketch = kll_doubles_sketch.deserialize(state)
