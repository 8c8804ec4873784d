"""A supervisor that is killed takes its children along, or the next one stops them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.settings import REPOSITORY
from infra.supervisor.identities import ProcessIdentity
from infra.supervisor.specs import ProcessState
from infra.supervisor.states import SupervisorRecord, find_running, read_state
from infra.supervisor.supervisors import Supervisor
from tests.integration.supervisor.conftest import eventually, identify, is_ready_at_once

PROGRAM = """
import asyncio, json, signal, sys
from pathlib import Path
from core.clock import SystemClock
from infra.supervisor.specs import ProcessSpec
from infra.supervisor.supervisors import Supervisor

async def is_ready():
    return True

async def main():
    data_dir, death_signal, argv = Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    async with Supervisor(data_dir, clock=SystemClock(), report=print) as supervisor:
        for name in ("db", "api"):
            await supervisor.start(
                ProcessSpec(
                    name, tuple(argv), is_ready, death_signal=signal.Signals(death_signal)
                )
            )
        await asyncio.Event().wait()

asyncio.run(main())
"""

PATIENT = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: signal.pause()"

StartSupervisor = Callable[..., subprocess.Popen[bytes]]

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells of a parent's end"
)


@pytest.fixture
def start_supervisor(tmp_path: Path) -> Iterator[StartSupervisor]:
    """Start a supervisor in a process of its own, so that it can be killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start(
        death_signal: signal.Signals, *argv: str, data_dir: Path = tmp_path
    ) -> subprocess.Popen[bytes]:
        arguments = (str(data_dir), str(int(death_signal)), json.dumps(argv))
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], cwd=REPOSITORY)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


async def _wait_until_ready(data_dir: Path) -> SupervisorRecord:
    def is_ready() -> bool:
        state = find_running(data_dir)
        return state is not None and [record.state for record in state.processes] == [
            ProcessState.READY,
            ProcessState.READY,
        ]

    await eventually(is_ready)
    state = read_state(data_dir)
    assert state is not None
    return state


def _name(identity: ProcessIdentity) -> str:
    """Return the program that a process has become."""
    return Path(f"/proc/{identity.pid}/comm").read_text().strip()


def _list_identities(state: SupervisorRecord) -> list[ProcessIdentity]:
    return [identify(record) for record in state.processes]


async def test_children_die_with_a_supervisor_that_is_killed(start_supervisor, tmp_path):
    supervisor = start_supervisor(signal.SIGKILL, sys.executable, "-S", "-c", PATIENT)
    children = _list_identities(await _wait_until_ready(tmp_path))
    supervisor.kill()
    supervisor.wait()
    await eventually(lambda: not any(child.is_alive for child in children))
    assert find_running(tmp_path) is None


async def test_children_that_outlive_it_are_stopped_at_the_next_start(start_supervisor, tmp_path):
    # They ignore the signal of its death, as would a server that has changed its user.
    supervisor = start_supervisor(signal.SIGCONT, "sleep", "1000")
    children = _list_identities(await _wait_until_ready(tmp_path))
    await eventually(lambda: [_name(child) for child in children] == ["sleep", "sleep"])
    supervisor.kill()
    supervisor.wait()
    assert all(child.is_alive for child in children)
    said: list[str] = []
    async with Supervisor(tmp_path, clock=SystemClock(), report=said.append) as following:
        assert not any(child.is_alive for child in children)
        assert following.record.processes == ()
    api_line = f"stopping api (pid {children[1].pid}), left by a supervisor that died"
    assert said[0] == api_line
    assert len(said) == 2


async def test_the_death_of_one_supervisor_leaves_another_folder_alone(start_supervisor, tmp_path):
    folders = [tmp_path / name for name in ("a", "b")]
    first, _ = (
        start_supervisor(signal.SIGKILL, "sleep", "1000", data_dir=folder) for folder in folders
    )
    here, there = [_list_identities(await _wait_until_ready(folder)) for folder in folders]
    first.kill()
    first.wait()
    await eventually(lambda: not any(child.is_alive for child in here))
    assert all(child.is_alive for child in there)


async def test_the_folder_is_free_again_after_a_kill(start_supervisor, tmp_path):
    supervisor = start_supervisor(signal.SIGKILL, "sleep", "1000")
    await _wait_until_ready(tmp_path)
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.wait()
    async with Supervisor(tmp_path, clock=SystemClock(), report=print):
        assert await is_ready_at_once()
