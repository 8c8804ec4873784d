"""Meters: how much processor time processes use while a run goes on, generators and servers.

A thread asks the system twice a second. A process counts with all it has started, as PostgreSQL
does for each connection; by what moment is told by the monotonic clock, so that the part of a run
that counts can be cut out afterwards.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import psutil

SAMPLE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Sample:
    """Cores that a process used over a while."""

    name: str
    from_s: float
    to_s: float
    cores: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process used during a run, in cores."""

    name: str
    mean: float
    most: float
    """In any half second."""


class Meter:
    """Watches processes by their ids."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self._roots: list[tuple[str, psutil.Process]] = []
        self._used: dict[int, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def add(self, name: str, pid: int) -> None:
        """Watch a process; one that has gone already is left out."""
        try:
            root = psutil.Process(pid)
        except psutil.NoSuchProcess:
            return
        for process in _list_family(root):
            self._used[process.pid] = _read_cpu_s(process)
        self._roots.append((name, root))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        last_s = time.monotonic()
        while not self._ended.wait(SAMPLE_S):
            now_s = time.monotonic()
            for name, root in tuple(self._roots):
                cores = self._read_new(root) / (now_s - last_s)
                self.samples.append(Sample(name, last_s, now_s, cores))
            last_s = now_s

    def _read_new(self, root: psutil.Process) -> float:
        """Return the processor seconds that a family used since this was last asked."""
        new_s = 0.0
        for process in _list_family(root):
            used_s = _read_cpu_s(process)
            new_s += max(used_s - self._used.get(process.pid, 0.0), 0.0)
            self._used[process.pid] = used_s
        return new_s


def sum_up(samples: Sequence[Sample], from_s: float, to_s: float) -> list[Usage]:
    """Return what each process used between two moments, in the order they were added."""
    inside: dict[str, list[Sample]] = {}
    for sample in samples:
        if sample.from_s >= from_s and sample.to_s <= to_s:
            inside.setdefault(sample.name, []).append(sample)
    return [
        Usage(
            name,
            mean=sum(one.cores * (one.to_s - one.from_s) for one in found)
            / sum(one.to_s - one.from_s for one in found),
            most=max(one.cores for one in found),
        )
        for name, found in inside.items()
    ]


def _list_family(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _read_cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0
    return float(times.user + times.system)
