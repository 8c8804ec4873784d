"""Options of the simulated device: what its command line says."""

import argparse
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn, get_args

from streaming.devices.simulated.faults import KINDS, SECONDS_MAX, SECONDS_MIN, FaultKind, Wish
from streaming.devices.simulated.sensors import SENSORS
from streaming.ingest.options import read_url

DEVICE_ID: Final = re.compile(r"[A-Za-z0-9_.:@~+=#-]{1,128}")

AFTER_S_MAX: Final = 86_400.0
EVERY_S_MIN: Final = 10.0

_FAULT: Final = re.compile(
    r"(?P<kind>[a-z]+)(:(?P<sensor>[a-z]+))?(@(?P<after>\d+(\.\d+)?))?(\+(?P<lasts>\d+(\.\d+)?))?"
)

EXAMPLES: Final = """\
examples:
  telemetra device simulate --id bench_1
  telemetra device simulate --id bench_1 --seed 3 --fault stuck:temperature@30+20
  telemetra device simulate --id bench_1 --fault drift --fault noise
"""


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong."""
        self.exit(2, f"{self.prog}: {message}\n")


def read_options(arguments: Sequence[str]) -> Namespace:
    """Read the command line; a wrong value ends the process and says what is right."""
    parser = _Parser(
        prog="telemetra device simulate",
        description="Be a device that measures a climate chamber and does as it is told.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--id", dest="device_id", type=_read_id, default="climate_1", help="(%(default)s)")
    add("--title", help="what people call it")
    add("--seed", type=int, default=7, help="same seed, same values and faults (%(default)s)")
    add(
        "--fault",
        dest="faults",
        action="append",
        type=_read_fault,
        default=[],
        metavar="KIND[:SENSOR][@AFTER][+LASTS]",
        help=f"{', '.join(KINDS)}; of {', '.join(SENSORS)}; after and for seconds; what is left"
        " out is drawn by the seed; may be repeated",
    )
    add(
        "--fault-every",
        type=_read_every,
        metavar="SECONDS",
        help="one fault after the other, drawn by the seed",
    )
    add("--labels", type=Path, metavar="FILE", help="where the truth about faults is appended")
    add("--url", type=read_url, default="http://127.0.0.1:8000", help="the API (%(default)s)")
    add("--api-key", metavar="KEY", help="key for an API that asks for one (API_KEY)")
    return parser.parse_args(arguments)


def _read_id(text: str) -> str:
    if not DEVICE_ID.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no id: 1 to 128 letters, digits and _.:@~+=#-"
        )
    return text


def _read_fault(text: str) -> Wish:
    found = _FAULT.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not like stuck:temperature@30+20")
    kind, sensor = found["kind"], found["sensor"]
    if sensor is not None and sensor not in SENSORS:
        raise argparse.ArgumentTypeError(f"sensor {sensor!r} is none of {', '.join(SENSORS)}")
    after_s = None if found["after"] is None else float(found["after"])
    lasts_s = None if found["lasts"] is None else float(found["lasts"])
    if after_s is not None and after_s > AFTER_S_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} begins later than {AFTER_S_MAX:.0f} s")
    if lasts_s is not None and not SECONDS_MIN <= lasts_s <= SECONDS_MAX:
        raise argparse.ArgumentTypeError(
            f"{text!r} does not last {SECONDS_MIN:g} to {SECONDS_MAX:g} s"
        )
    return Wish(_read_kind(kind), sensor, after_s, lasts_s)


def _read_kind(text: str) -> FaultKind:
    kinds: tuple[FaultKind, ...] = get_args(FaultKind)
    for kind in kinds:
        if text == kind:
            return kind
    raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(kinds)}")


def _read_every(text: str) -> float:
    try:
        every_s = float(text)
    except ValueError:
        every_s = float("nan")
    if not EVERY_S_MIN <= every_s <= AFTER_S_MAX:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number {EVERY_S_MIN:g} to {AFTER_S_MAX:.0f}"
        )
    return every_s
