"""Options: what the command line of the simulator says."""

import argparse
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NoReturn

from core.errors import InvalidError
from core.times import EPOCH
from streaming.ingest.options import read_time, read_url
from streaming.simulator.files import WRITERS
from streaming.simulator.paces import find_chat_rate, measure_fixed_rate
from streaming.simulator.profiles import STREAMS_MAX, list_profiles
from streaming.simulator.scenarios import SCENARIOS, USUAL
from streaming.simulator.worlds import RATE_USUAL

RATE_MAX: Final = 200_000.0
"""Events per second; a quarter of what one core can make and write as lines."""

BACKFILL_MINUTES_USUAL: Final = 60
BACKFILL_MINUTES_MAX: Final = 24 * 60

MINUTES_USUAL: Final = 60
MINUTES_MAX: Final = 366 * 24 * 60
"""A year: doors take nothing older."""

MILLISECOND: Final = timedelta(milliseconds=1)

SPEED_MAX: Final = 100_000.0

DURATION_S_MAX: Final = 366 * 24 * 3600.0

EXAMPLES: Final = """\
examples:
  telemetra simulate                                         live, until Ctrl-C
  telemetra simulate --streams 200 --rate 20000/s --scenario outage
  telemetra simulate --scenario launch --minutes 60          the last hour, as fast as it goes
  telemetra simulate --from 2026-01-26T10:00Z --minutes 120 --speed 60x
  telemetra simulate --from 2026-01-26T10:00Z --out raids.parquet --labels truth.ndjson
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What to simulate and where to send it."""

    url: str
    streams: int
    seed: int
    scenario: str
    rate: float | None
    duration_s: float | None
    backfill_minutes: int | None
    start: datetime | None
    minutes: int | None
    speed: float | None
    out: Path | None
    labels: Path | None
    api_key: str | None = field(repr=False)

    @property
    def is_span(self) -> bool:
        """Whether a span of time is meant, and not the present."""
        return any(each is not None for each in (self.start, self.minutes, self.speed, self.out))

    @property
    def chat_rate(self) -> float:
        """The messages per second that are left when all else is counted."""
        if self.rate is None:
            return RATE_USUAL
        return find_chat_rate(list_profiles(self.streams), self.rate)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong."""
        self.exit(2, f"{self.prog}: {message}\n")


def read_options(arguments: Sequence[str]) -> Options:
    """Read the command line; a wrong value ends the process and says what is right."""
    parser = _Parser(
        prog="telemetra simulate",
        description="Send a lively demo to the API, or write it to a file: chats and benches, with"
        " incidents whose truth is written beside.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_world(parser)
    _add_live(parser)
    _add_span(parser)
    options = Options(**vars(parser.parse_args(arguments)))
    if (wrong := _find_wrong(options)) is not None:
        parser.error(wrong)
    return options


def choose_span(options: Options, now: datetime) -> tuple[int, int]:
    """Return from when until when, in milliseconds since 1970.

    Raises:
        InvalidError: It is to be sent, and is not over yet.
    """
    length = timedelta(minutes=options.minutes or MINUTES_USUAL)
    start = options.start or now.replace(second=0, microsecond=0) - length
    end = start + length
    if end > now and not options.out:
        raise InvalidError(
            f"--from and --minutes end at {end:%Y-%m-%dT%H:%MZ}, in the future, which no door"
            " takes. Begin earlier, make it shorter, or use --out."
        )
    return (start - EPOCH) // MILLISECOND, (end - EPOCH) // MILLISECOND


def _add_world(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--streams", type=_whole(1, STREAMS_MAX), default=8, help="how many (%(default)s)")
    add("--seed", type=int, default=7, help="same seed, same events (%(default)s)")
    add(
        "--scenario",
        choices=list(SCENARIOS),
        default=USUAL.name,
        help="what happens: %(choices)s (%(default)s)",
    )
    add(
        "--rate",
        metavar="N/s",
        type=_read_rate,
        help="events per second, all streams together, what incidents add or take not counted"
        f" ({RATE_USUAL:g} messages/s, and what is measured beside them)",
    )
    add(
        "--labels",
        metavar="FILE",
        type=Path,
        help="where the truth is written (beside --out, else below TELEMETRA_DATA_DIR)",
    )


def _add_live(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("to the API").add_argument
    add("--url", type=read_url, default="http://127.0.0.1:8000", help="the API (%(default)s)")
    add("--api-key", metavar="KEY", help="key for an API that asks for one")
    add(
        "--duration",
        dest="duration_s",
        metavar="SECONDS",
        type=_number(0.0, DURATION_S_MAX),
        help="stop after so long, the history not counted (never)",
    )
    add(
        "--backfill",
        dest="backfill_minutes",
        metavar="MINUTES",
        type=_whole(0, BACKFILL_MINUTES_MAX),
        help="past to send first for streams the API does not know; 0 for none"
        f" ({BACKFILL_MINUTES_USUAL})",
    )


def _add_span(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("a span instead of the present").add_argument
    add("--from", dest="start", metavar="TIME", type=read_time, help="(--minutes ago)")
    add(
        "--minutes",
        metavar="N",
        type=_whole(1, MINUTES_MAX),
        help=f"how long the span is ({MINUTES_USUAL})",
    )
    add("--speed", metavar="60x", type=_read_speed, help="times faster than life, or max (max)")
    add(
        "--out",
        metavar="FILE",
        type=_read_out,
        help=f"write to a file and not to the API; its name ends in {' or '.join(WRITERS)}",
    )


def _find_wrong(options: Options) -> str | None:
    """Say which options do not go together; None when all do."""
    live = {"--duration": options.duration_s, "--backfill": options.backfill_minutes}
    for name, value in live.items():
        if options.is_span and value is not None:
            return f"argument {name}: not allowed with --from, --minutes, --speed or --out"
    if options.out and options.speed is not None:
        return "argument --speed: not allowed with --out, which is written as fast as it goes"
    if options.labels and options.labels == options.out:
        return "argument --labels: the events are written there; name another file"
    least = math.ceil(measure_fixed_rate(list_profiles(options.streams)))
    if options.rate is not None and options.rate < least:
        return (
            f"argument --rate: {options.streams} streams measure {least} events/s without a word;"
            f" allowed are {least}/s to {RATE_MAX:.0f}/s"
        )
    return None


def _read_rate(text: str) -> float:
    return _number(1.0, RATE_MAX)(text.removesuffix("/s"))


def _read_speed(text: str) -> float:
    if text == "max":
        return math.inf
    if not re.fullmatch(r"\d+(\.\d+)?x", text) or not 0 < float(text[:-1]) <= SPEED_MAX:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither max nor like 60x, {SPEED_MAX:.0f}x at most"
        )
    return float(text[:-1])


def _read_out(text: str) -> Path:
    path = Path(text)
    if path.suffix not in WRITERS:
        raise argparse.ArgumentTypeError(f"{text!r} ends in neither {' nor '.join(WRITERS)}")
    return path


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
            raise argparse.ArgumentTypeError(f"{text!r} is not a number {least:g} to {most:.0f}")
        return value

    return read
