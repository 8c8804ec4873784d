"""Options: what the command line of ``telemetra ingest`` says."""

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from core.events import EVENT_TYPES
from core.ids import NAME_PATTERN
from core.layouts import Wishes
from core.paces import NoPace, Pace, RatePace, RecordedPace, read_rate, read_speed
from streaming.connectors.files.sources import Format
from streaming.ingest.options import read_url

T = TypeVar("T")

FORMATS: Final = ("ndjson", "csv", "parquet")

EXAMPLES: Final = """\
examples:
  telemetra ingest chat.ndjson
  telemetra ingest prices.csv --map timestamp=Date --map value=Close --stream acme --channel price
  telemetra ingest sensors.csv --wide --stream bench-07
  telemetra ingest 'logs/*.csv.gz' --rate 5000/s --rejects refused.ndjson
  telemetra ingest yesterday.parquet --as-recorded --speed 60x --shift-to-now
  tail -f chat.ndjson | telemetra ingest -

Interrupted, the same command goes on where it was. Exit code: 0 all rows accepted, 3 some were
rejected, 1 it could not go on, 2 the options are wrong, 130 interrupted."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to send, how fast and where to."""

    files: tuple[str, ...]
    format: Format | None
    wishes: Wishes
    rate: float | None
    speed: float | None
    shift_to_now: bool
    restart: bool
    rejects: Path | None
    quiet: bool
    json: bool
    url: str | None
    product_url: str | None
    api_key: str | None = field(repr=False)

    def make_pace(self) -> Pace:
        """Return how fast it goes."""
        if self.rate is not None:
            return RatePace(self.rate)
        return NoPace() if self.speed is None else RecordedPace(self.speed)


def read_options(arguments: Sequence[str]) -> Options:
    """Read the command line; a wrong value ends the process and says what is right."""
    parser = argparse.ArgumentParser(
        prog="telemetra ingest",
        description="Send files of events to the API: NDJSON, CSV or Parquet, also .gz and .zst.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_sources(parser)
    _add_columns(parser)
    _add_ways(parser)
    given = vars(parser.parse_args(arguments))
    if given.pop("as_recorded") and given["speed"] is None:
        given["speed"] = 1.0
    elif given["speed"] is not None and "--as-recorded" not in arguments:
        parser.error("--speed goes with --as-recorded")
    wishes = Wishes(
        columns=dict(given.pop("map")),
        type=given.pop("type"),
        stream=given.pop("stream"),
        channel=given.pop("channel"),
        is_wide=given.pop("wide"),
        time_format=given.pop("time_format"),
        zone=given.pop("zone"),
    )
    return Options(files=tuple(given.pop("files")), wishes=wishes, **given)


def _add_sources(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="files, globs, folders, or - for stdin")
    add("--format", choices=FORMATS, help="(by the name, and else by how the file begins)")
    add("--url", type=read_url, help="another product than the one that runs here")
    add("--api-key", metavar="KEY", help="key for an API that asks for one")
    add("--product-url", help=argparse.SUPPRESS)


def _add_columns(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("columns, where their names do not say it").add_argument
    add(
        "--map",
        metavar="FIELD=COLUMN",
        action="append",
        default=[],
        type=_read_pair,
        help="which column is what, as timestamp=Date, timestamp=Day+Time or value=Close",
    )
    add("--type", choices=EVENT_TYPES, help="the type of all events")
    add(
        "--stream", metavar="ID", type=_read_name, help="the stream of all events (the file's name)"
    )
    add("--channel", metavar="NAME", type=_read_name, help="the channel of all readings")
    add("--wide", action="store_true", help="every other numeric column is a channel of its own")
    add("--time-format", metavar="FORMAT", help="as %%d.%%m.%%Y %%H:%%M:%%S")
    add(
        "--zone",
        type=_read_zone,
        metavar="ZONE",
        help="of times without one, as Europe/Berlin (UTC)",
    )


def _add_ways(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("how").add_argument
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument(
        "--rate", type=_reading(read_rate), metavar="N/s", help="so many events a second, not more"
    )
    pace.add_argument(
        "--as-recorded", action="store_true", help="as fast as the events' own times go"
    )
    add("--speed", type=_reading(read_speed), metavar="60x", help="with --as-recorded (1x)")
    add(
        "--shift-to-now",
        action="store_true",
        help="move all times so that the last event comes now",
    )
    add("--restart", action="store_true", help="begin again, whatever was sent before")
    add("--rejects", type=Path, metavar="FILE", help="where rejected rows go (the data folder)")
    add("--quiet", action="store_true", help="no progress")
    add("--json", action="store_true", help="the summary for programs")


def _reading(read: Callable[[str], T]) -> Callable[[str], T]:
    def take(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return take


def _read_pair(text: str) -> tuple[str, str]:
    name, _, column = text.partition("=")
    if not name or not column:
        raise argparse.ArgumentTypeError(f"{text!r} is not FIELD=COLUMN, as value=Close")
    return name, column


def _read_name(text: str) -> str:
    if not re.fullmatch(NAME_PATTERN.strip("^$"), text):
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 to 128 letters, digits or _.:@~+=#-")
    return text


def _read_zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"{text!r} is no zone like Europe/Berlin") from None
