"""Options: what the command line of the simulator says."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from streaming.simulator.profiles import STREAMS_MAX
from streaming.simulator.worlds import RATE_USUAL

RATE_MAX: Final = 50_000.0
"""Chat events per second; what one process can make and encode on one core."""

BACKFILL_MINUTES_USUAL: Final = 60
BACKFILL_MINUTES_MAX: Final = 24 * 60

DURATION_S_MAX: Final = 366 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Options:
    """What to simulate and where to send it."""

    url: str
    streams: int
    seed: int
    rate: float
    duration_s: float | None
    backfill_minutes: int
    api_key: str | None = field(repr=False)


def read_options(arguments: Sequence[str]) -> Options:
    """Read the command line; a wrong value ends the process and says what is right."""
    parser = argparse.ArgumentParser(
        prog="python -m streaming.simulator",
        description="Send a lively demo to the API: chats with raids, benches with faults.",
        epilog="example: python -m streaming.simulator --streams 3 --rate 20 --backfill 10",
    )
    add = parser.add_argument
    add("--url", type=_read_url, default="http://127.0.0.1:8000", help="the API (%(default)s)")
    add("--streams", type=_whole(1, STREAMS_MAX), default=8, help="how many (%(default)s)")
    add("--seed", type=int, default=7, help="same seed, same events (%(default)s)")
    add(
        "--rate",
        type=_number(0.1, RATE_MAX),
        default=RATE_USUAL,
        help="chat events per second, all streams together, raids on top (%(default)s)",
    )
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
        default=BACKFILL_MINUTES_USUAL,
        help="past to send first for streams the API does not know; 0 for none (%(default)s)",
    )
    add("--api-key", metavar="KEY", help="key for an API that asks for one")
    return Options(**vars(parser.parse_args(arguments)))


def _read_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_good = bool(parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0)
    except ValueError:
        is_good = False
    # A password in the address would end up in the log.
    if not is_good or "@" in text:
        raise argparse.ArgumentTypeError("not an address like http://127.0.0.1:8000")
    return text


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
