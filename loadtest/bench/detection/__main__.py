"""Detection: the default detector on labelled series, on injected anomalies, and its speed.

    python -m loadtest.bench.detection --data FOLDER

Of ours there is one setting for all series and the threshold 1.0; peers get the threshold that is
best for them here. Without ``--data`` the labelled series are left out.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from core.novelties import STATE
from core.rows import Floats, Ints
from core.verdicts import Asked
from loadtest.bench.detection.injections import (
    ROWS,
    YOUNG,
    count_found,
    draw_injected,
    draw_ordinary,
)
from loadtest.bench.detection.labelled import PROFILES, Labelled, load_labelled, score_all
from loadtest.bench.detection.peers import SCORERS, THRESHOLDS
from loadtest.bench.folders import RESULTS
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.tables import write_table
from streaming.detect.novelties import Novelties

BEGIN: Final = 1_769_385_600
STEP_S: Final = 300
SEED: Final = 2026
ROUNDS: Final = 3
MINUTE_S: Final = 60
WEEK_S: Final = 7 * 86_400

SPEEDS: Final = ((1, 200_000), (1000, 1000), (100_000, 20))
"""How many series, and how many rows of each."""

Detect = Callable[[Ints, Floats], Ints]


@dataclass(frozen=True, slots=True)
class Standing:
    """What one detector reached."""

    name: str
    scores: tuple[float, ...]
    """By profile; none without labelled series."""

    recall: float
    false_a_week: float


def detect(times: Ints, values: Floats) -> Ints:
    """Return the rows that our detector finds unusual."""
    asked = Asked(np.zeros(len(values), np.int64), times, values)
    return np.flatnonzero(Novelties().update(asked).scores >= 1)


def list_peers() -> Iterator[tuple[str, list[Detect]]]:
    """Return each peer at each of its thresholds."""
    for name, score in SCORERS.items():
        yield (
            name,
            [
                lambda _, values, score=score, least=least: np.flatnonzero(score(values) >= least)  # type: ignore[misc]
                for least in THRESHOLDS
            ],
        )


class Ground:
    """What all detectors are tried on."""

    def __init__(self, labelled: Sequence[Labelled]) -> None:
        self._labelled = labelled
        self._times = BEGIN + STEP_S * np.arange(ROWS)
        self._injected = list(draw_injected(SEED, ROUNDS))
        self._ordinary = list(draw_ordinary(SEED + 1, ROUNDS))

    def try_all(self, name: str, detects: Sequence[Detect]) -> Standing:
        """Return the best that one of several settings reaches, by the labels if there are any."""
        standings = [self._try(name, each) for each in detects]
        return max(standings, key=lambda one: one.scores or (one.recall - one.false_a_week,))

    def _try(self, name: str, detect: Detect) -> Standing:
        scores: tuple[float, ...] = ()
        if self._labelled:
            found = [detect(each.times, each.values) for each in self._labelled]
            scores = tuple(score_all(self._labelled, found, profile) for profile in PROFILES)
        rows = [detect(self._times, each.values) for each in self._injected]
        recall = float(np.mean(list(count_found(self._injected, rows).values())))
        alarms = sum(each.count_false(detect(self._times, each.values)) for each in self._ordinary)
        weeks = len(self._ordinary) * (ROWS - YOUNG) * STEP_S / WEEK_S
        return Standing(name, scores, recall, alarms / weeks)


def measure_speed(series: int, rows: int) -> float:
    """Return how many rows of so many series are judged in a second.

    Rows of many series come as they do in the flow, one of each at a time; of one series they come
    together, as from a file.
    """
    detector = Novelties()
    values = np.random.default_rng(SEED).normal(50, 3, (rows, series))
    together = rows if series == 1 else 1
    asked = [
        Asked(
            np.tile(np.arange(series), together),
            BEGIN + MINUTE_S * np.arange(row, row + together).repeat(series),
            values[row : row + together].ravel(),
        )
        for row in range(0, rows, together)
    ]
    # The first makes the states of all.
    detector.update(asked[0])
    began = time.perf_counter()
    for each in asked:
        detector.update(each)
    return series * rows / (time.perf_counter() - began)


def main() -> None:
    """Measure and write it down."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.detection", description=__doc__)
    parser.add_argument("--data", type=Path, help="windows.json and data/ of labelled series")
    options = parser.parse_args()
    measure_speed(1, 1000)
    ground = Ground(load_labelled(options.data) if options.data else [])
    standings = [ground.try_all("ours", [detect])]
    standings += [ground.try_all(name, detects) for name, detects in list_peers()]
    speeds = {f"{count:,}": measure_speed(count, rows) for count, rows in SPEEDS}
    head = ["", *(profile.name for profile in PROFILES), "injected found", "false a week"]
    table = write_table(
        head,
        (
            [
                one.name,
                *(f"{score:.1f}" for score in one.scores or [float("nan")] * len(PROFILES)),
                f"{one.recall:.2f}",
                f"{one.false_a_week:.2f}",
            ]
            for one in standings
        ),
    )
    table += "\n" + write_table(
        ["series", "rows a second", "bytes a series"],
        ([count, f"{rate:,.0f}", f"{STATE.itemsize:,}"] for count, rate in speeds.items()),
    )
    page = save_measurement(
        Measurement(
            "detection",
            "Detection",
            "The default detector, one setting and the threshold 1.0 for all series, beside others"
            " at the threshold that is best for them here.",
            table,
            {"standings": standings, "speeds": speeds},
        ),
        RESULTS,
    )
    sys.stdout.write(page)


if __name__ == "__main__":
    main()
