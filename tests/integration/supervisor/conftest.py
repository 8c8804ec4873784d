"""What the supervisor's tests share: a data folder, small real programs, and a way to wait."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from core.clock import SystemClock
from infra.supervisor.identities import ProcessIdentity, find_created_s
from infra.supervisor.restarts import RestartPolicy
from infra.supervisor.specs import ProcessSpec
from infra.supervisor.states import ProcessRecord
from infra.supervisor.supervisors import Supervisor

QUICK = RestartPolicy(delay_first=timedelta(milliseconds=20), delay_max=timedelta(milliseconds=80))

RUN_FOR_EVER = "import signal; signal.pause()"


async def eventually(condition: Callable[[], object], within_s: float = 20) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - other processes set no event.
            await asyncio.sleep(0.01)


async def is_ready_at_once() -> bool:
    """Answer for processes that need no time."""
    return True


def python(
    name: str,
    code: str,
    ready: Callable[[], Awaitable[bool]] = is_ready_at_once,
    needs: tuple[str, ...] = (),
) -> ProcessSpec:
    """Describe a process that runs a piece of Python."""
    return ProcessSpec(name, (sys.executable, "-S", "-c", code), ready, needs=needs)


def exists(path: Path) -> Callable[[], Awaitable[bool]]:
    """Make a process ready when it has written a file."""

    async def is_there() -> bool:
        return path.exists()  # noqa: ASYNC240 - a look at the disk, no wait.

    return is_there


def identify(record: ProcessRecord) -> ProcessIdentity:
    """Return the process of a record that has one."""
    assert record.identity is not None
    return record.identity


def identify_pid(pid: int) -> ProcessIdentity:
    """Return the process that has this pid now."""
    created_s = find_created_s(pid)
    assert created_s is not None
    return ProcessIdentity(pid, created_s)


def find_record(supervisor: Supervisor, name: str) -> ProcessRecord:
    """Return what the supervisor says of one process."""
    return next(record for record in supervisor.record.processes if record.name == name)


@pytest.fixture
async def said() -> list[str]:
    """Hold what the supervisor reports."""
    return []


@pytest.fixture
async def supervisor(tmp_path: Path, said: list[str]) -> AsyncIterator[Supervisor]:
    """Run a supervisor that restarts quickly."""
    one = Supervisor(tmp_path, clock=SystemClock(), report=said.append, policy=QUICK)
    async with one as running:
        yield running
