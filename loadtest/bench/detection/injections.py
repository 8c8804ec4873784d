"""Injections: ordinary series of many kinds, and anomalies of many kinds put into them.

    base (seasons, noise, counts, heavy tails, drifts) -> one anomaly, as large as the noise allows

Drawn from a seed. A detection counts within the anomaly and shortly after it; before it, it is a
false alarm, and so is each one in a series that has none.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.rows import Floats, Ints

ROWS: Final = 4032
"""Two weeks of five minutes."""

DAY: Final = 288
YOUNG: Final = 605
"""Rows before are probation, as in the labelled benchmark."""

GRACE: Final = 40
"""Rows after an anomaly, or after its first forty, in which it still counts as found."""

Random = np.random.Generator
Base = Callable[[Random], Floats]
Change = Callable[[Floats, int, "Size", Random], int]
"""Changes a series from a row on; returns where that ends."""

_TIMES: Final = np.arange(ROWS)
_DAILY: Final = np.sin(2 * np.pi * _TIMES / DAY)
_IS_WORKDAY: Final = (_TIMES // DAY) % 7 < 5


def _walk(random: Random, kept: float, step: float) -> Floats:
    steps, walked = random.normal(0, step, ROWS), np.zeros(ROWS)
    for row in range(1, ROWS):
        walked[row] = kept * walked[row - 1] + steps[row]
    return walked


def _cron(random: Random) -> Floats:
    series = random.normal(10, 1, ROWS)
    series[::12] += 20 + random.normal(0, 2, len(series[::12]))
    return series


def _load(random: Random) -> Floats:
    lengths = random.integers(20, 120, ROWS // 20)
    levels = np.repeat(np.arange(len(lengths)) % 2, lengths)[:ROWS]
    return 10 + 20 * levels + random.normal(0, 1, ROWS)


BASES: Final[Mapping[str, Base]] = {
    "noise": lambda random: random.normal(50, 3, ROWS),
    "slow noise": lambda random: 20 + _walk(random, 0.9, 1.0),
    "days": lambda random: 100 + 30 * _DAILY + random.normal(0, 3, ROWS),
    "weeks": lambda random: (
        100 + 30 * _DAILY * np.where(_IS_WORKDAY, 1, 0.4) + random.normal(0, 4, ROWS)
    ),
    "counts": lambda random: random.poisson(5, ROWS).astype(np.float64),
    "counts by day": lambda random: random.poisson(20 + 15 * _DAILY).astype(np.float64),
    "heavy tails": lambda random: 10 + random.standard_t(2.5, ROWS),
    "skewed": lambda random: np.exp(random.normal(1, 0.8, ROWS)),
    "hourly jobs": _cron,
    "on and off": _load,
    "drift": lambda random: np.round(20 + _walk(random, 0.995, 0.1), 1),
    "sparse": lambda random: np.where(random.random(ROWS) < 0.05, random.exponential(10, ROWS), 0),
}
SEASONAL: Final = frozenset({"days", "weeks", "counts by day"})
NEAR_ZERO: Final = frozenset({"sparse", "skewed", "counts"})


@dataclass(frozen=True, slots=True)
class Size:
    """How large an anomaly is."""

    noise: float
    spread: float
    factor: float

    def of(self, noises: float, spread_share: float) -> float:
        """Return a height in noises, and at least a share of all the spread there is."""
        return noises * self.factor * max(self.noise, spread_share * self.spread)


def _spike(sign: int) -> Change:
    def change(series: Floats, at: int, size: Size, _: Random) -> int:
        series[at] += sign * size.of(8, 0.6)
        return at + 1

    return change


def _shift(sign: int, rows: int | None) -> Change:
    def change(series: Floats, at: int, size: Size, _: Random) -> int:
        end = ROWS if rows is None else at + rows
        series[at:end] += sign * size.of(3.5 if rows is None else 5, 0.5)
        return end

    return change


def _drift(series: Floats, at: int, size: Size, _: Random) -> int:
    height, end = size.of(6, 0.4), at + 300
    series[at:end] += np.linspace(0, height, 300)
    series[end:] += height
    return end


def _restless(series: Floats, at: int, size: Size, random: Random) -> int:
    series[at : at + 60] += random.normal(0, 3 * size.noise, 60)
    return at + 60


def _calm(series: Floats, at: int, _: Size, __: Random) -> int:
    part = series[at : at + 120]
    part[:] = np.median(part) + 0.1 * (part - np.median(part))
    return at + 120


def _stuck(series: Floats, at: int, _: Size, __: Random) -> int:
    series[at : at + 80] = series[at - 1]
    return at + 80


def _zero(series: Floats, at: int, _: Size, __: Random) -> int:
    series[at : at + 30] = 0
    return at + 30


def _missed_cycle(series: Floats, at: int, size: Size, random: Random) -> int:
    middle = np.median(series[at - 300 : at])
    series[at : at + DAY // 2] = middle + random.normal(0, size.noise, DAY // 2)
    return at + DAY // 2


def _moved_cycle(series: Floats, at: int, _: Size, __: Random) -> int:
    series[at : at + DAY] = series[at - DAY - 60 : at - 60]
    return at + DAY


def _swing(series: Floats, at: int, size: Size, _: Random) -> int:
    series[at : at + 60] += 2.5 * size.factor * size.noise * np.where(np.arange(60) % 2, 1, -1)
    return at + 60


CHANGES: Final[Mapping[str, Change]] = {
    "spike": _spike(1),
    "drop": _spike(-1),
    "burst": _shift(1, 10),
    "dip": _shift(-1, 10),
    "level up": _shift(1, None),
    "level down": _shift(-1, None),
    "drift": _drift,
    "restless": _restless,
    "calm": _calm,
    "stuck": _stuck,
    "zero": _zero,
    "missed cycle": _missed_cycle,
    "moved cycle": _moved_cycle,
    "swing": _swing,
}
_NEEDS_SEASON: Final = frozenset({"missed cycle", "moved cycle"})
_NEEDS_ROOM_BELOW: Final = frozenset({"drop", "dip", "level down", "zero", "calm"})


@dataclass(frozen=True, slots=True)
class Injected:
    """A series with one anomaly, or with none."""

    base: str
    change: str | None
    values: Floats
    begin: int = ROWS
    end: int = ROWS

    def is_found(self, rows: Ints) -> bool:
        """Tell whether one of the detections is of the anomaly."""
        last = min(self.end, self.begin + 300, self.begin + max(self.end - self.begin, GRACE))
        return bool(((rows >= self.begin) & (rows <= last + GRACE)).any())

    def count_false(self, rows: Ints) -> int:
        """Return how many detections came before any anomaly."""
        return int(((rows >= YOUNG) & (rows < self.begin)).sum())


def draw_injected(seed: int, rounds: int) -> Iterator[Injected]:
    """Return every kind of anomaly in every kind of series where it can be seen."""
    random = np.random.default_rng(seed)
    for _ in range(rounds):
        for base, draw in BASES.items():
            for change, apply in CHANGES.items():
                if change in _NEEDS_SEASON and base not in SEASONAL:
                    continue
                if change in _NEEDS_ROOM_BELOW and base in NEAR_ZERO:
                    continue
                series = draw(random)
                at = int(random.integers(ROWS // 2, int(0.88 * ROWS)))
                end = apply(series, at, _measure(series[at - 300 : at], random), random)
                yield Injected(base, change, series, at, min(end, ROWS))


def draw_ordinary(seed: int, rounds: int) -> Iterator[Injected]:
    """Return series in which nothing happens."""
    random = np.random.default_rng(seed)
    for _ in range(rounds):
        for base, draw in BASES.items():
            yield Injected(base, None, draw(random))


def _measure(before: Floats, random: Random) -> Size:
    steps = np.diff(before)
    noise = 1.4826 * float(np.median(np.abs(steps - np.median(steps)))) / np.sqrt(2)
    spread = float(before.std())
    noise = max(noise, 0.25 * spread, 1e-3 * abs(float(before.mean())) + 1e-6)
    return Size(noise, spread, random.uniform(0.8, 1.4))


def count_found(series: Sequence[Injected], detections: Sequence[Ints]) -> dict[str, float]:
    """Return the share that was found of each kind of anomaly."""
    found: dict[str, list[bool]] = {}
    for each, rows in zip(series, detections, strict=True):
        if each.change is not None:
            found.setdefault(each.change, []).append(each.is_found(rows))
    return {change: sum(hits) / len(hits) for change, hits in found.items()}
