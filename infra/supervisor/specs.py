"""Specs: what the supervisor is told about a process, and the words it uses about one.

starting -> ready -> backing_off -> starting …     stopped: on request     failed: never came up
"""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from core.errors import TelemetraError

STOP_DEADLINE: Final = timedelta(seconds=10)
"""How long a process may take to stop before it is killed."""

Report = Callable[[str], None]
"""Takes one line for people."""


class ProcessState(StrEnum):
    """Where a supervised process stands."""

    STARTING = "starting"
    READY = "ready"
    BACKING_OFF = "backing_off"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process to keep alive."""

    name: str
    argv: tuple[str, ...]
    ready: Callable[[], Awaitable[bool]]
    """Whether it does its work; asked again and again, and may raise ``OSError`` for no."""

    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Added to the supervisor's own environment; holds secrets."""

    cwd: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    """What the kernel sends it when the supervisor itself is killed."""

    needs: tuple[str, ...] = ()
    """Names of the processes that must be ready before it starts, each time."""

    ready_within: timedelta = timedelta(seconds=60)
    origin: str = "this installation"


class ProcessFailedError(TelemetraError):
    """A process did not come up."""

    code = "process_failed"
    title = "A process did not start"

    def __init__(self, detail: str, *, log: Path, last_lines: list[str]) -> None:
        super().__init__(detail)
        self.log = log
        self.last_lines = last_lines


class AlreadyRunningError(TelemetraError):
    """Another supervisor owns the data folder."""

    status = 409
    code = "already_running"
    title = "Telemetra runs already"


def describe_exit(code: int) -> str:
    """Say in words how a process ended."""
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
