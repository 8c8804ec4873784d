"""Devices: a climate behind the SDK, which speaks to the server as any other device does."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import structlog

from core.clock import Clock
from core.times import EPOCH
from streaming.devices.sdk import Command, Device
from streaming.devices.simulated.climates import INTERVAL_S_MAX, INTERVAL_S_MIN, Climate
from streaming.devices.simulated.faults import SECONDS_MAX, SECONDS_MIN, FaultKind, make_fault
from streaming.devices.simulated.labels import LabelFile
from streaming.devices.simulated.sensors import SENSORS

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

SensorName = Literal["temperature", "pressure", "humidity"]


@dataclass(slots=True)
class SimulatedDevice:
    """Measures, and does as it is told."""

    device: Device
    climate: Climate
    clock: Clock
    labels: LabelFile | None = None
    _hurry: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        """Declare what is measured and what can be done."""
        for sensor in SENSORS.values():
            self.device.telemetry(
                sensor.name,
                sensor.unit,
                "float",
                min=sensor.low,
                max=sensor.high,
                description=sensor.description,
            )
        self.device.telemetry(
            "system_status",
            None,
            "string",
            enum=["operational", "calibrating"],
            description="What the device says of itself.",
        )
        self._declare_commands()
        self._declare_faults()

    async def measure(self) -> None:
        """Measure again and again until cancelled; then write down what is not over."""
        try:
            while True:
                self._measure_once()
                self._hurry.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), self.climate.interval_s)
        finally:
            self.climate.clear_faults(self.clock.now_ms())
            self._write_labels()

    def _measure_once(self) -> None:
        now_ms = self.clock.now_ms()
        at = EPOCH + timedelta(milliseconds=now_ms)
        for name, value in self.climate.measure(now_ms).items():
            self.device.post(name, value, at)
        self.device.post("system_status", self.climate.status, at)
        self._write_labels()

    def _declare_commands(self) -> None:
        command = self.device.command
        limits = {"min": INTERVAL_S_MIN, "max": INTERVAL_S_MAX, "description": "Seconds."}
        command("set_update_interval", parameters={"interval": limits}, timeout_seconds=10)(
            self._set_update_interval
        )
        command("reset_sensors", timeout_seconds=10)(self._reset_sensors)
        command("set_sensor_value", timeout_seconds=10)(self._set_sensor_value)
        command("get_status", timeout_seconds=10)(self._get_status)
        command(
            "calibrate_sensors",
            parameters={"duration": {"min": 1, "max": 30, "description": "Seconds."}},
            timeout_seconds=60,
        )(self._calibrate_sensors)

    def _declare_faults(self) -> None:
        lasts = {"min": SECONDS_MIN, "max": SECONDS_MAX, "description": "How long it lasts."}
        size = {"type": "float", "description": "By how much; as its sensor says when left out."}
        self.device.command(
            "inject_fault", parameters={"seconds": lasts, "size": size}, timeout_seconds=10
        )(self._inject_fault)
        self.device.command("clear_faults", timeout_seconds=10)(self._clear_faults)

    async def _set_update_interval(self, interval: float) -> str:
        """Measure so often."""
        self.climate.interval_s = interval
        self._hurry.set()
        return f"measures every {interval:g} s"

    async def _reset_sensors(self) -> str:
        """Put every sensor back to where it began, and end what is wrong with it."""
        self.climate.reset(self.clock.now_ms())
        self._hurry.set()
        return "sensors are as they began"

    async def _set_sensor_value(self, sensor: SensorName, value: float) -> str:
        """Let a sensor go on from a value."""
        self.climate.set_value(sensor, value, self.clock.now_ms())
        self._hurry.set()
        return f"{sensor} goes on from {value:g} {SENSORS[sensor].unit}"

    async def _get_status(self) -> dict[str, object]:
        """Say how it is."""
        return self.climate.describe()

    async def _calibrate_sensors(self, command: Command, duration: float = 5.0) -> dict[str, float]:
        """Find out by how much each sensor is off, and put it right."""
        self.climate.is_calibrating = True
        self._hurry.set()
        try:
            left_s = duration
            while left_s > 0:
                command.progress(f"calibrating, {left_s:g} s left", done=1 - left_s / duration)
                await asyncio.sleep(min(left_s, 1.0))
                left_s -= 1.0
            return self.climate.calibrate()
        finally:
            self.climate.is_calibrating = False
            self._hurry.set()

    async def _inject_fault(
        self, kind: FaultKind, sensor: SensorName, seconds: float = 60.0, size: float | None = None
    ) -> str:
        """Let a sensor go wrong; the truth about it is written down."""
        fault = make_fault(kind, SENSORS[sensor], self.clock.now_ms(), seconds, size)
        self.climate.inject(fault)
        self._hurry.set()
        return f"{kind} of {sensor} for {seconds:g} s"

    async def _clear_faults(self) -> str:
        """End what is wrong with sensors."""
        cleared = self.climate.clear_faults(self.clock.now_ms())
        self._hurry.set()
        return f"{cleared} faults cleared"

    def _write_labels(self) -> None:
        over = self.climate.take_over()
        for fault in over:
            log.info("fault_over", kind=fault.kind, sensor=fault.sensor.name)
        if self.labels:
            self.labels.write(over)
