"""Children: one running process, from spawn to the last line of its output.

Each has its own session, so that Ctrl-C reaches the supervisor alone and a kill reaches
all of its helpers.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from infra.supervisor.environments import extend_environment
from infra.supervisor.logs import LogPipe, RotatingLog
from infra.supervisor.specs import STOP_DEADLINE, ProcessSpec

WRAPPER: Final = Path(__file__).with_name("child.py")

OUTPUT_GRACE: Final = timedelta(seconds=1)
"""How long the last output may take after the end; a stray helper could hold the pipe for ever."""


class Child:
    """A process that runs, or has ended."""

    def __init__(self, process: asyncio.subprocess.Process, output: LogPipe) -> None:
        self._process = process
        self._output = output
        self.pid = process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it is known to have ended."""
        return self._process.returncode is not None

    async def wait(self) -> int:
        """Wait for its end and return its code, negative for a signal."""
        return await self._process.wait()

    async def ends_within(self, limit: timedelta) -> bool:
        """Wait for its end, but no longer than this."""
        return await _finishes(self._process.wait(), limit)

    async def stop(self, stop_signal: signal.Signals) -> None:
        """Ask it to stop, kill it at the deadline, and leave none of its helpers behind."""
        if not self.has_ended:
            with suppress(ProcessLookupError):
                self._process.send_signal(stop_signal)
            if not await self.ends_within(STOP_DEADLINE):
                self._kill_group()
                await self._process.wait()
        self._kill_group()
        await _finishes(self._output.closed.wait(), OUTPUT_GRACE)

    def _kill_group(self) -> None:
        # The group's id is the child's pid, which is not used again while a member lives.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


async def _finishes(work: Coroutine[None, None, object], limit: timedelta) -> bool:
    """Wait for work, but no longer than this, also in a task that is being cancelled.

    ``asyncio.timeout`` would not do: in Python 3.11.2 its own end in such a task comes out as a
    cancellation, and a process that hangs would never be killed.
    """
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=limit.total_seconds())
    finally:
        task.cancel()
    return bool(done)


@asynccontextmanager
async def run_child(
    spec: ProcessSpec, log: RotatingLog, show_line: Callable[[bytes], None]
) -> AsyncIterator[Child]:
    """Run a process for the length of the block; it has gone when the block is left."""
    source, sink = os.pipe()
    try:
        transport, output = await asyncio.get_running_loop().connect_read_pipe(
            lambda: LogPipe(log, show_line), os.fdopen(source, "rb", 0)
        )
        try:
            process = await _spawn(spec, sink)
        except BaseException:
            transport.close()
            raise
    finally:
        os.close(sink)
    child = Child(process, output)
    try:
        yield child
    finally:
        try:
            await child.stop(spec.stop_signal)
        finally:
            transport.close()


async def _spawn(spec: ProcessSpec, sink: int) -> asyncio.subprocess.Process:
    wrapper = (sys.executable, "-I", "-S", str(WRAPPER))
    return await asyncio.create_subprocess_exec(
        *wrapper,
        str(os.getpid()),
        str(int(spec.death_signal)),
        *spec.argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=sink,
        stderr=sink,
        env=extend_environment(spec.env),
        cwd=spec.cwd,
        start_new_session=True,
    )
