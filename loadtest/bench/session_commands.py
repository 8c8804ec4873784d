"""Session commands: how long a command takes from being asked for to having succeeded.

bench ─► POST …/commands ─► api ─► device, in a process of its own, by the SDK
bench ◄─ GET …?wait=30 ◄── api ◄── succeeded, and stored
"""

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final

import orjson

from api.ingest.readers import JSON_TYPE
from loadtest.bench.askable import Askable
from loadtest.bench.session_sides import Take, WrongAnswerError
from loadtest.bench.spreads import find_percentile
from streaming.devices.sdk import Device
from streaming.ingest.clients import ApiClient

DEVICE: Final = "bench_commands"
ROOT: Final = f"/api/v1/devices/{DEVICE}"


@dataclass(frozen=True, slots=True)
class Commanding:
    """So many at a time."""

    name: str
    label: str
    at_once: int
    count: int
    """For each of them."""


def be_device(url: str) -> None:
    """Be the device, in a process of its own: it says what it was told."""
    device = Device(DEVICE, url=url)

    @device.command("answer")
    async def answer(number: int) -> str:
        return str(number)

    # Declared by its use.
    del answer
    device.run()


@contextmanager
def attached(server: Askable) -> Iterator[None]:
    """Have the device connected for the length of a block."""
    starting = multiprocessing.get_context("spawn")
    device = starting.Process(target=be_device, args=(server.url,))
    device.start()
    try:
        server.wait_until_good(f"{ROOT}/command-templates")
        yield
    finally:
        device.terminate()
        device.join()


def measure_commands(server: Askable, count: int, at_once: int) -> Take:
    """Let so many senders send one after the other, each waiting for the end of its own."""
    before = server.process.read_cpu_seconds()
    started = time.perf_counter()
    with ThreadPoolExecutor(at_once) as senders:
        found = list(senders.map(lambda _: _send(server, count), range(at_once)))
    seconds = time.perf_counter() - started
    used = server.process.read_cpu_seconds() - before
    times = [each for sender in found for each in sender]
    return Take(
        len(times) / seconds,
        find_percentile(times, 50) * 1000,
        find_percentile(times, 99) * 1000,
        used / len(times) * 1000,
    )


def _send(server: Askable, count: int) -> list[float]:
    times: list[float] = []
    with closing(ApiClient(server.url)) as client:
        for number in range(count):
            body = orjson.dumps({"command": "answer", "parameters": {"number": number}})
            started = time.perf_counter()
            queued = client.request("POST", f"{ROOT}/commands", body, {"Content-Type": JSON_TYPE})
            if queued.status != 202:
                raise WrongAnswerError(f"{queued.status}: {queued.excerpt}")
            command_id = orjson.loads(queued.body)["command_id"]
            ended = client.request("GET", f"{ROOT}/commands/{command_id}?wait=30", None, {})
            times.append(time.perf_counter() - started)
            told = orjson.loads(ended.body)
            if told["state"] != "succeeded" or told["message"] != str(number):
                raise WrongAnswerError(f"{ended.status}: {ended.excerpt}")
    return times
