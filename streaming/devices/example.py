"""An example: an oven with a thermometer. ``python example.py URL KEY``."""

import asyncio
import sys

from streaming.devices.sdk import Command, Device  # With a copy beside it: from sdk import …

device = Device("oven_1", url=sys.argv[1], api_key=sys.argv[2], title="Oven 1")
device.telemetry("temperature", "°C", "float", min=0, max=300)
oven = {"temperature": 20.0, "target": 20.0}


@device.command("heat", parameters={"celsius": {"min": 20, "max": 250}}, timeout_seconds=120)
async def heat(command: Command, celsius: float) -> str:
    """Heat or cool down to a temperature."""
    oven["target"] = celsius
    while abs(oven["temperature"] - celsius) > 1:
        await asyncio.sleep(0.5)
        command.progress(f"{oven['temperature']:.0f} °C")
    return f"reached {celsius} °C"


async def _measure() -> None:
    while True:
        await device.send("temperature", round(oven["temperature"], 2))
        await asyncio.sleep(0.5)
        oven["temperature"] += (oven["target"] - oven["temperature"]) / 4


device.run(_measure)  # Beside the commands, until Ctrl-C.
