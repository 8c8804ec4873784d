"""Top options: what the command line of ``telemetra top`` says."""

import argparse
import math
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Final

from infra.cli.ranked_streams import SortKey

EVERY_S_USUAL: Final = 2.0
EVERY_S_MAX: Final = 3600.0
LIMIT_USUAL: Final = 50
LIMIT_MAX: Final = 5000

EXAMPLES: Final = """\
Example: telemetra top --sort score
Example: telemetra top --live --once --json
"""


def read_options(arguments: Sequence[str]) -> Namespace:
    """Read the command line; a wrong value ends the process with one line."""
    parser = ArgumentParser(
        prog="telemetra top",
        description="Watch all streams: rate, viewers, chatters, mood, and the score of what is"
        " unusual. Into a pipe: one line a stream and update, with tabs between the columns.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    keys = ", ".join(SortKey)
    add(
        "--sort", default="rate", choices=list(SortKey), metavar="KEY", help=f"{keys} (%(default)s)"
    )
    add("--live", action="store_true", help="only live streams")
    add("--limit", type=_read_limit, default=LIMIT_USUAL, metavar="N", help="streams (%(default)s)")
    seconds = "seconds between updates (%(default)s)"
    add("--every", type=_read_pause, default=EVERY_S_USUAL, metavar="S", help=seconds)
    add("--once", action="store_true", help="one update, then stop")
    add("--url", help="the API (the one that runs here)")
    add("--api-key", metavar="KEY", help="for an API that asks for one (API_KEY)")
    add("--json", action="store_true", help="for programs: one object an update")
    return parser.parse_args(arguments)


def _read_limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= LIMIT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number 1 to {LIMIT_MAX}")
    return int(text)


def _read_pause(text: str) -> float:
    try:
        pause_s = float(text)
    except ValueError:
        pause_s = math.nan
    if not 1 <= pause_s <= EVERY_S_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {EVERY_S_MAX:.0f}")
    return pause_s
