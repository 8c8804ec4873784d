"""Conductors: one attempt to do a script, from the step where the last one ended.

    news, looks ─► note ─┐
    a time comes ────────┴─► decide ─► Send:   one transaction: asker? template? command, step
                                     ─► Cancel: the command under way
                                     ─► Rest:   the step is written, and waits
                                     ─► End:    written once

Whatever is asked of a device is written in the transaction that asks for it, so that whoever goes
on after a crash knows it. While the database is away nothing is done, and then it goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import orjson
import structlog

from core import metrics
from core.clock import Clock
from core.commands import ENDS, State
from core.device_news import DATA, RESULT, SCRIPT
from core.errors import DatabaseAwayError, ForbiddenError, NotFoundError, TelemetraError
from core.live import LiveMessage
from core.script_runs import Cancel, End, Rest, RunState, ScriptRun, Send
from core.script_views import (
    OPEN,
    explain_end,
    list_steps,
    read_commands,
    read_outcomes,
    tell_run,
)
from core.scripts import Script, SendStep, WaitStep
from db.device_logs import DeviceLogStore, LogFilter
from db.minutes import BEGINNING, END
from db.pool import Connection, Pool
from db.script_runs import Progress, ScriptRunStore
from streaming.bus.device_news import DeviceNews
from streaming.jobs.script_commands import ScriptCommands, Sent
from streaming.jobs.script_looks import ScriptLooks

AGAIN_S: Final = 0.5
"""Between two attempts to reach a database that is away."""

REST_S_MAX: Final = 1.0
"""How late a time may be noticed; and how often a value is read while nobody tells it."""

STORED_LATE_MS: Final = 10_000
"""How much later than it was told a value may be stored: one that was told just before somebody
listened is found only then."""

DELETED: Final = "The device was deleted, and its commands with it."

Row = dict[str, Any]
T = TypeVar("T")

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class _OverError(Exception):
    """Somebody else has taken the run up or ended it, or it is gone."""


@dataclass(frozen=True, slots=True)
class ConductorParts:
    """What every attempt uses."""

    pool: Pool
    clock: Clock
    news: DeviceNews
    looks: ScriptLooks
    commands: ScriptCommands


class Conductor:
    """Does one attempt."""

    def __init__(self, parts: ConductorParts, row: Row, script: Script) -> None:
        """Go on with a run as it is stored."""
        self._parts = parts
        self._row = row
        self._steps: list[Row] = row["steps"]
        self._commands = read_commands(self._steps)
        began_at: datetime | None = row["step_began_at"]
        self._run = ScriptRun.resume(
            script,
            read_outcomes(script, self._steps, row["steps_done"]),
            began_ms=None if began_at is None else _to_ms(began_at),
            command_id=row["command_id"],
        )
        self._written = self._take_mark()
        self._counted = len(self._run.outcomes)
        self._waited = {
            step.condition.telemetry for step in script.steps if isinstance(step, WaitStep)
        }
        self._told_at: dict[str, datetime] = {}
        self._wake = asyncio.Event()
        self._read_since: dict[str, float] = {}
        """When a value was first read since somebody listens; long ago, if it was told."""

        self._is_over = False

    async def conduct(self) -> None:
        """Do what is left, until the end or until somebody else goes on."""
        run_id, device_id = self._row["run_id"], self._row["device_id"]
        self._parts.news.listen(device_id, self._hear)
        self._parts.looks.watch(run_id, self._see)
        try:
            await self._catch_up()
            self._tell(self._row)
            while not await self._act():
                pass
        except _OverError:
            log.info("script_run_over", run_id=run_id)
            await self._tell_stored()
        finally:
            self._parts.looks.forget(run_id, self._see)
            self._parts.news.forget(device_id, self._hear)

    async def _catch_up(self) -> None:
        """Learn what happened while nobody ran it."""
        run_id = self._row["run_id"]

        async def look(connection: Connection) -> Row | None:
            return (await ScriptRunStore(connection).list_watched([run_id])).get(run_id)

        self._see(await self._insist(look))

    async def _act(self) -> bool:
        """Do what is to be done now, or wait; return whether that was all."""
        self._wake.clear()
        if self._is_over:
            raise _OverError
        await self._read_value()
        action = self._run.decide(self._parts.clock.now_ms())
        self._count()
        match action:
            case Send(step):
                await self._send(step)
            case Cancel(command_id):
                await self._cancel(command_id)
            case End(state):
                await self._end(state)
                return True
            case Rest(until_ms):
                await self._write()
                waited = self._find_waited()
                if waited is None or waited in self._read_since:
                    await self._rest(until_ms)
        return False

    async def _rest(self, until_ms: int | None) -> None:
        """Wait for news, for a time, or a while."""
        wait_s = REST_S_MAX
        if until_ms is not None:
            wait_s = min(wait_s, (until_ms - self._parts.clock.now_ms()) / 1000)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(wait_s, 0.0)):
                await self._wake.wait()

    def _hear(self, message: LiveMessage | None) -> None:
        """Note what is told of the device."""
        if message is None:
            self._read_since.clear()
        elif message.kind == DATA and message.key in self._waited:
            told = orjson.loads(message.body)
            self._told_at[message.key] = datetime.fromisoformat(told["timestamp"])
            self._read_since[message.key] = 0
            self._run.note_point(message.key, told["value"])
        elif message.kind == RESULT:
            value = orjson.loads(message.body)["value"]
            self._note_result(value["command_id"], value["state"], value["message"])
        elif message.kind == SCRIPT:
            told = orjson.loads(message.body)
            if told["id"] != self._row["run_id"] or told["value"]["abort_asked_at"] is None:
                return
            self._see_abort(told["value"])
        else:
            return
        self._wake.set()

    def _see(self, row: Row | None) -> None:
        """Note what is stored of the run."""
        if (
            row is None
            or row["attempts"] != self._row["attempts"]
            or row["state"] != RunState.RUNNING
        ):
            self._is_over = True
        else:
            if row["abort_asked_at"] is not None:
                self._see_abort(row)
            if row["command_id"] is not None and row["command_state"] is not None:
                self._note_result(row["command_id"], row["command_state"], row["command_message"])
        self._wake.set()

    def _note_result(self, command_id: str | None, state: str, message: str | None) -> None:
        # States of refusals are none of a command's life.
        if command_id is not None and state in ENDS:
            self._run.note_result(command_id, State(state), message)

    async def _send(self, step: SendStep) -> None:
        """Ask for a command and write down that it was, both or neither."""
        number = len(self._run.outcomes) + 1
        began_ms = self._run.began_ms or self._parts.clock.now_ms()

        async def send(connection: Connection) -> Sent:
            steps = list_steps(self._run, self._commands)
            progress = Progress(steps, number - 1, _to_time(began_ms))
            return await self._parts.commands.send(connection, self._row, step, progress)

        try:
            sent = await self._insist(send)
        except TelemetraError as error:
            # Who may not any more may not go on either; all else is for the script to say.
            self._run.note_refused(error.detail, for_good=isinstance(error, ForbiddenError))
            return
        if sent.is_over:
            self._is_over = True
        elif sent.command is None:
            self._run.note_unsent()
            self._see_abort(sent.run)
        else:
            command_id = sent.command["command_id"]
            self._commands[number] = command_id
            self._run.note_queued(command_id)
            self._written = self._take_mark()
            self._note_result(command_id, sent.command["state"], sent.command["message"])
            self._keep(sent.run)
            self._parts.news.tell(sent.messages)
            self._tell(self._row)

    async def _cancel(self, command_id: str) -> None:
        row = self._row

        async def cancel(connection: Connection) -> Sent:
            return await self._parts.commands.cancel(connection, row, command_id)

        try:
            sent = await self._insist(cancel)
        except TelemetraError as error:
            # It has ended meanwhile, or it is gone with its device: a look tells.
            log.info("script_command_not_cancelled", command_id=command_id, code=error.code)
            await self._catch_up()
        else:
            self._parts.news.tell(sent.messages)
            if sent.command is not None:
                state, message = sent.command["state"], sent.command["message"]
                self._note_result(command_id, state, message)

    async def _write(self) -> None:
        """Write how far the run is, if that changed."""
        mark = self._take_mark()
        if mark == self._written:
            return
        run_id, attempt = self._row["run_id"], self._row["attempts"]
        began_ms = self._run.began_ms
        progress = Progress(
            list_steps(self._run, self._commands),
            len(self._run.outcomes),
            None if began_ms is None else _to_time(began_ms),
            self._run.command_id,
        )

        async def write(connection: Connection) -> Row | None:
            store = ScriptRunStore(connection)
            return await store.note_progress(run_id, attempt, progress, self._parts.clock.now())

        row = await self._insist(write)
        if row is None:
            raise _OverError
        self._written = mark
        self._keep(row)
        self._tell(self._row)

    async def _end(self, state: RunState) -> None:
        run_id, attempt = self._row["run_id"], self._row["attempts"]
        message = explain_end(self._run, state, self._row["abort_asked_by"])
        steps = list_steps(self._run, self._commands, is_over=True)
        progress = Progress(steps, len(self._run.outcomes))

        async def write(connection: Connection) -> Row | None:
            return await ScriptRunStore(connection).end(
                *(run_id, attempt, state),
                progress=progress,
                message=message,
                now=self._parts.clock.now(),
            )

        row = await self._insist(write)
        if row is None:
            raise _OverError
        metrics.script_runs_ended_total.labels(state).inc()
        log.info("script_run_ended", run_id=run_id, state=state)
        self._keep(row)
        self._tell(self._row)

    def _find_waited(self) -> str | None:
        """Return the telemetry whose value is waited for."""
        step = self._run.current
        return step.condition.telemetry if isinstance(step, WaitStep) else None

    async def _read_value(self) -> None:
        """Read the newest stored value of what is waited for; what was told later counts more."""
        if not self._parts.news.is_hearing:
            self._read_since.clear()
        if (name := self._find_waited()) is None:
            return
        now_ms = self._parts.clock.now_ms()
        if now_ms - self._read_since.setdefault(name, now_ms) > STORED_LATE_MS:
            return
        wanted = LogFilter(self._row["device_id"], BEGINNING, END, "data", name)

        async def read(connection: Connection) -> list[Row]:
            return await DeviceLogStore(connection).list_rows(wanted, limit=1)

        for row in await self._insist(read):
            known_at = self._told_at.get(name)
            if known_at is None or row["timestamp"] > known_at:
                self._told_at[name] = row["timestamp"]
                self._run.note_point(name, row["value"])

    async def _insist(self, do: Callable[[Connection], Awaitable[T]]) -> T:
        """Do something with a connection, however long the database is away.

        Raises:
            _OverError: Somebody else has gone on meanwhile.
        """
        while True:
            try:
                async with self._parts.pool.connection() as connection:
                    return await do(connection)
            except DatabaseAwayError as error:
                if self._is_over:
                    raise _OverError from error
                log.debug("script_waits", run_id=self._row["run_id"], code=error.code)
                await asyncio.sleep(AGAIN_S)

    def _count(self) -> None:
        """Count the steps that have ended since the last time."""
        for outcome in self._run.outcomes[self._counted :]:
            kind = self._steps[outcome.number - 1]["kind"]
            metrics.script_steps_ended_total.labels(kind, outcome.state).inc()
        self._counted = len(self._run.outcomes)

    def _see_abort(self, run: Row) -> None:
        self._row["abort_asked_at"] = run["abort_asked_at"]
        self._row["abort_asked_by"] = run["abort_asked_by"]
        self._run.abort()

    def _take_mark(self) -> tuple[int, int | None]:
        """Return what changes whenever there is something to write."""
        return len(self._run.outcomes), self._run.began_ms

    def _keep(self, row: Row) -> None:
        self._row = {**self._row, **row}

    def _tell(self, row: Row) -> None:
        self._parts.news.tell([tell_run(row)])

    async def _tell_stored(self) -> None:
        """Tell of the end of a run that is over: the answer to who wrote it may have been lost."""
        run_id, device_id = self._row["run_id"], self._row["device_id"]

        async def read(connection: Connection) -> Row:
            return await ScriptRunStore(connection).get(device_id, run_id)

        self._is_over = False
        try:
            row = await self._insist(read)
        except NotFoundError:
            self._tell_deleted()
            return
        if row["state"] not in OPEN:
            self._tell(row)

    def _tell_deleted(self) -> None:
        """Tell those who still look at it that nothing more happens; nobody can read it again."""
        now = self._parts.clock.now()
        ended = {"state": RunState.FAILED, "message": DELETED, "ended_at": now, "updated_at": now}
        self._tell({**self._row, **ended, "revision": self._row["revision"] + 1})
        metrics.script_runs_ended_total.labels(RunState.FAILED).inc()


def _to_ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _to_time(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, tz=BEGINNING.tzinfo)
