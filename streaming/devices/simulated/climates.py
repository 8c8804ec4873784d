"""Climates: the state of a simulated device, and what it measures at a time.

    level + swing + bias + noise ─► faults ─► what the sensor shows

Pure: the same seed, the same commands at the same times, the same values.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from core.errors import InvalidError
from streaming.devices.simulated.faults import SCATTER, Fault
from streaming.devices.simulated.sensors import SENSORS, Sensor

INTERVAL_S_USUAL: Final = 2.0
INTERVAL_S_MIN: Final = 0.1
INTERVAL_S_MAX: Final = 60.0

FAULTS_MAX: Final = 100
"""Of those asked for: what waits for its time is held in memory."""


@dataclass(slots=True)
class Climate:
    """A chamber with a sensor of each kind."""

    seed: int
    start_ms: int
    planned: Iterable[Fault] = ()
    often: Iterator[Fault] = field(default_factory=lambda: iter(()))
    """More faults, in the order of their times."""

    interval_s: float = INTERVAL_S_USUAL
    is_calibrating: bool = False
    _measured: int = field(default=0, init=False)
    _levels: dict[str, float] = field(default_factory=dict, init=False)
    _biases: dict[str, float] = field(default_factory=dict, init=False)
    _waiting: list[Fault] = field(default_factory=list, init=False)
    _active: dict[str, tuple[Fault, float]] = field(default_factory=dict, init=False)
    """By sensor: a fault, and what was there when it began."""

    _over: list[Fault] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Begin with sensors that are a little off."""
        self.reset(self.start_ms)
        self._waiting = list(self.planned)
        self._biases = {name: sensor.bias for name, sensor in SENSORS.items()}

    @property
    def status(self) -> str:
        """What the device says of itself; of its faults it knows nothing."""
        return "calibrating" if self.is_calibrating else "operational"

    def measure(self, now_ms: int) -> dict[str, float]:
        """Return what the sensors show; one that is missing shows nothing."""
        self._begin_faults(now_ms)
        self._end_faults(now_ms)
        self._measured += 1
        shown = {}
        for name, sensor in SENSORS.items():
            value = self._measure_one(sensor, now_ms)
            if value is not None:
                shown[name] = sensor.show(value)
        return shown

    def set_value(self, name: str, value: float, now_ms: int) -> None:
        """Let a sensor go on from a value.

        Raises:
            InvalidError: It can show none like that.
        """
        sensor = SENSORS[name]
        if not sensor.low <= value <= sensor.high:
            raise InvalidError(f"{name} shows {sensor.low:g} to {sensor.high:g} {sensor.unit}.")
        swung = sensor.measure(now_ms - self.start_ms, 0.0)
        self._levels[name] = value - swung - self._biases[name]

    def inject(self, fault: Fault) -> None:
        """Let a fault come.

        Raises:
            InvalidError: Its sensor has one at that time, or too many are waiting.
        """
        others = [*self._waiting, *(active for active, _ in self._active.values())]
        if len(others) >= FAULTS_MAX:
            raise InvalidError(f"{FAULTS_MAX} faults are waiting; clear them first.")
        for other in others:
            is_same = other.sensor.name == fault.sensor.name
            if is_same and other.start_ms < fault.end_ms and fault.start_ms < other.end_ms:
                raise InvalidError(f"{fault.sensor.name} has a fault then; clear it first.")
        self._waiting.append(fault)

    def clear_faults(self, now_ms: int) -> int:
        """End what is wrong now, and forget what was to come of what was asked for."""
        cleared = len(self._active) + len(self._waiting)
        for name in list(self._active):
            self._end(name, now_ms)
        self._waiting.clear()
        return cleared

    def reset(self, now_ms: int) -> None:
        """Put every sensor back to where it began."""
        self.clear_faults(now_ms)
        self._levels = {name: sensor.level for name, sensor in SENSORS.items()}

    def calibrate(self) -> dict[str, float]:
        """Take away by how much sensors are off, and return it."""
        taken, self._biases = self._biases, dict.fromkeys(SENSORS, 0.0)
        return taken

    def take_over(self) -> list[Fault]:
        """Return the faults that are over since somebody asked, with their true ends."""
        over, self._over = self._over, []
        return over

    def describe(self) -> dict[str, object]:
        """Return how it is."""
        return {
            "status": self.status,
            "interval_s": self.interval_s,
            "measured": self._measured,
            "faults": [f"{fault.kind} {name}" for name, (fault, _) in self._active.items()],
            "faults_waiting": len(self._waiting),
        }

    def _measure_one(self, sensor: Sensor, now_ms: int) -> float | None:
        there = self._measure_level(sensor, now_ms)
        noise = sensor.draw_noise(self.seed, self._measured)
        value = there + sensor.noise * noise
        fault, then = self._active.get(sensor.name, (None, 0.0))
        if fault is None:
            return value
        match fault.kind:
            case "stuck":
                return then
            case "spike":
                return value + fault.size
            case "drift":
                return value + fault.size * fault.done(now_ms)
            case "noise":
                return value + SCATTER * abs(fault.size) * noise
            case "dropout":
                return None

    def _measure_level(self, sensor: Sensor, now_ms: int) -> float:
        level = self._levels[sensor.name] + self._biases[sensor.name]
        return sensor.measure(now_ms - self.start_ms, level)

    def _begin_faults(self, now_ms: int) -> None:
        due = [fault for fault in self._waiting if fault.start_ms <= now_ms]
        self._waiting = [fault for fault in self._waiting if fault.start_ms > now_ms]
        for fault in self.often:
            if fault.start_ms > now_ms:
                self.often = chain((fault,), self.often)
                break
            due.append(fault)
        for fault in due:
            # What passed while nothing was measured was never felt, and one is enough at a time.
            if fault.end_ms > now_ms and fault.sensor.name not in self._active:
                level = self._measure_level(fault.sensor, fault.start_ms)
                self._active[fault.sensor.name] = fault, level

    def _end_faults(self, now_ms: int) -> None:
        for name, (fault, _) in list(self._active.items()):
            if fault.end_ms <= now_ms:
                self._end(name, fault.end_ms)

    def _end(self, name: str, end_ms: int) -> None:
        fault, _ = self._active.pop(name)
        whole = fault.end_ms - fault.start_ms
        length = max(end_ms - fault.start_ms, 1)
        # Of a drift that was cut short only so much was felt.
        size = fault.size * length / whole if fault.kind == "drift" else fault.size
        self._over.append(
            Fault(fault.kind, fault.sensor, fault.start_ms, fault.start_ms + length, size)
        )
