"""Devices: how long a value takes from a device to every client that watches.

    python -m loadtest.bench.devices

    10 devices of 100 values/s ─► api ─► 50 clients, each of which watches all of them
                                  └──► and one that never reads, in the second round

The devices speak through the SDK, in a process of their own, and give each value the time at which
they hand it over; a client takes the time when it has the message. So the 50 ms for which the SDK
lets values gather are part of the delay. Every ``SAMPLE``-th message of a client is looked at.
"""

import argparse
import asyncio
import multiprocessing
import sys
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import orjson
from websockets.asyncio.client import ClientConnection, connect

from core.clock import SystemClock
from loadtest.bench.askable import Askable, start_ours
from loadtest.bench.delay import Delays
from loadtest.bench.folders import RESULTS, find_bench_folder
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.servers import run_servers
from loadtest.bench.tables import write_table
from streaming.devices.sdk import Device

DEVICES: Final = 10
RATE: Final = 100
"""Values a second of each device."""

CLIENTS: Final = 50
SECONDS: Final = 30.0
SAMPLE: Final = 10
VALUES: Final = 10
"""Different ids of a device, measured one after the other."""

READY: Final = "/readyz"
WARM_S: Final = 3.0
"""What is sent before is not counted: connections are made, and code is run the first time."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round found."""

    has_stalled: bool
    """Whether a client was there that never reads."""

    delays: Delays
    messages: int
    """That all clients together were told."""

    skipped: int
    """Values that were replaced by newer ones for a client that was slow."""


@dataclass(slots=True)
class _Watcher:
    """What one client saw."""

    delays: list[float]
    messages: int = 0
    skipped: int = 0


def send_values(url: str, seconds: float) -> None:
    """Be all the devices, in a process of its own."""

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(DEVICES):
                group.create_task(_be_device(url, number, seconds))

    asyncio.run(run())


async def _be_device(url: str, number: int, seconds: float) -> None:
    device = Device(f"bench_{number}", url=url)
    for value in range(VALUES):
        device.telemetry(f"value_{value}", "V", "float")

    async def measure() -> None:
        await device.connected.wait()
        loop = asyncio.get_running_loop()
        began = loop.time()
        for count in range(round(seconds * RATE)):
            await device.send(f"value_{count % VALUES}", count)
            await asyncio.sleep(max(0.0, began + (count + 1) / RATE - loop.time()))
        serving.cancel()

    serving = asyncio.ensure_future(device.serve(measure))
    with suppress(asyncio.CancelledError):
        await serving


def measure_devices(seconds: float) -> list[Round]:
    """Start everything, and measure without and with a client that never reads."""
    with run_servers(find_bench_folder()) as servers, ExitStack() as stack:
        api = start_ours(servers, stack, "api", None)
        api.wait_until_good(READY)
        return [asyncio.run(_run_round(api, seconds, has_stalled=each)) for each in (False, True)]


async def _run_round(api: Askable, seconds: float, *, has_stalled: bool) -> Round:
    address = f"ws{api.url.removeprefix('http')}/ws/devices"
    starting = multiprocessing.get_context("spawn")
    devices = starting.Process(target=send_values, args=(api.url, seconds + WARM_S))
    watchers = [_Watcher([]) for _ in range(CLIENTS)]
    async with AsyncExitStack() as stack:
        # It reads what its buffers take, and then nothing.
        stalled = [
            await stack.enter_async_context(connect(address, max_queue=1, proxy=None))
            for _ in range(has_stalled)
        ]
        sockets = [await stack.enter_async_context(connect(address, proxy=None)) for _ in watchers]
        devices.start()
        try:
            begins = asyncio.get_running_loop().time() + WARM_S
            async with asyncio.timeout(seconds + WARM_S):
                await asyncio.gather(
                    *(
                        _watch(socket, watcher, begins)
                        for socket, watcher in zip(sockets, watchers, strict=True)
                    )
                )
        except TimeoutError:
            pass
        finally:
            # Who reads no more hears no farewell either, and would wait for it.
            for socket in (*stalled, *sockets):
                socket.transport.abort()
            await asyncio.to_thread(devices.join)
    delays = [delay for watcher in watchers for delay in watcher.delays]
    return Round(
        has_stalled,
        Delays.of(delays),
        sum(watcher.messages for watcher in watchers),
        sum(watcher.skipped for watcher in watchers),
    )


async def _watch(socket: ClientConnection, watcher: _Watcher, begins: float) -> None:
    clock, loop = SystemClock(), asyncio.get_running_loop()
    async for text in socket:
        if loop.time() < begins:
            continue
        watcher.messages += 1
        if watcher.messages % SAMPLE and '"dropped"' not in text[:40]:
            continue
        now = clock.now()
        message = orjson.loads(text)
        if message["type"] == "data":
            watcher.delays.append(
                (now - datetime.fromisoformat(message["timestamp"])).total_seconds()
            )
        elif message["type"] == "dropped":
            watcher.skipped += int(message["count"])


def write_found(found: list[Round]) -> str:
    """Return the table."""
    rows = [
        [
            "and one that never reads" if each.has_stalled else "all read",
            f"{each.messages:,}",
            f"{each.delays.p50_ms:.1f} ms",
            f"{each.delays.p99_ms:.1f} ms",
            f"{each.delays.most_ms:.1f} ms",
            f"{each.skipped:,}",
        ]
        for each in found
    ]
    return write_table(["clients", "messages", "p50", "p99", "most", "skipped"], rows)


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.devices")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="a round (%(default)s)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results go")
    options = parser.parse_args()
    found = measure_devices(options.seconds)
    measurement = Measurement(
        name="devices",
        title="Devices",
        text=(
            f"{DEVICES} devices with {RATE} values a second each, {CLIENTS} clients that watch all"
            f" of them, {options.seconds:g} s: from when a device hands a value over to when a"
            " client has it."
        ),
        table=write_found(found),
        found=found,
    )
    sys.stdout.write(save_measurement(measurement, options.results))


if __name__ == "__main__":
    main()
