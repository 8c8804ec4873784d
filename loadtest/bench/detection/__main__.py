"""Detection: the default detector on labelled series, on injected anomalies, and its speed.

    python -m loadtest.bench.detection --data FOLDER

Of ours there is one setting for all series and the threshold 1.0; peers get the threshold that is
best for them here. Without ``--data`` the labelled series are left out.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from core.rows import Floats, Ints
from core.verdicts import Asked
from loadtest.bench.detection import rivers
from loadtest.bench.detection.injections import (
    ROWS,
    YOUNG,
    count_found,
    draw_injected,
    draw_ordinary,
)
from loadtest.bench.detection.labelled import PROFILES, Labelled, load_labelled, score_all
from loadtest.bench.detection.peers import PEERS, Peer
from loadtest.bench.detection.speeds import OURS, Speed, measure_all
from loadtest.bench.folders import RESULTS
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.tables import write_table
from streaming.detect.novelties import Novelties

BEGIN: Final = 1_769_385_600
STEP_S: Final = 300
SEED: Final = 2026
ROUNDS: Final = 3
WEEK_S: Final = 7 * 86_400

Score = Callable[[Ints, Floats], Floats]


@dataclass(frozen=True, slots=True)
class Standing:
    """What one detector reached."""

    name: str
    scores: tuple[float, ...]
    """By profile; none without labelled series."""

    recall: float
    false_a_week: float


def score_with_ours(times: Ints, values: Floats) -> Floats:
    """Return how unusual our detector finds each row."""
    return Novelties().update(Asked(np.zeros(len(values), np.int64), times, values)).scores


def score_with(peer: Peer) -> Score:
    """Return a peer that is given times as well, which none of them looks at."""
    return lambda _, values: peer.score(values)


class Ground:
    """What all detectors are tried on."""

    def __init__(self, labelled: Sequence[Labelled]) -> None:
        self._labelled = labelled
        self._times = BEGIN + STEP_S * np.arange(ROWS)
        self._injected = list(draw_injected(SEED, ROUNDS))
        self._ordinary = list(draw_ordinary(SEED + 1, ROUNDS))

    def try_all(self, name: str, score: Score, thresholds: Sequence[float]) -> Standing:
        """Return the best that one of the thresholds reaches, by the labels if there are any."""
        labelled = [score(each.times, each.values) for each in self._labelled]
        injected = [score(self._times, each.values) for each in self._injected]
        ordinary = [score(self._times, each.values) for each in self._ordinary]
        standings = [
            Standing(
                name,
                self._weigh(_find(labelled, least)),
                self._measure_recall(_find(injected, least)),
                self._count_alarms(_find(ordinary, least)),
            )
            for least in thresholds
        ]
        return max(standings, key=lambda one: one.scores or (one.recall - one.false_a_week,))

    def _weigh(self, found: Sequence[Ints]) -> tuple[float, ...]:
        if not self._labelled:
            return ()
        return tuple(score_all(self._labelled, found, profile) for profile in PROFILES)

    def _measure_recall(self, found: Sequence[Ints]) -> float:
        return float(np.mean(list(count_found(self._injected, found).values())))

    def _count_alarms(self, found: Sequence[Ints]) -> float:
        """Return how many false alarms a series raises in a week."""
        alarms = sum(
            each.count_false(rows) for each, rows in zip(self._ordinary, found, strict=True)
        )
        return alarms / (len(self._ordinary) * (ROWS - YOUNG) * STEP_S / WEEK_S)


def _find(scores: Sequence[Floats], least: float) -> list[Ints]:
    return [np.flatnonzero(each >= least) for each in scores]


def write_standings(standings: Sequence[Standing]) -> str:
    """Return what detectors found as a table."""
    head = ["", *(profile.name for profile in PROFILES), "injected found", "false a week"]
    return write_table(
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


def write_speeds(speeds: Sequence[Speed]) -> str:
    """Return how fast detectors were as a table, and what could not be tried."""
    table = write_table(
        ["series", "", "rows of each", "rows a second of processor", "ours is", "bytes a series"],
        _list_speeds(speeds),
    )
    return table + "".join(f"\n{each}\n" for each in _list_missing(speeds))


def _list_missing(speeds: Sequence[Speed]) -> Iterator[str]:
    """Return why a detector was not tried with as many series as ours."""
    most = max(speed.load.series for speed in speeds)
    tried = {speed.name for speed in speeds if speed.load.series == most}
    for name, weight in {speed.name: speed.bytes_a_series for speed in speeds}.items():
        if name not in tried:
            yield f"{most:,} of {name} would need {weight * most / 1e9:.0f} GB, and were not tried."


def _list_speeds(speeds: Sequence[Speed]) -> Iterator[list[str]]:
    ours = {speed.load.series: speed.rows_a_second for speed in speeds if speed.name == OURS}
    for speed in speeds:
        times = ours[speed.load.series] / speed.rows_a_second
        yield [
            f"{speed.load.series:,}",
            speed.name,
            f"{speed.load.rows:,}",
            f"{speed.rows_a_second:,.0f}",
            "" if speed.name == OURS else f"{times:.3g} times as fast",
            f"{speed.bytes_a_series:,.0f}",
        ]


def main() -> None:
    """Measure and write it down."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.detection", description=__doc__)
    parser.add_argument("--data", type=Path, help="windows.json and data/ of labelled series")
    options = parser.parse_args()
    speeds = list(measure_all())
    ground = Ground(load_labelled(options.data) if options.data else [])
    standings = [ground.try_all(OURS, score_with_ours, [1.0])]
    standings += [
        ground.try_all(name, score_with(peer), peer.thresholds)
        for name, peer in {**PEERS, **rivers.PEERS}.items()
    ]
    page = save_measurement(
        Measurement(
            "detection",
            "Detection",
            "The default detector, one setting and the threshold 1.0 for all series, beside others"
            " at the threshold that is best for them here.",
            write_standings(standings) + "\n" + write_speeds(speeds),
            {"standings": standings, "speeds": speeds},
        ),
        RESULTS,
    )
    sys.stdout.write(page)


if __name__ == "__main__":
    main()
