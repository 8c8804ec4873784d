"""Moments: what the flow finds of what happens in the simulator's worlds, and how soon.

    python -m loadtest.bench.moments

    worlds of a scenario -> a shard of the flow, second by second -> moments beside the labels

In memory: without a door, a bus or a database. What these add is measured by ``delay`` and
``freshness``.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Final

# Before Polars starts its threads: the product's processes have one too.
os.environ.setdefault("POLARS_MAX_THREADS", "1")  # noqa: TID251

from loadtest.bench.folders import RESULTS
from loadtest.bench.moments.pages import write_moments, write_plays, write_quiet, write_truths
from loadtest.bench.moments.plays import Plan, Play, SeriesPlan, WorldPlan, play
from loadtest.bench.moments.tallies import (
    MomentTally,
    PlayTally,
    TruthTally,
    tally_kinds,
    tally_moments,
    tally_play,
    tally_truths,
)
from loadtest.bench.reports import Measurement, save_measurement
from streaming.simulator.scenarios import SCENARIOS

SEEDS: Final = 20
HOURS: Final = 3.0
WARM_UP: Final = timedelta(hours=1)

QUIET_SEEDS: Final = (101, 102, 103)
QUIET_DAYS: Final = 2
QUIET_STEP_S: Final = 20
QUIET_WARM_UP: Final = timedelta(hours=12)
"""Half a day, of two: the hours of a day that were never seen are as new as they are to users."""

EACH_MINUTE: Final = "a reading a minute"
EACH_TEN: Final = "a reading each 10 s"
ROUNDS: Final = 5
ORDINARY_WARM_UP: Final = timedelta(hours=10)
"""Six hundred minutes; of readings that come each ten seconds there are eleven hours in all."""


@dataclass(frozen=True, slots=True)
class Found:
    """All numbers of a run."""

    scenarios: list[PlayTally]
    incidents: list[TruthTally]
    moments: list[MomentTally]
    quiet: list[MomentTally]
    seconds: dict[str, float]
    """What each play took."""


def list_plans(options: argparse.Namespace) -> tuple[list[WorldPlan], list[Plan]]:
    """Return what is played: worlds with incidents, and what is quiet."""
    seeds = tuple(range(1, options.seeds + 1))
    worlds = [
        WorldPlan(name, name, seeds, options.hours, WARM_UP, options.batch_seconds)
        for name in options.scenarios
    ]
    if options.without_quiet:
        return worlds, []
    days = 1 if options.quick else QUIET_DAYS
    rounds = 1 if options.quick else ROUNDS
    calm = WorldPlan(
        f"calm, {days} days",
        "calm",
        QUIET_SEEDS[: 1 if options.quick else None],
        24.0 * days,
        QUIET_WARM_UP,
        QUIET_STEP_S,
    )
    each_minute = SeriesPlan(EACH_MINUTE, 60, rounds, ORDINARY_WARM_UP)
    each_ten = SeriesPlan(EACH_TEN, 10, 2 * rounds, ORDINARY_WARM_UP / 5)
    return worlds, [calm, each_minute, each_ten]


def measure(worlds: Sequence[WorldPlan], quiet: Sequence[Plan], processes: int) -> Found:
    """Play everything."""
    plans: list[Plan] = [*worlds, *quiet]
    if processes == 1:
        plays = [play(each) for each in plans]
    else:
        # A process that is forked has the locks of Polars, and not the threads that hold them.
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            plays = list(pool.map(play, plans))
    lively, calm = plays[: len(worlds)], plays[len(worlds) :]
    return Found(
        scenarios=[tally_play(each) for each in lively],
        incidents=[tally for each in lively for tally in tally_truths(each)],
        moments=[tally for each in lively for tally in tally_moments(each)],
        quiet=[tally for each in calm for tally in _tally_quiet(each)],
        seconds={each.name: each.seconds for each in plays},
    )


def _tally_quiet(play: Play) -> list[MomentTally]:
    """Return a line for all, and one for each type, or kind of series where these are drawn."""
    is_drawn = play.name in {EACH_MINUTE, EACH_TEN}
    return [tally_play(play).moments, *(tally_kinds(play) if is_drawn else tally_moments(play))]


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.moments", description=__doc__)
    add = parser.add_argument
    add("--seeds", type=int, default=SEEDS, help="of each scenario (%(default)s)")
    add("--hours", type=float, default=HOURS, help="of each world (%(default)s)")
    add("--batch-seconds", type=int, default=1, help="arrive together (%(default)s)")
    add("--scenarios", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    add("--quick", action="store_true", help="2 seeds, and little of what is quiet")
    add("--without-quiet", action="store_true", help="only the scenarios")
    add("--processes", type=int, default=1, help="play so many at once (%(default)s)")
    add("--results", type=Path, default=RESULTS, help="where results go")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seeds = min(options.seeds, 2)
    return options


def main() -> None:
    """Measure, save and print."""
    options = read_options()
    worlds, quiet = list_plans(options)
    found = measure(worlds, quiet, options.processes)
    text = (
        f"{options.seeds} worlds of each scenario, {options.hours:g} hours with 8 streams each,"
        f" in steps of {options.batch_seconds} s; the first {WARM_UP // timedelta(minutes=1)}"
        " minutes do not count."
    )
    table = "\n".join(
        [
            write_plays(found.scenarios),
            "## By incident\n",
            write_truths(found.incidents),
            "## By type\n",
            write_moments(found.moments),
            *(("## Quiet\n", write_quiet(found.quiet)) if found.quiet else ()),
        ]
    )
    page = save_measurement(Measurement("moments", "Moments", text, table, found), options.results)
    sys.stdout.write(page)


if __name__ == "__main__":
    main()
