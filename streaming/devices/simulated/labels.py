"""Labels: the truth about faults of a simulated device, a line of JSON for each.

They are written as the simulator of streams writes its own, so that a backtest reads both. A line
is written when its fault is over, for only then it is known how long it really lasted.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Final

import orjson

from core.errors import InvalidError
from core.times import EPOCH
from streaming.devices.simulated.faults import SCATTER, Fault

SCENARIO: Final = "device"
DIGITS: Final = 4


class LabelFile:
    """Writes labels behind those of earlier runs."""

    def __init__(self, path: Path, device_id: str, seed: int) -> None:
        """Open it.

        Raises:
            InvalidError: It cannot be written.
        """
        self.path = path
        self._device_id = device_id
        self._seed = seed
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab")
        except OSError as error:
            raise InvalidError(f"{path} cannot be written: {error.strerror}.") from error

    def write(self, faults: Iterable[Fault]) -> None:
        """Write down faults that are over."""
        for fault in faults:
            label = describe_fault(fault, self._device_id, self._seed)
            self._file.write(
                orjson.dumps(label, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
            )
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def describe_fault(fault: Fault, device_id: str, seed: int) -> dict[str, object]:
    """Return the label of a fault."""
    name = f"{seed} {device_id} {fault.kind} {fault.sensor.name} {fault.start_ms}"
    direction, magnitude = _measure(fault)
    return {
        "incident_id": f"inc_{blake2b(name.encode(), digest_size=8).hexdigest()}",
        "scenario": SCENARIO,
        "seed": seed,
        "kind": fault.kind,
        "stream_id": device_id,
        "metric": "reading",
        "channel": fault.sensor.name,
        "direction": direction,
        "started_at": _read_ms(fault.start_ms),
        "peak_at": _read_ms(fault.end_ms if fault.kind == "drift" else fault.start_ms),
        "ended_at": _read_ms(fault.end_ms),
        "magnitude": None if magnitude is None else round(magnitude, DIGITS),
    }


def _measure(fault: Fault) -> tuple[str | None, float | None]:
    """Return in which direction a fault moves its sensor, and how far."""
    match fault.kind:
        case "spike" | "drift":
            return "up" if fault.size > 0 else "down", fault.size
        case "noise":
            return None, SCATTER * abs(fault.size)
        case "stuck":
            return None, 0.0
        case "dropout":
            return "down", None


def _read_ms(at_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=at_ms)
