"""Processes that a dead supervisor left: stopped when they are surely its own, and only then."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.supervisor import leftovers
from infra.supervisor.identities import find_created_s
from infra.supervisor.leftovers import stop_leftovers
from infra.supervisor.specs import ProcessState
from infra.supervisor.states import ProcessRecord, SupervisorRecord

NOW = datetime(2026, 1, 26, 10, 32, tzinfo=UTC)

STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('up', flush=True)\n"
    "while True: signal.pause()"
)


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-S", "-c", STUBBORN], stdout=subprocess.PIPE, start_new_session=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"up\n"
        yield running
        running.kill()


def _record(process: subprocess.Popen[bytes], *, older_s: float) -> SupervisorRecord:
    created_s = find_created_s(process.pid)
    assert created_s is not None
    api = ProcessRecord("api", process.pid, created_s - older_s, ProcessState.READY, 0, NOW, "here")
    # A supervisor with a pid that is in use, by another process.
    return SupervisorRecord(process.pid, 1.0, "", "", "", Path("/none"), NOW, (api,))


def test_a_leftover_that_ignores_its_signal_is_killed(process, monkeypatch):
    monkeypatch.setattr(leftovers, "STOP_DEADLINE", timedelta(seconds=0.2))
    said: list[str] = []
    stop_leftovers(_record(process, older_s=0), said.append)
    assert process.wait() == -9
    assert said == [f"stopping api (pid {process.pid}), left by a supervisor that died"]


def test_a_process_that_only_got_the_pid_is_left_alone(process):
    said: list[str] = []
    stop_leftovers(_record(process, older_s=1000), said.append)
    assert process.poll() is None
    assert said == []


def test_nothing_is_done_without_a_state_file():
    said: list[str] = []
    stop_leftovers(None, said.append)
    assert said == []
