"""Options: what the command line of a backtest says."""

import argparse
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from streaming.archive.options import add_span
from streaming.backtest.overrides import OVERRIDES, TUNED

WARM_UP_HOURS: Final = 6
"""What is read before the span: series that nothing is known of are judged after an hour at the
earliest, and by all they did in the hours before."""

WARM_UP_HOURS_MAX: Final = 24 * 31

STEP_S: Final = 5
STEP_S_MAX: Final = 20
"""Silences are told from half a minute on; what came together must not look like one."""

EXAMPLES: Final = """\
examples:
  telemetra backtest --from 2026-01-26T10:00Z --to 2026-01-27T10:00Z --set strictness=2
  telemetra backtest --from 2026-01-26T10:00Z --stream northlight_live --picture northlight.svg
  telemetra backtest --file raids.parquet --labels truth.ndjson --set "*/chat_count/strictness=2"
"""


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong."""
        self.exit(2, f"{self.prog}: {message}\n")


def read_options(arguments: Sequence[str]) -> Namespace:
    """Read the command line; a wrong value ends the process and says what is right."""
    rules = "".join(
        f"\n  {name:<26}{each.meaning}" for name, each in {**OVERRIDES, **TUNED}.items()
    )
    parser = _Parser(
        prog="telemetra backtest",
        description="Send the past through the flow, by the rules of now and by others, and compare"
        " the moments. Nothing is stored.",
        epilog=f"{EXAMPLES}\nrules that may be changed:{rules}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_span(parser)
    add = parser.add_argument
    add("--file", type=Path, metavar="FILE", help="events in .parquet or .ndjson, not the archive")
    add("--labels", type=Path, metavar="FILE", help="what happened, as the simulator writes it")
    add("--set", dest="wishes", metavar="NAME=VALUE", action="append", default=[], help="a rule")
    add(
        "--warm-up",
        metavar="HOURS",
        type=_read_hours,
        help=f"read before the span ({WARM_UP_HOURS}), or at the beginning of a file (0), and not"
        " judged",
    )
    add(
        "--step",
        metavar="SECONDS",
        type=_read_step,
        default=STEP_S,
        help="what came within came together; finer ones measure delays better and take longer"
        " (%(default)s)",
    )
    add("--picture", type=Path, metavar="FILE.svg", help="draw metrics, moments and labels")
    add("--json", action="store_true", help="for programs")
    options = parser.parse_args(arguments)
    if options.file is not None and (options.start or options.end):
        parser.error("argument --file: a file is taken whole; --from and --to are of the archive")
    if options.picture is not None and options.picture.suffix != ".svg":
        parser.error(f"argument --picture: {str(options.picture)!r} does not end in .svg")
    return options


def _read_hours(text: str) -> int:
    if not text.isdecimal() or int(text) > WARM_UP_HOURS_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number 0 to {WARM_UP_HOURS_MAX}")
    return int(text)


def _read_step(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= STEP_S_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number 1 to {STEP_S_MAX}")
    return int(text)
