"""Options: what the command line of ``make load`` says."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import urlsplit

from typing_extensions import override

from loadtest.bench.folders import RESULTS
from loadtest.load.budgets import BUDGETS
from loadtest.load.findings import SCENARIOS

USERS: Final = {"senders": 20, "readers": 20, "watchers": 50}
RATES: Final = {"senders": 2000.0, "readers": 100.0, "watchers": 200.0}
"""Events a second; readers and watchers need only something to see."""

USERS_MIN: Final = 3
"""One of each kind."""

USERS_MAX: Final = 5000
"""What one generator process could still serve with some of its core; more need more machines."""

RATE_MAX: Final = 1_000_000.0
SECONDS_USUAL: Final = 30.0
SECONDS_MIN: Final = 3.0
SECONDS_MAX: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Options:
    """What to run against what."""

    scenarios: tuple[str, ...]
    seconds: float
    users: int | None = None
    rate: float | None = None
    url: str | None = None
    budgets: Path = BUDGETS
    results: Path = RESULTS / "load"

    @property
    def name(self) -> str:
        """The scenario as it was asked for."""
        return self.scenarios[0] if len(self.scenarios) == 1 else "all"


class OneLineParser(argparse.ArgumentParser):
    """Refuses in one line; how it is used is what ``--help`` is for."""

    @override
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"load: {message}. More with --help.\n")


def read_options(arguments: Sequence[str]) -> Options:
    """Read the command line; a wrong value ends the process and says what is right."""
    parser = OneLineParser(
        prog="python -m loadtest.load",
        description="Load a running product, and hold what is found against the budgets.",
        epilog="example: make load SCENARIO=readers USERS=40 TIME=60. The key is API_KEY, in the"
        " environment or .env.",
    )
    add = parser.add_argument
    add("scenario", choices=(*SCENARIOS, "all"), help="who loads it")
    add("--users", type=_whole(USERS_MIN, USERS_MAX), help=f"of each scenario ({USERS})")
    add("--rate", type=_number(1, RATE_MAX), help=f"events sent a second ({RATES})")
    add(
        "--time",
        dest="seconds",
        metavar="SECONDS",
        type=_number(SECONDS_MIN, SECONDS_MAX),
        default=SECONDS_USUAL,
        help="how long (%(default)g)",
    )
    add("--url", type=_read_url, help="of the API (what `telemetra status` says)")
    add("--budgets", type=Path, default=BUDGETS, help="a file like loadtest/budgets.toml")
    add("--results", type=Path, default=RESULTS / "load", help="where results go")
    given = vars(parser.parse_args(arguments))
    chosen = given.pop("scenario")
    return Options(scenarios=SCENARIOS if chosen == "all" else (chosen,), **given)


def _read_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_good = bool(parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0)
    except ValueError:
        is_good = False
    if not is_good or "@" in text or parts.query:
        raise argparse.ArgumentTypeError("not an address like http://127.0.0.1:8000")
    return text.rstrip("/")


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {least} to {most}")
        return int(text)

    return read


def _number(least: float, most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number {least:g} to {most:g}")
        return value

    return read
