"""Meters: how much processor time processes use while a run goes on, generators and servers.

A thread asks the system twice a second. A process counts with all it has started, as PostgreSQL
does for each connection; by what moment is told by the monotonic clock, so that the part of a run
that counts can be cut out afterwards.
"""

import threading
import time
from collections.abc import Mapping, Sequence
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
        for process in _list_families([root])[0]:
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
            roots = tuple(self._roots)
            families = _list_families([root for _, root in roots])
            for (name, _), family in zip(roots, families, strict=True):
                cores = self._read_new(family) / (now_s - last_s)
                self.samples.append(Sample(name, last_s, now_s, cores))
            last_s = now_s

    def _read_new(self, family: Sequence[psutil.Process]) -> float:
        """Return the processor seconds that a family used since this was last asked."""
        new_s = 0.0
        for process in family:
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


def _list_families(roots: Sequence[psutil.Process]) -> list[list[psutil.Process]]:
    """Return each process with all it has started, after one look at all that run."""
    children: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter(["ppid"]):
        children.setdefault(process.info["ppid"], []).append(process)
    return [_gather(root, children) if root.is_running() else [] for root in roots]


def _gather(
    root: psutil.Process, children: Mapping[int, Sequence[psutil.Process]]
) -> list[psutil.Process]:
    family = [root]
    for process in family:
        family += children.get(process.pid, ())
    return family


def _read_cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0
    return float(times.user + times.system)
