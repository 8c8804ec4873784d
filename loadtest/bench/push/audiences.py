"""Audiences: receivers as the measurement sees them."""

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.services.ports import LOOPBACK
from loadtest.bench.processes import Process, run_process

CONNECT_S_MAX: Final = 120
REPORT_S_MAX: Final = 30


@dataclass(frozen=True, slots=True)
class Door:
    """Where receivers connect."""

    port: int
    host: str = LOOPBACK
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """How many sockets over how many streams."""

    sockets: int
    streams: int
    buffer_bytes: int = 0
    """How much the system may hold for a socket; 0 leaves it to the system."""


class Audience:
    """A process with sockets."""

    def __init__(self, process: Process, sockets: int) -> None:
        self.process = process
        self.sockets = sockets

    def report(self) -> dict[str, Any]:
        """Return what came since the last report."""
        before = len(self.process.list_events("reported"))
        self.process.meter.send_signal(signal.SIGUSR1)
        self.process.wait_until(
            lambda: len(self.process.list_events("reported")) > before, REPORT_S_MAX
        )
        return self.process.list_events("reported")[-1]

    def freeze(self) -> None:
        """Read nothing more, and keep every socket open."""
        self.process.meter.suspend()

    def kill(self) -> None:
        """End as a crash does; the system closes the sockets."""
        self.process.stop(signal.SIGKILL)


@contextmanager
def gather_audience(
    name: str, door: Door, plan: Plan, folder: Path, before: Sequence[str] = ()
) -> Iterator[Audience]:
    """Run receivers until a block ends; each of them is served by then. ``before`` is a wrapper."""
    argv = [*before, sys.executable, "-m", "loadtest.bench.push.receivers"]
    argv += ["--host", door.host, "--port", str(door.port)]
    argv += ["--sockets", str(plan.sockets), "--streams", str(plan.streams)]
    argv += ["--buffer-bytes", str(plan.buffer_bytes), *(["--plain"] if door.is_plain else [])]
    # Also one that is frozen must end.
    with run_process(name, argv, folder, {}, signal.SIGKILL) as process:
        process.wait_until(lambda: bool(process.list_events("connected")), CONNECT_S_MAX)
        yield Audience(process, plan.sockets)
