"""The comparison: ``python -m loadtest.bench``, or ``make bench``.

    one file of chat lines -> contenders in turn, several rounds -> loadtest/results/bench.*

Docs: ``docs/performance.md``.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from core.clock import SystemClock
from loadtest.bench.chats import ChatOptions, provide_chats
from loadtest.bench.contenders import CONTENDERS, choose_contenders
from loadtest.bench.folders import RESULTS, find_bench_folder
from loadtest.bench.machines import describe_machine
from loadtest.bench.reports import Report, save_report
from loadtest.bench.results import judge_targets, rank
from loadtest.bench.rounds import RoundFailedError, run_rounds
from loadtest.bench.steps import measure_steps

EVENTS: Final = 4_000_000
ROUNDS: Final = 5
QUICK_EVENTS: Final = 200_000
QUICK_ROUNDS: Final = 1


def read_options() -> argparse.Namespace:
    """Read the command line."""
    names = [contender.name for contender in CONTENDERS]
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench", description=__doc__)
    parser.add_argument("--events", type=int, help=f"lines in the file (default {EVENTS})")
    parser.add_argument("--rounds", type=int, help=f"times around (default {ROUNDS})")
    parser.add_argument("--only", nargs="+", choices=names, default=[], help="only these")
    parser.add_argument("--quick", action="store_true", help="a tenth of the lines, one round")
    parser.add_argument("--processes", type=int, default=1, help="processes of our flow")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results go")
    return parser.parse_args()


def run(options: argparse.Namespace) -> Path:
    """Run the comparison and return the page with its results.

    Raises:
        RoundFailedError: A contender failed, or they do not agree.
    """
    machine = describe_machine()
    events = options.events or (QUICK_EVENTS if options.quick else EVENTS)
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    chats = ChatOptions(events=events)
    file = provide_chats(find_bench_folder(), chats)
    chosen = choose_contenders(options.only)
    skipped = {contender.label: why for contender in chosen if (why := contender.find_lack())}
    present = [
        replace(contender, arguments=("--processes", str(options.processes)))
        if contender.name == "ours_bus"
        else contender
        for contender in chosen
        if contender.label not in skipped
    ]
    outcomes = run_rounds(present, file, rounds, say)
    standings = rank(present, outcomes)
    report = Report(
        made_at=SystemClock().now(),
        machine=machine,
        chats=chats,
        rounds=rounds,
        standings=standings,
        verdicts=judge_targets(standings),
        skipped=skipped,
        steps=measure_steps(),
    )
    return save_report(report, options.results)


def say(line: str) -> None:
    """Tell people how it goes."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main() -> None:
    """Run and print the page."""
    try:
        page = run(read_options())
    except RoundFailedError as error:
        sys.exit(str(error))
    sys.stdout.write(page.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
