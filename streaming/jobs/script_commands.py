"""Script commands: asked for in the name of whoever began the script, once for each step.

attempt still ours? ─► abort asked? ─► asker may? ─► fits the device? ─► queued, confirmed
└──────────────────────────── one transaction ──────────────────────────┴─► step written
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core import metrics
from core.clock import Clock
from core.commands import Verdict, Wish, describe_result
from core.device_news import RESULT, tell_device
from core.errors import ConflictError
from core.keys import Caller
from core.live import LiveMessage
from core.script_views import name_request
from core.scripts import SendStep
from core.settings import Settings
from core.wishes import Asked, make_wish
from db.commands import CommandStore, Moved
from db.device_logs import Numbers
from db.devices import DeviceStore
from db.pool import Connection
from db.script_runs import Progress, ScriptRunStore
from streaming.jobs.askers import Askers

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of it."""

    run: Row
    command: Row | None = None
    """None where an end is wanted, so that nothing was sent."""

    messages: tuple[LiveMessage, ...] = ()
    """What clients are to be told."""

    is_over: bool = False
    """Whether somebody else goes on with the run, or nobody."""


class ScriptCommands:
    """Sends and cancels the commands of scripts."""

    def __init__(self, settings: Settings, clock: Clock, numbers: Numbers, askers: Askers) -> None:
        self._settings = settings
        self._clock = clock
        self._numbers = numbers
        self._askers = askers

    async def send(
        self, connection: Connection, run: Row, step: SendStep, progress: Progress
    ) -> Sent:
        """Queue the command of a step, and write that it was; asked again it is the same one.

        Raises:
            ForbiddenError: Who asked for the run may not any more.
            NotFoundError: The device has no such command.
            InvalidError: The parameters do not fit.
            ConflictError: It is dangerous, or too many wait.
        """
        now = self._clock.now()
        number = progress.steps_done + 1
        async with connection.transaction(isolation="read_committed"):
            store = ScriptRunStore(connection)
            row = await store.lock_attempt(run["device_id"], run["run_id"], run["attempts"])
            if row is None:
                return Sent(run, is_over=True)
            if row["abort_asked_at"] is not None:
                return Sent(row)
            asker = await self._askers.find(connection, row)
            device = await DeviceStore(connection).get(run["device_id"])
            asked = Asked(
                step.command,
                dict(step.parameters),
                # Whoever gives up does so also while nobody runs the script.
                deadline_seconds=step.timeout_s,
                request_id=name_request(run["run_id"], number),
            )
            usual = self._settings.device_command_seconds
            wish = make_wish(device, asked, now=now, seconds_usual=usual)
            if wish.template.get("dangerous") and not row["confirm_dangerous"]:
                raise ConflictError(
                    f"{step.command} is dangerous by now. Run the script again, and confirm it."
                )
            moves = await self._queue(connection, wish, asker, now)
            command = _row_of(moves[-1])
            command_id: str = command["command_id"]
            progress.steps[number - 1]["command_id"] = command_id
            written = await store.note_progress(
                run["run_id"],
                run["attempts"],
                Progress(progress.steps, number - 1, progress.step_began_at, command_id),
                now,
            )
        assert written is not None  # noqa: S101 (it is locked)
        return Sent(written, command, self._tell(moves))

    async def _queue(
        self, connection: Connection, wish: Wish, asker: Caller, now: datetime
    ) -> list[Moved | Row]:
        """Queue a command, and confirm one that is held: whoever began the script did so."""
        commands = CommandStore(connection, self._numbers)
        moves = [await commands.queue(wish, asker=asker, now=now)]
        first = _row_of(moves[0])
        if first["held"]:
            place = (wish.device_id, first["command_id"], first["confirm_token"])
            moves.append(await commands.confirm(*place, actor=asker, now=now))
        return moves

    async def cancel(self, connection: Connection, run: Row, command_id: str) -> Sent:
        """End the command of a step.

        Raises:
            NotFoundError: It is gone, with its device.
            ConflictError: It has ended otherwise.
        """
        name = run["abort_asked_by"] or run["asker"]
        actor = Caller(name, frozenset(), key_id=run["asker_key_id"])
        moved = await CommandStore(connection, self._numbers).cancel(
            run["device_id"], command_id, actor=actor, now=self._clock.now()
        )
        return Sent(run, moved.row, self._tell([moved]))

    def _tell(self, moves: list[Moved | Row]) -> tuple[LiveMessage, ...]:
        now = self._clock.now()
        told = []
        for moved in moves:
            if isinstance(moved, Moved) and moved.verdict is Verdict.MOVED:
                row = moved.row
                metrics.commands_moved_total.labels(row["state"]).inc()
                key = f"{row['command_id']}/{moved.event_id}"
                facts = describe_result(row, now)
                told.append(tell_device(row["device_id"], RESULT, key, facts))
        return tuple(told)


def _row_of(found: Moved | Row) -> Row:
    return found.row if isinstance(found, Moved) else found
