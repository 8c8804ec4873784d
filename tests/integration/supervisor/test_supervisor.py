"""Real processes under a supervisor: they come up in order, die, hang, flood, and stop."""

import asyncio
import errno
import os
import signal
from dataclasses import replace
from datetime import timedelta

import pytest

from core.clock import SystemClock
from infra.supervisor import children
from infra.supervisor.specs import (
    AlreadyRunningError,
    ProcessFailedError,
    ProcessSpec,
    ProcessState,
)
from infra.supervisor.states import find_running, locate_state, read_state
from infra.supervisor.supervisors import Supervisor
from tests.integration.supervisor.conftest import (
    QUICK,
    RUN_FOR_EVER,
    eventually,
    exists,
    find_record,
    identify,
    identify_pid,
    python,
)


async def test_a_process_is_started_when_what_it_needs_is_ready(supervisor, tmp_path):
    flag = tmp_path / "flag"
    first = asyncio.create_task(supervisor.start(python("db", RUN_FOR_EVER, exists(flag))))
    await eventually(lambda: "db" in [record.name for record in supervisor.record.processes])
    second = asyncio.create_task(supervisor.start(python("api", RUN_FOR_EVER, needs=("db",))))
    await eventually(lambda: find_record(supervisor, "db").pid)
    assert [record.name for record in supervisor.record.processes] == ["db"]
    flag.touch()
    await asyncio.gather(first, second)
    assert find_record(supervisor, "api").state is ProcessState.READY


async def test_a_process_is_not_started_when_what_it_needs_failed(supervisor, tmp_path):
    first = asyncio.create_task(
        supervisor.start(python("db", "import sys; sys.exit(1)", exists(tmp_path / "never")))
    )
    await eventually(lambda: supervisor.record.processes)
    with pytest.raises(ProcessFailedError, match="db ended"):
        await supervisor.start(python("api", RUN_FOR_EVER, needs=("db",)))
    with pytest.raises(ProcessFailedError):
        await first
    assert [record.name for record in supervisor.record.processes] == ["db"]


async def test_a_process_waits_again_for_what_it_needs(supervisor, tmp_path):
    flag = tmp_path / "flag"
    flag.touch()
    await supervisor.start(python("db", RUN_FOR_EVER, exists(flag)))
    await supervisor.start(python("api", RUN_FOR_EVER, needs=("db",)))
    flag.unlink()
    os.kill(identify(find_record(supervisor, "db")).pid, signal.SIGKILL)
    await eventually(lambda: find_record(supervisor, "db").restarts == 1)
    os.kill(identify(find_record(supervisor, "api")).pid, signal.SIGKILL)
    await eventually(lambda: find_record(supervisor, "api").restarts == 1)
    await eventually(lambda: find_record(supervisor, "db").pid)
    assert find_record(supervisor, "api").pid is None
    flag.touch()
    await eventually(lambda: find_record(supervisor, "api").state is ProcessState.READY)


async def test_a_process_that_is_killed_is_started_again_and_counted(supervisor, said):
    await supervisor.start(python("api", RUN_FOR_EVER))
    old = identify(find_record(supervisor, "api"))
    os.kill(old.pid, signal.SIGKILL)
    await eventually(lambda: find_record(supervisor, "api").restarts == 1)
    await eventually(lambda: find_record(supervisor, "api").state is ProcessState.READY)
    assert identify(find_record(supervisor, "api")) != old
    assert said[0] == "api was ended by SIGKILL; it starts again in 0.02 s"
    assert said[1].startswith("api is ready again (pid ")


async def test_a_process_that_was_ready_is_restarted_without_end(supervisor):
    await supervisor.start(python("api", "import time; time.sleep(0.05)"))
    await eventually(lambda: find_record(supervisor, "api").restarts > QUICK.early_deaths_max + 1)
    assert find_record(supervisor, "api").state is not ProcessState.FAILED


async def test_a_process_that_dies_at_once_is_given_up_with_its_last_words(supervisor, tmp_path):
    spec = python("api", "import sys; sys.exit('no such setting')", exists(tmp_path / "never"))
    with pytest.raises(ProcessFailedError, match="api ended with code 1") as caught:
        await supervisor.start(spec)
    assert caught.value.last_lines == ["no such setting"]
    await eventually(lambda: find_record(supervisor, "api").state is ProcessState.FAILED)


