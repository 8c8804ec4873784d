"""Detached: a supervisor in a session of its own, and the caller that waits until it is ready.

telemetra up --detach --spawn--> telemetra up --foreground-child FD
                      <--StepEvents through a pipe--
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from core.clock import SystemClock
from core.errors import TelemetraError
from core.settings import REPOSITORY, Settings
from infra.cli.foregrounds import watch_over
from infra.cli.stacks import StackOptions
from infra.cli.steps import PipeRenderer, Renderer, StepEvent, Steps, parse_event
from infra.supervisor.logs import RotatingLog
from infra.supervisor.specs import ProcessFailedError
from infra.supervisor.states import SupervisorRecord


def start_detached(settings: Settings, flags: Sequence[str], renderer: Renderer) -> None:
    """Start a supervisor that outlives this process, and return when all is ready.

    Raises:
        ProcessFailedError: It did not come up; carries the last lines of what failed.
    """
    log = _locate_log(settings)
    log.parent.mkdir(parents=True, exist_ok=True)
    source, sink = os.pipe()
    with log.open("ab") as output:
        process = subprocess.Popen(
            (sys.executable, "-m", "infra.cli", "up", *flags, f"--foreground-child={sink}"),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=REPOSITORY,
            pass_fds=(sink,),
            start_new_session=True,
        )
    os.close(sink)
    try:
        outcome = _follow(source, renderer)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise
    if outcome.kind == "error":
        process.wait()
        raise ProcessFailedError(outcome.text, log=log, last_lines=list(outcome.lines))
    # It goes on without us, and is no zombie of ours: we end first.
    process.returncode = 0


def run_detached(settings: Settings, options: StackOptions, sink: int) -> bool:
    """Be the supervisor that the caller waits for; return whether everything came up."""
    clock = SystemClock()
    pipe = PipeRenderer(sink)
    log = RotatingLog(_locate_log(settings))

    def say(line: str) -> None:
        log.write(f"{clock.now().isoformat(timespec='seconds')} {line}\n".encode())
        pipe.show(StepEvent("note", line))

    def announce(record: SupervisorRecord) -> None:
        pipe.show(StepEvent("ready", record.api_url))
        pipe.close()

    try:
        return asyncio.run(
            watch_over(settings, options, steps=Steps(pipe), announce=announce, say=say)
        )
    except TelemetraError as error:
        lines = tuple(error.last_lines) if isinstance(error, ProcessFailedError) else ()
        pipe.show(StepEvent("error", error.detail, lines=lines))
        say(error.detail)
        return False
    finally:
        pipe.close()
        log.close()


def _follow(source: int, renderer: Renderer) -> StepEvent:
    """Show what comes through the pipe, and return how it ended."""
    with open(source, "rb", buffering=0) as pipe:
        for line in pipe:
            event = parse_event(line)
            if event.kind in {"ready", "error"}:
                return event
            renderer.show(event)
    return StepEvent("error", "The supervisor ended before everything was ready.")


def _locate_log(settings: Settings) -> Path:
    return settings.data_dir / "logs" / "supervisor.log"
