"""Sensors: what a simulated device measures when nothing is wrong with it."""

import math
from dataclasses import dataclass
from random import Random
from typing import Final


@dataclass(frozen=True, slots=True)
class Sensor:
    """A channel of numbers, around a level that swings."""

    name: str
    unit: str
    description: str
    low: float
    high: float
    """What it can show at all."""

    level: float
    swing: float
    period_s: float
    noise: float
    bias: float
    """By how much it is off before somebody calibrates it."""

    fault_size: float

    def measure(self, elapsed_ms: int, level: float) -> float:
        """Return what is there, without noise."""
        return level + self.swing * math.sin(math.tau * elapsed_ms / 1000 / self.period_s)

    def draw_noise(self, seed: int, number: int) -> float:
        """Return the noise of one measurement, in standard deviations."""
        # Nothing is guarded by it: the same seed has to give the same values.
        return Random(f"{seed} {self.name} {number}").gauss(0, 1)  # noqa: S311

    def show(self, value: float) -> float:
        """Return what the sensor shows of a value: no more than it can, to two digits."""
        return round(min(max(value, self.low), self.high), 2)


SENSORS: Final = {
    sensor.name: sensor
    for sensor in (
        Sensor(
            name="temperature",
            unit="°C",
            description="Of the air in the chamber.",
            low=-40.0,
            high=85.0,
            level=22.0,
            swing=1.5,
            period_s=900.0,
            noise=0.15,
            bias=0.4,
            fault_size=8.0,
        ),
        Sensor(
            name="pressure",
            unit="hPa",
            description="Of the air, at the height of the chamber.",
            low=300.0,
            high=1100.0,
            level=1013.0,
            swing=2.0,
            period_s=2400.0,
            noise=0.3,
            bias=-0.8,
            fault_size=-15.0,
        ),
        Sensor(
            name="humidity",
            unit="%",
            description="Relative.",
            low=0.0,
            high=100.0,
            level=45.0,
            swing=4.0,
            period_s=1500.0,
            noise=0.6,
            bias=1.5,
            fault_size=25.0,
        ),
    )
}