async def test_a_process_that_is_not_ready_in_time_is_stopped(supervisor, tmp_path):
    spec = replace(
        python("api", RUN_FOR_EVER, exists(tmp_path / "never")),
        ready_within=timedelta(seconds=0.2),
    )
    with pytest.raises(ProcessFailedError, match=r"was not ready within 0\.2 s"):
        await supervisor.start(spec)
    await eventually(lambda: find_record(supervisor, "api").pid is None)


async def test_a_program_that_does_not_exist_is_named(supervisor, tmp_path):
    spec = replace(python("api", "", exists(tmp_path / "never")), argv=("/no/such/program",))
    with pytest.raises(ProcessFailedError) as caught:
        await supervisor.start(spec)
    assert caught.value.last_lines == ["cannot start /no/such/program: No such file or directory"]


async def test_processes_stop_in_reverse_order_and_the_state_goes(tmp_path):
    said: list[str] = []
    async with Supervisor(tmp_path, clock=SystemClock(), report=said.append) as supervisor:
        for name in ("db", "api", "flow"):
            await supervisor.start(python(name, RUN_FOR_EVER))
        living = [identify(record) for record in supervisor.record.processes]
    assert said == ["flow stopped", "api stopped", "db stopped"]
    assert not any(identity.is_alive for identity in living)
    assert not locate_state(tmp_path).exists()


async def test_a_process_gets_its_own_stop_signal(supervisor, tmp_path):
    code = (
        "import signal, pathlib, sys\n"
        f"def stop(*_): pathlib.Path({str(tmp_path / 'word')!r}).write_text('bye'); sys.exit()\n"
        "signal.signal(signal.SIGINT, stop)\n"
        f"pathlib.Path({str(tmp_path / 'up')!r}).touch()\n"
        "signal.pause()"
    )
    spec = replace(python("db", code, exists(tmp_path / "up")), stop_signal=signal.SIGINT)
    await supervisor.start(spec)
    await supervisor.stop()
    assert (tmp_path / "word").read_text() == "bye"


async def test_a_process_that_hangs_at_its_stop_is_killed(supervisor, tmp_path, monkeypatch):
    monkeypatch.setattr(children, "STOP_DEADLINE", timedelta(seconds=0.3))
    code = (
        "import signal, pathlib\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(tmp_path / 'up')!r}).touch()\n"
        "while True: signal.pause()"
    )
    await supervisor.start(python("api", code, exists(tmp_path / "up")))
    identity = identify(find_record(supervisor, "api"))
    await supervisor.stop()
    assert not identity.is_alive
    assert find_record(supervisor, "api").state is ProcessState.STOPPED


async def test_the_helpers_of_a_process_go_with_it(supervisor, tmp_path):
    note = tmp_path / "helper"
    code = (
        "import subprocess, sys, pathlib, signal\n"
        f"helper = subprocess.Popen([sys.executable, '-S', '-c', {RUN_FOR_EVER!r}])\n"
        f"part = pathlib.Path({str(note)!r} + '.part'); part.write_text(str(helper.pid))\n"
        f"part.rename({str(note)!r})\n"
        "signal.pause()"
    )
    await supervisor.start(python("flow", code, exists(note)))
    helper = identify_pid(int(note.read_text()))
    os.kill(identify(find_record(supervisor, "flow")).pid, signal.SIGKILL)
    await eventually(lambda: not helper.is_alive)


async def test_output_is_logged_and_a_flood_stays_bounded(supervisor, tmp_path, monkeypatch):
    monkeypatch.setattr("infra.supervisor.supervisors.LOG_BYTES_MAX", 100_000)
    done = tmp_path / "done"
    code = (
        "import sys, pathlib, signal\n"
        "for n in range(200_000): print('line', n)\n"
        "print('the end', file=sys.stderr, flush=True); sys.stdout.flush()\n"
        f"pathlib.Path({str(done)!r}).touch(); signal.pause()"
    )
    await supervisor.start(python("flow", code, exists(done)))
    logs = tmp_path / "logs"
    await eventually(lambda: "line 199999" in (logs / "flow.log").read_text())
    sizes = [path.stat().st_size for path in logs.glob("flow.log*")]
    assert len(sizes) == 4
    assert max(sizes) <= 100_000


async def test_warnings_of_a_process_are_shown(supervisor, said):
    code = (
        "import signal, time; time.sleep(0.2)\n"
        'print(\'{"level": "info", "event": "quiet"}\')\n'
        'print(\'{"level": "warning", "event": "bus_slow", "shard": 3}\', flush=True)\n'
        "signal.pause()"
    )
    await supervisor.start(python("flow", code))
    await eventually(lambda: said)
    assert said == ["flow: warning: bus_slow shard=3"]


