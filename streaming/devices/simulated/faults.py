"""Faults: what goes wrong with a simulated sensor, planned by a seed or asked for.

    spike   ▁▁▇▇▇▁▁   the value jumps and comes back
    drift   ▁▁▂▄▆▁▁   it walks away and is put right
    stuck   ▁▂▂▂▂▁▂   it repeats itself
    noise   ▁▂▇▁▆▁▁   it scatters
    dropout ▁▁   ▁▁   nothing comes

Pure: the same seed plans the same faults. ``climates`` make them felt, ``labels`` write them down.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Final, Literal, TypeAlias, get_args

from streaming.devices.simulated.sensors import SENSORS, Sensor

FaultKind: TypeAlias = Literal["stuck", "drift", "spike", "dropout", "noise"]

KINDS: Final[tuple[FaultKind, ...]] = get_args(FaultKind)

SECONDS_MIN: Final = 1.0
SECONDS_MAX: Final = 3600.0

SCATTER: Final = 0.6
"""Standard deviation of a noisy sensor, in sizes of its fault."""

_USUAL_S: Final = (30.0, 120.0)
"""How long a fault lasts of which nobody says it."""

_GAP_S: Final = (60.0, 180.0)
"""Between faults of which nobody says when they come: a detector needs to see what is usual."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A fault as somebody asks for it; what is left open is drawn."""

    kind: FaultKind
    sensor: str | None = None
    after_s: float | None = None
    lasts_s: float | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with one sensor, from ``start_ms`` until before ``end_ms``."""

    kind: FaultKind
    sensor: Sensor
    start_ms: int
    end_ms: int
    size: float

    def done(self, at_ms: int) -> float:
        """Return how much of it is over, 0 to 1."""
        return (at_ms - self.start_ms) / (self.end_ms - self.start_ms)


def plan_wishes(seed: int, wishes: list[Wish], start_ms: int) -> list[Fault]:
    """Return the faults that were asked for, one after the other where no time was given."""
    planned: list[Fault] = []
    free_ms = start_ms
    for number, wish in enumerate(wishes):
        random = _begin(seed, "wish", number)
        sensor = SENSORS[wish.sensor or random.choice(list(SENSORS))]
        gap_s, lasts_s = random.uniform(*_GAP_S), random.uniform(*_USUAL_S)
        begins_ms = free_ms + _to_ms(gap_s)
        if wish.after_s is not None:
            begins_ms = start_ms + _to_ms(wish.after_s)
        fault = make_fault(wish.kind, sensor, begins_ms, wish.lasts_s or lasts_s)
        planned.append(fault)
        free_ms = max(free_ms, fault.end_ms)
    return planned


def plan_often(seed: int, every_s: float, start_ms: int) -> Iterator[Fault]:
    """Yield one fault after the other, for ever, so many seconds apart."""
    for number in count():
        random = _begin(seed, "often", number)
        sensor, kind = SENSORS[random.choice(list(SENSORS))], random.choice(KINDS)
        # One is over before the next one's time begins.
        begins_s = every_s * (number + random.uniform(0.3, 0.6))
        lasts_s = min(random.uniform(*_USUAL_S), 0.4 * every_s)
        yield make_fault(kind, sensor, start_ms + _to_ms(begins_s), lasts_s)


def make_fault(
    kind: FaultKind, sensor: Sensor, start_ms: int, lasts_s: float, size: float | None = None
) -> Fault:
    """Return a fault, as large as its sensor says unless somebody else does."""
    length_ms = _to_ms(min(max(lasts_s, SECONDS_MIN), SECONDS_MAX))
    given = sensor.fault_size if size is None else size
    return Fault(kind, sensor, start_ms, start_ms + length_ms, given)


def _begin(seed: int, name: str, number: int) -> Random:
    # Nothing is guarded by it: the same seed has to give the same faults.
    return Random(f"{seed} {name} {number}")  # noqa: S311


def _to_ms(seconds: float) -> int:
    return round(seconds * 1000)
