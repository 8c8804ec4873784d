"""Labelled: series of the Numenta benchmark, and its score.

    data/<category>/<file>.csv   timestamp,value
    windows.json                 file -> [[begin, end], …]

A detection inside a window counts the more the earlier it is, and only once; each one outside of
windows costs; so does a window without any. 100 is perfect, 0 is who never says anything.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import orjson
import polars as pl

from core.event_times import read_times
from core.rows import Floats, Ints
from core.times import EPOCH

PROBATION_SHARE: Final = 0.15
PROBATION_ROWS_MAX: Final = 750
"""Nothing counts in the beginning of a file."""

FAR: Final = 3.0
"""So many widths behind a window a detection has nothing to do with it."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What mistakes cost."""

    name: str
    false_alarm: float
    miss: float


PROFILES: Final = (
    Profile("standard", 0.11, 1.0),
    Profile("low FP", 0.22, 1.0),
    Profile("low FN", 0.11, 2.0),
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A series, and the rows of its windows, the last included."""

    name: str
    times: Ints
    values: Floats
    windows: tuple[tuple[int, int], ...]

    @property
    def probation(self) -> int:
        """The first row that counts."""
        return min(int(PROBATION_SHARE * len(self.values)), PROBATION_ROWS_MAX)


def load_labelled(folder: Path) -> list[Labelled]:
    """Return the series of a folder."""
    windows = orjson.loads((folder / "windows.json").read_bytes())
    data = folder / "data"
    return [
        _load(path, str(path.relative_to(data)), windows) for path in sorted(data.rglob("*.csv"))
    ]


def _load(path: Path, name: str, windows: dict[str, list[list[str]]]) -> Labelled:
    rows = pl.read_csv(path, schema={"timestamp": pl.String(), "value": pl.Float64()})
    times = _read_seconds(rows["timestamp"])
    bounds = [_read_seconds(pl.Series(pair)) for pair in windows.get(name, [])]
    found = tuple(
        (int(np.searchsorted(times, begin)), int(np.searchsorted(times, end, "right")) - 1)
        for begin, end in bounds
    )
    return Labelled(name, times, rows["value"].to_numpy(), found)


def _read_seconds(texts: pl.Series) -> Ints:
    return read_times(texts, EPOCH).dt.epoch("s").to_numpy()


def score_all(series: Sequence[Labelled], detections: Sequence[Ints], profile: Profile) -> float:
    """Return the score of detections, rows of each series."""
    windows = sum(len(each.windows) for each in series)
    total = sum(map(_score, series, detections, [profile] * len(series)))
    null = -profile.miss * windows
    return 100 * (total - null) / (windows - null)


def _score(series: Labelled, rows: Ints, profile: Profile) -> float:
    rows = rows[rows >= series.probation]
    total, outside = 0.0, np.ones(len(rows), np.bool_)
    for begin, end in series.windows:
        inside = (rows >= begin) & (rows <= end)
        outside &= ~inside
        if inside.any():
            early = (rows[inside].min() - end) / max(1, end - begin)
            total += _weigh(early) / _weigh(-1.0)
        else:
            total -= profile.miss
    return total + sum(_weigh_alarm(series, row, profile) for row in rows[outside].tolist())


def _weigh_alarm(series: Labelled, row: int, profile: Profile) -> float:
    before = [(begin, end) for begin, end in series.windows if end < row]
    if not before:
        return -profile.false_alarm
    begin, end = max(before)
    late = (row - end) / max(1, end - begin + 1)
    return profile.false_alarm * (_weigh(late) if late <= FAR else -1.0)


def _weigh(place: float) -> float:
    """Return what a detection is worth by its place: -1 is a window's begin, 0 its end."""
    return 2 / (1 + math.exp(5 * place)) - 1
