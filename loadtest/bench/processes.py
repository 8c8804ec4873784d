"""Processes: programs that a measurement starts, waits for, looks into and stops.

Each dies with this process and is stopped by the id it was started with.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import orjson
import psutil

from core.settings import REPOSITORY
from infra.supervisor.children import WRAPPER
from infra.supervisor.environments import extend_environment

STOP_S_MAX: Final = 30
POLL_S: Final = 0.02


def follow_us(argv: Sequence[str]) -> list[str]:
    """Return what starts a program so that it is killed when this process dies."""
    wrapper = [sys.executable, "-I", "-S", str(WRAPPER), str(os.getpid())]
    return [*wrapper, str(int(signal.SIGKILL)), *argv]


class ProcessEndedError(Exception):
    """A process ended, or did not do in time what was waited for; the text has its last lines."""


class Process:
    """A program whose output goes to a file."""

    def __init__(
        self, name: str, argv: Sequence[str], log: Path, environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                follow_us(argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=REPOSITORY,
                env=extend_environment(environment),
            )
        self.meter = psutil.Process(self._process.pid)
        """Asks the system what the process uses."""

    def read_cpu_seconds(self) -> float:
        """Return the seconds of processor time it has used."""
        times = self.meter.cpu_times()
        return float(times.user + times.system)

    def read_resident_bytes(self) -> int:
        """Return how much memory it holds."""
        return int(self.meter.memory_info().rss)

    def list_events(self, name: str) -> list[dict[str, object]]:
        """Return the lines of its JSON log that tell of one kind of event."""
        # What follows the last line break is not yet a whole line.
        whole = self.log.read_bytes().split(b"\n")[:-1]
        lines = [line for line in whole if name.encode() in line]
        return [event for line in lines if (event := orjson.loads(line))["event"] == name]

    def wait_until(self, holds: Callable[[], bool], within_s: float) -> None:
        """Return when a condition holds.

        Raises:
            ProcessEndedError: The process ended first, or it took too long.
        """
        deadline = time.monotonic() + within_s
        while not holds():
            if self._process.poll() is not None:
                raise ProcessEndedError(f"{self.name} ended: {self._read_end()}")
            if time.monotonic() > deadline:
                raise ProcessEndedError(f"{self.name} took over {within_s} s: {self._read_end()}")
            time.sleep(POLL_S)

    def stop(self, stop_signal: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait until it has gone."""
        self._process.send_signal(stop_signal)
        try:
            self._process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read_end(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


@contextmanager
def run_process(
    name: str,
    argv: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    stop_signal: signal.Signals = signal.SIGTERM,
) -> Iterator[Process]:
    """Run a program for the length of a block."""
    process = Process(name, argv, folder / f"{name}.log", environment)
    try:
        yield process
    finally:
        process.stop(stop_signal)
