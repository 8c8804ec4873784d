"""Keepers: one task that keeps one process alive.

    wait for its needs -> spawn -> wait until ready -> wait for its end -> back off -> again

Cancelling the task stops the process.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from core.clock import Clock
from core.errors import TelemetraError
from infra.supervisor.children import Child, run_child
from infra.supervisor.identities import find_created_s
from infra.supervisor.logs import RotatingLog, read_last_lines
from infra.supervisor.notices import NoticeGate
from infra.supervisor.restarts import RestartPolicy, RestartState
from infra.supervisor.specs import (
    ProcessFailedError,
    ProcessSpec,
    ProcessState,
    Report,
    describe_exit,
)
from infra.supervisor.states import ProcessRecord

READY_POLL: Final = timedelta(milliseconds=50)
READY_CHECK_MAX: Final = timedelta(seconds=3)


class Keeper:
    """Keeps one process alive and knows how it fares."""

    def __init__(
        self,
        spec: ProcessSpec,
        log: RotatingLog,
        *,
        needs: Sequence["Keeper"],
        clock: Clock,
        report: Report,
    ) -> None:
        self.spec = spec
        self.is_ready = asyncio.Event()
        self.started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when it is ready for the first time, or with the reason why it never will be."""
        self._log = log
        self._needs = needs
        self._clock = clock
        self._report = report
        self._gate = NoticeGate(spec.name, report, asyncio.get_running_loop().time)
        self._state = ProcessState.STARTING
        self._since: datetime = clock.now()
        self._pid: int | None = None
        self._created_s: float | None = None
        self._restarts = 0

    @property
    def record(self) -> ProcessRecord:
        """What the state file says about it."""
        return ProcessRecord(
            name=self.spec.name,
            pid=self._pid,
            created_s=self._created_s,
            state=self._state,
            restarts=self._restarts,
            since=self._since,
            origin=self.spec.origin,
            stop_signal=self.spec.stop_signal,
        )

    async def keep(self, policy: RestartPolicy, changed: Callable[[], None]) -> None:
        """Keep the process alive until cancelled, or until it is given up."""
        history = RestartState(policy)
        state = ProcessState.STOPPED
        try:
            while True:
                await self._keep_once(history, changed)
                if history.is_hopeless:
                    state = ProcessState.FAILED
                    return
                self._restarts += 1
                self._enter(ProcessState.STARTING, changed)
        finally:
            self.started.cancel()
            self._pid = self._created_s = None
            self._enter(state, changed)

    async def _keep_once(self, history: RestartState, changed: Callable[[], None]) -> None:
        for need in self._needs:
            await need.is_ready.wait()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        overdue = False
        try:
            overdue, ending = await self._live_once(history, changed)
        except OSError as error:
            # Too many processes or open files: it may pass, as any other death.
            ending = f"could not be started ({error.strerror})"
        self._pid = self._created_s = None
        delay = history.record_death(timedelta(seconds=loop.time() - began_s), overdue=overdue)
        if history.is_hopeless:
            self._give_up(ending)
            return
        self._report(f"{self.spec.name} {ending}; it starts again in {delay.total_seconds():g} s")
        self._enter(ProcessState.BACKING_OFF, changed)
        await asyncio.sleep(delay.total_seconds())

    async def _live_once(
        self, history: RestartState, changed: Callable[[], None]
    ) -> tuple[bool, str]:
        """Run the process to its end; return whether it was overdue, and how it ended."""
        self._log.mark_start(self._clock.now().isoformat(timespec="seconds"))
        async with run_child(self.spec, self._log, self._show_line) as child:
            self._pid, self._created_s = child.pid, find_created_s(child.pid)
            self._enter(ProcessState.STARTING, changed)
            if await self._becomes_ready(child):
                history.record_ready()
                self._announce_ready(changed)
                try:
                    await child.wait()
                finally:
                    self.is_ready.clear()
            if not child.has_ended:
                limit_s = self.spec.ready_within.total_seconds()
                return True, f"was not ready within {limit_s:g} s and was stopped"
        return False, describe_exit(await child.wait())

    def _show_line(self, line: bytes) -> None:
        # While it starts or stops, complaints are no news: servers say FATAL when they close.
        if self.is_ready.is_set():
            self._gate.take_line(line)

    def _announce_ready(self, changed: Callable[[], None]) -> None:
        self._enter(ProcessState.READY, changed)
        if self._restarts:
            self._report(f"{self.spec.name} is ready again (pid {self._pid})")
        if not self.started.done():
            self.started.set_result(None)

    def _give_up(self, ending: str) -> None:
        error = ProcessFailedError(
            f"{self.spec.name} {ending}. Its log is {self._log.path}.",
            log=self._log.path,
            last_lines=read_last_lines(self._log.path),
        )
        self.started.set_exception(error)

    async def _becomes_ready(self, child: Child) -> bool:
        """Ask until it is ready, ends, or has had its time."""
        try:
            async with asyncio.timeout(self.spec.ready_within.total_seconds()):
                while not await self._asks_ready():
                    if await child.ends_within(READY_POLL):
                        return False
        except TimeoutError:
            return False
        return not child.has_ended

    async def _asks_ready(self) -> bool:
        try:
            async with asyncio.timeout(READY_CHECK_MAX.total_seconds()):
                return await self.spec.ready()
        except (OSError, TelemetraError):
            return False

    def _enter(self, state: ProcessState, changed: Callable[[], None]) -> None:
        if state is ProcessState.READY:
            self.is_ready.set()
        else:
            self.is_ready.clear()
        if state is not self._state:
            self._since = self._clock.now()
        self._state = state
        changed()
