"""Sketches: they survive a snapshot in every state, and go on where they were."""

import numpy as np
import pytest

from core.sketches import ChatterSketch, EmoteSketch, ValueSketch
from tests.fixtures.snapshots import through_snapshot

SIZES = [0, 1, 20, 3_000, 40_000]
"""From nothing through each way in which a sketch keeps its content."""


def hashes(count: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.random.default_rng(5).integers(0, 2**64, count, np.uint64)


@pytest.mark.parametrize("size", SIZES)
def test_a_sketch_of_chatters_goes_on_after_a_snapshot_as_if_there_had_been_none(size: int):
    through, apart = ChatterSketch(), ChatterSketch()
    for sketch in (through, apart):
        sketch.update(hashes(size))
    again = through_snapshot(apart)
    assert again.count == through.count == pytest.approx(size, rel=0.025)
    for sketch in (through, again):
        sketch.update(hashes(2 * size + 1))
    assert again.count == through.count == pytest.approx(2 * size + 1, rel=0.025)


@pytest.mark.parametrize("size", SIZES)
def test_a_sketch_of_emotes_goes_on_after_a_snapshot_as_if_there_had_been_none(size: int):
    names = [f"e{number}" for number in range(size)]
    through, apart = EmoteSketch(), EmoteSketch()
    for sketch in (through, apart):
        sketch.update(["Kappa", *names], [size + 5, *[1] * size])
    again = through_snapshot(apart)
    assert again.list_top(10) == through.list_top(10)
    for sketch in (through, again):
        sketch.update(["Kappa"], [1])
    assert again.list_top(1) == through.list_top(1)
    (emote, count), *_ = again.list_top(1)
    assert emote == "Kappa"
    assert abs(count - (size + 6)) <= 0.0009 * (2 * size + 6)


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_sketch_of_values_goes_on_after_a_snapshot(size: int):
    sketch = ValueSketch()
    sketch.update(np.arange(size, dtype=np.float64))
    again = through_snapshot(sketch)
    assert again.find_quantiles((0.5, 0.95)) == sketch.find_quantiles((0.5, 0.95))
    again.update(np.arange(size, 2 * size, dtype=np.float64))
    (middle, high) = again.find_quantiles((0.5, 0.95))
    assert middle == pytest.approx(size, abs=0.02 * size + 1)
    assert high == pytest.approx(1.9 * size, abs=0.02 * size + 1)


def test_the_most_frequent_emotes_are_told_ties_by_name():
    sketch = EmoteSketch()
    sketch.update(["b", "c", "a", "d"], [2, 1, 2, 9])
    sketch.update(["c"], [2])
    assert sketch.list_top(3) == [("d", 9), ("c", 3), ("a", 2)]
    assert EmoteSketch().list_top(3) == []
