"""Supervisors: start processes, keep them alive, and stop them in reverse order.

    async with Supervisor(data_dir, clock=clock, report=print_line) as supervisor:
        await supervisor.start(spec)        # returns when it is ready
        await supervisor.run_job(spec)      # returns when it has ended

One runs per data folder. What runs is in ``run/state.json``, what the children print in ``logs/``.
"""

import asyncio
import dataclasses
import os
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from core.clock import Clock
from infra.supervisor.children import run_child
from infra.supervisor.identities import find_created_s
from infra.supervisor.keepers import Keeper
from infra.supervisor.leftovers import stop_leftovers
from infra.supervisor.locks import hold_folder
from infra.supervisor.logs import LOG_BYTES_MAX, RotatingLog, read_last_lines
from infra.supervisor.restarts import RestartPolicy
from infra.supervisor.specs import (
    ProcessFailedError,
    ProcessSpec,
    ProcessState,
    Report,
    describe_exit,
)
from infra.supervisor.states import (
    ProcessRecord,
    SupervisorRecord,
    locate_state,
    read_state,
    write_state,
)


class Supervisor:
    """Owns a data folder and the processes that work on it."""

    def __init__(
        self,
        data_dir: Path,
        *,
        clock: Clock,
        report: Report,
        policy: RestartPolicy | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._clock = clock
        self._report = report
        self._policy = policy or RestartPolicy()
        self._keepers: dict[str, Keeper] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._external: list[ProcessRecord] = []
        self._resources = ExitStack()
        self._record = SupervisorRecord(
            pid=os.getpid(),
            created_s=find_created_s(os.getpid()) or 0.0,
            api_url="",
            database_url="",
            redis_url="",
            data_dir=data_dir,
            started_at=clock.now(),
        )

    async def __aenter__(self) -> Self:
        """Take the folder, and stop what a dead supervisor left in it.

        Raises:
            AlreadyRunningError: Another supervisor owns the folder.
        """
        self._resources.enter_context(hold_folder(self._data_dir))
        await asyncio.to_thread(stop_leftovers, read_state(self._data_dir), self._report)
        self._write_state()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything and give the folder back."""
        await self.stop()
        locate_state(self._data_dir).unlink(missing_ok=True)
        self._resources.close()

    @property
    def record(self) -> SupervisorRecord:
        """What runs now."""
        processes = (*self._external, *(keeper.record for keeper in self._keepers.values()))
        return dataclasses.replace(self._record, processes=processes)

    def set_urls(self, *, api_url: str, database_url: str, redis_url: str) -> None:
        """Say where things are reached; other commands read it from the state file."""
        self._record = dataclasses.replace(
            self._record, api_url=api_url, database_url=database_url, redis_url=redis_url
        )
        self._write_state()

    def add_external(self, name: str, origin: str) -> None:
        """List a service that runs elsewhere."""
        self._external.append(
            ProcessRecord(
                name=name,
                pid=None,
                created_s=None,
                state=ProcessState.READY,
                restarts=0,
                since=self._clock.now(),
                origin=origin,
            )
        )
        self._write_state()

    async def start(self, spec: ProcessSpec) -> None:
        """Start a process once what it needs is ready, and return when it is ready itself.

        Raises:
            ProcessFailedError: It, or what it needs, ended again and again or was never ready.
        """
        external = {record.name for record in self._external}
        needs = [self._keepers[name] for name in spec.needs if name not in external]
        for need in needs:
            await asyncio.shield(need.started)
        keeper = Keeper(
            spec, self._open_log(spec.name), needs=needs, clock=self._clock, report=self._report
        )
        self._keepers[spec.name] = keeper
        self._tasks[spec.name] = asyncio.create_task(
            keeper.keep(self._policy, self._write_state), name=spec.name
        )
        self._tasks[spec.name].add_done_callback(self._report_fault)
        await keeper.started

    async def run_job(self, spec: ProcessSpec) -> None:
        """Run a process to its end.

        Raises:
            ProcessFailedError: It ended with a code other than zero.
        """
        log = self._open_log(spec.name)
        log.mark_start(self._clock.now().isoformat(timespec="seconds"))
        async with run_child(spec, log, _ignore_line) as child:
            code = await child.wait()
        if code != 0:
            raise ProcessFailedError(
                f"{spec.name} {describe_exit(code)}. Its log is {log.path}.",
                log=log.path,
                last_lines=read_last_lines(log.path),
            )

    async def stop(self) -> None:
        """Stop all processes, the last started first."""
        for name, task in reversed(self._tasks.items()):
            was_running = not task.done()
            task.cancel()
            await asyncio.wait({task})
            if was_running:
                self._report(f"{name} stopped")

    def _open_log(self, name: str) -> RotatingLog:
        log = RotatingLog(self._data_dir / "logs" / f"{name}.log", bytes_max=LOG_BYTES_MAX)
        self._resources.callback(log.close)
        return log

    def _write_state(self) -> None:
        try:
            write_state(self.record)
        except OSError as error:
            # A full disk must not end what runs; `status` is behind until the next change.
            self._report(f"the state could not be written ({error.strerror})")

    def _report_fault(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._report(f"{task.get_name()} is no longer watched: {error!r}")


def _ignore_line(line: bytes) -> None:
    """Show nothing of a job; when it fails, the end of its log is shown."""
    del line