async def test_a_job_runs_to_its_end_and_its_failure_is_told(supervisor, tmp_path):
    await supervisor.run_job(python("migrate", f"open({str(tmp_path / 'x')!r}, 'w').close()"))
    assert (tmp_path / "x").exists()
    with pytest.raises(ProcessFailedError, match="migrate ended with code 3") as caught:
        await supervisor.run_job(python("migrate", "import sys; print('why'); sys.exit(3)"))
    assert caught.value.last_lines == ["why"]


async def test_the_environment_is_inherited_and_extended(supervisor, tmp_path, monkeypatch):
    monkeypatch.setenv("FROM_OUTSIDE", "kept")
    target = tmp_path / "env"
    code = (
        f"import os; open({str(target)!r}, 'w').write(os.environ['FROM_OUTSIDE'] + os.environ['X'])"
    )
    await supervisor.run_job(replace(python("job", code), env={"X": "+added"}))
    assert target.read_text() == "kept+added"


async def test_the_state_file_follows_what_happens(supervisor, tmp_path):
    supervisor.set_urls(api_url="http://a", database_url="postgresql://b", redis_url="redis://c")
    supervisor.add_external("redis", "REDIS_URL")
    await supervisor.start(python("api", RUN_FOR_EVER, needs=("redis",)))
    state = find_running(tmp_path)
    assert state is not None
    assert state == supervisor.record
    assert (state.pid, state.api_url) == (os.getpid(), "http://a")
    assert [(record.name, record.pid is None) for record in state.processes] == [
        ("redis", True),
        ("api", False),
    ]
    os.kill(identify(state.processes[1]).pid, signal.SIGKILL)
    await eventually(lambda: (new := read_state(tmp_path)) and new.processes[1].restarts == 1)


async def test_a_second_supervisor_of_a_folder_is_refused(supervisor, tmp_path):
    await supervisor.start(python("api", RUN_FOR_EVER))
    other = Supervisor(tmp_path, clock=SystemClock(), report=print)
    with pytest.raises(AlreadyRunningError):
        await other.__aenter__()
    assert identify(find_record(supervisor, "api")).is_alive


async def test_two_supervisors_of_two_folders_do_not_meet(supervisor, tmp_path):
    await supervisor.start(python("api", RUN_FOR_EVER))
    async with Supervisor(tmp_path / "b", clock=SystemClock(), report=print) as other:
        await other.start(python("api", RUN_FOR_EVER))
        there = identify(find_record(other, "api"))
        assert there != identify(find_record(supervisor, "api"))
    assert not there.is_alive
    assert identify(find_record(supervisor, "api")).is_alive


async def test_a_start_that_is_given_up_leaves_nothing(tmp_path):
    async with Supervisor(tmp_path, clock=SystemClock(), report=print) as supervisor:
        starting = asyncio.create_task(
            supervisor.start(python("api", RUN_FOR_EVER, exists(tmp_path / "never")))
        )
        await eventually(lambda: read_state(tmp_path) and supervisor.record.processes)
        await eventually(lambda: find_record(supervisor, "api").pid)
        identity = identify(find_record(supervisor, "api"))
        starting.cancel()
    assert not identity.is_alive
    with pytest.raises(asyncio.CancelledError):
        await starting


async def test_a_disk_that_is_full_ends_nothing(supervisor, said, monkeypatch):
    await supervisor.start(python("api", RUN_FOR_EVER))

    def refuse(_record: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("infra.supervisor.supervisors.write_state", refuse)
    os.kill(identify(find_record(supervisor, "api")).pid, signal.SIGKILL)
    await eventually(lambda: find_record(supervisor, "api").restarts == 1)
    await eventually(lambda: find_record(supervisor, "api").state is ProcessState.READY)
    assert "the state could not be written (No space left on device)" in said


async def test_a_start_that_the_system_refuses_is_tried_again(supervisor, said, monkeypatch):
    await supervisor.start(python("api", RUN_FOR_EVER))
    spawn = children._spawn
    refusals = iter((True, True, False))

    async def refuse_twice(spec: ProcessSpec, sink: int) -> asyncio.subprocess.Process:
        if next(refusals):
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
        return await spawn(spec, sink)

    monkeypatch.setattr(children, "_spawn", refuse_twice)
    os.kill(identify(find_record(supervisor, "api")).pid, signal.SIGKILL)
    await eventually(lambda: find_record(supervisor, "api").restarts == 3)
    await eventually(lambda: find_record(supervisor, "api").state is ProcessState.READY)
    assert any("could not be started (Resource temporarily unavailable)" in line for line in said)
