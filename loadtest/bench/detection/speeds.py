"""Speeds: values judged and learnt in a second, and memory, for one series and for very many.

Rows of many series come as they do in the flow, one of each at a time; of one series they come to
ours together, as from a file. River is asked value by value, which is how it is asked at all. All
states are made, and the silent youth of a rival is over, before the clock starts. That is the
processor's, not the wall's: all of them work in one thread, and whoever else is at work on the
machine counts for nobody.
"""

import gc
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np

from core.rows import Floats
from core.verdicts import Asked
from loadtest.bench.detection.rivers import (
    GAUSSIAN,
    GRACE_ROWS,
    TREE_ROWS,
    TREES,
    Model,
    Step,
    make_gaussian,
    make_trees,
    step_gaussians,
    step_trees,
)
from streaming.detect.novelties import Novelties

BEGIN: Final = 1_769_385_600
MINUTE_S: Final = 60
SEED: Final = 2026

PAGE_BYTES: Final = 4096

OURS: Final = "ours"


@dataclass(frozen=True, slots=True)
class Load:
    """So many series, and so many rows of each."""

    series: int
    rows: int


@dataclass(frozen=True, slots=True)
class Rival:
    """A detector of River: how one is made, and how all take a row."""

    name: str
    make: Callable[[], Model]
    step: Step
    young: int
    """Rows that it says nothing of and only learns: they are over before the clock starts."""

    loads: tuple[Load, ...]
    """Fewer rows where it is slow."""

    fill: Callable[[int], object]
    """Makes so many, each with a first value."""

    weighed: int
    """How many of them are put on the scales."""


WEIGHED: Final = 100_000
"""How many series of ours are put on the scales."""


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast one detector was under one load."""

    name: str
    load: Load
    rows_a_second: float
    bytes_a_series: float


def measure_all() -> Iterator[Speed]:
    """Measure ours and each rival under the same numbers of series."""
    weights = {OURS: weigh(_fill_ours, WEIGHED)}
    weights |= {rival.name: weigh(rival.fill, rival.weighed) for rival in RIVALS}
    measure_ours(Load(1, 1000))
    for load in LOADS:
        yield Speed(OURS, load, measure_ours(load), weights[OURS])
        for rival in RIVALS:
            for own in rival.loads:
                if own.series == load.series:
                    yield Speed(rival.name, own, measure_rival(rival, own), weights[rival.name])


def measure_ours(load: Load) -> float:
    """Return how many values our detector takes in a second."""
    detector = Novelties()
    values = _draw(load)
    together = load.rows if load.series == 1 else 1
    asked = [
        Asked(
            np.tile(np.arange(load.series), together),
            BEGIN + MINUTE_S * np.arange(row, row + together).repeat(load.series),
            values[row : row + together].ravel(),
        )
        for row in range(0, load.rows, together)
    ]
    # The first makes the states of all.
    detector.update(asked[0])
    began = time.process_time()
    for each in asked:
        detector.update(each)
    return load.series * load.rows / (time.process_time() - began)


def measure_rival(rival: Rival, load: Load) -> float:
    """Return how many values a rival takes in a second."""
    models = [rival.make() for _ in range(load.series)]
    for row in range(rival.young):
        rival.step(models, _draw(Load(load.series, 1), row)[0].tolist())
    rows = _draw(load).tolist()
    began = time.process_time()
    for row in rows:
        rival.step(models, row)
    return load.series * load.rows / (time.process_time() - began)


def weigh(fill: Callable[[int], object], count: int) -> float:
    """Return the memory of one series: what a process of its own grows by, with many of them."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_weigh, fill, count).result()


def _weigh(fill: Callable[[int], object], count: int) -> float:
    # What is made only once, machine code among it, is there before.
    fill(1)
    gc.collect()
    before = _read_resident_bytes()
    filled = fill(count)
    gc.collect()
    grown = _read_resident_bytes() - before
    del filled
    return grown / count


def _read_resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES


def _fill_ours(count: int) -> object:
    detector = Novelties()
    asked = Asked(np.arange(count), np.full(count, BEGIN), np.linspace(0, 1, count))
    detector.update(asked)
    return detector


def _fill_gaussians(count: int) -> object:
    models = [make_gaussian() for _ in range(count)]
    step_gaussians(models, [0.5] * count)
    return models


def _fill_trees(count: int) -> object:
    models = [make_trees() for _ in range(count)]
    step_trees(models, [0.5] * count)
    return models


def _draw(load: Load, more: int = 0) -> Floats:
    """Return values around a half, as the trees want them, a row for each time."""
    return np.random.default_rng(SEED + more).normal(0.5, 0.1, (load.rows, load.series))


LOADS: Final = (Load(1, 200_000), Load(1000, 1000), Load(100_000, 20))
RIVALS: Final = (
    Rival(
        GAUSSIAN,
        make_gaussian,
        step_gaussians,
        GRACE_ROWS,
        (Load(1, 200_000), Load(1000, 200), Load(100_000, 5)),
        _fill_gaussians,
        weighed=50_000,
    ),
    Rival(
        TREES,
        make_trees,
        step_trees,
        TREE_ROWS,
        (Load(1, 20_000), Load(1000, 20)),
        _fill_trees,
        weighed=200,
    ),
)
"""A hundred thousand times the trees do not fit into the memory of this machine."""
