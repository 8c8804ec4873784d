"""Commands: queued, moved and ended, each step with its event and its line in the device's log.

Every move is one conditional update: of two that try at once, one moves the command and the other
is noted beside it. The event and the log's row are written in the same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from core.commands import (
    CONFIRM_WITHIN,
    IN_HAND,
    OPEN_MAX,
    PREDECESSORS,
    STAGES,
    Said,
    State,
    Verdict,
    Wish,
    describe_result,
    judge,
    make_command_id,
    make_token,
)
from core.errors import ConflictError, NotFoundError
from core.keys import Caller
from db.audit_log import AuditStore
from db.device_logs import DeviceLogStore, LogRow, Numbers
from db.pool import Connection
from db.queries import load_queries

SHOWN: Final = """
    command_id, device_id, request_id, asker, command, parameters, verifiers, priority, dangerous,
    held, confirm_token, confirm_expires_at, confirmed_at, confirmed_by, state, deadline_at,
    due_at, sends, created_at, sent_at, acknowledged_at, running_at, ended_at, message, details
""".strip()

SQL: Final = {
    name: statement.replace("{columns}", SHOWN)
    for name, statement in load_queries("commands").items()
}

DUE_MAX: Final = 500
"""Commands given up in one transaction; the rest a second later."""

MOVED_MAX: Final = 2000
"""Commands told of anew after Redis was away, the newest ones."""

EVENTS_MAX: Final = 500
"""Of one command: a device that repeats itself for ever is cut short where it is shown."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CommandFilter:
    """Which commands are wanted."""

    device_id: str
    state: State | None = None
    command: str | None = None
    asker: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None
    """Of those made at ``until`` only the ones with a smaller id."""


class Moved(NamedTuple):
    """What came of it: the command as it is now, and the number of the event."""

    row: Row
    verdict: Verdict
    event_id: int


class CommandStore:
    """Reads and moves commands through the connection it is given."""

    def __init__(self, connection: Connection, numbers: Numbers) -> None:
        self._connection = connection
        self._numbers = numbers

    async def queue(self, wish: Wish, *, asker: Caller, now: datetime) -> Moved | Row:
        """Queue a command, once for a request; a repeat returns the command of the first.

        Raises:
            ConflictError: The request was made for another command, or too many wait.
        """
        async with self._connection.transaction(isolation="read_committed"):
            row = await self._insert(wish, asker, now)
            if row is None:
                return await self._find_first(wish, asker)
            said = Said(wish.device_id, row["command_id"], State.QUEUED, "person", actor=asker.name)
            if row["dangerous"]:
                await AuditStore(self._connection).insert(
                    asker, "command.ask", row["command_id"], before=None, after=_show(row)
                )
            return await self._note(row, said, Verdict.MOVED, now)

    async def claim(
        self, device_id: str, link_id: int, *, limit: int, now: datetime
    ) -> list[Moved]:
        """Take what a device is given next, by priority and then by age."""
        async with self._connection.transaction(isolation="read_committed"):
            rows = await self._connection.fetch(
                SQL["claim_commands"], device_id, link_id, now, limit
            )
            chosen = sorted(map(dict, rows), key=lambda row: (-row["priority"], row["created_at"]))
            return [
                await self._note(
                    row,
                    Said(device_id, row["command_id"], State.SENT, "clock"),
                    Verdict.MOVED,
                    now,
                )
                for row in chosen
            ]

    async def list_in_hand(self, device_id: str) -> list[Row]:
        """Return what a device was given and has not ended."""
        return _to_dicts(await self._connection.fetch(SQL["list_in_hand"], device_id, OPEN_MAX))

    async def note_resent(self, rows: Sequence[Row], now: datetime) -> None:
        """Write that commands were sent once more, to a device that came back."""
        async with self._connection.transaction(isolation="read_committed"):
            await self._connection.execute(SQL["note_resent"], [row["command_id"] for row in rows])
            for row in rows:
                said = Said(row["device_id"], row["command_id"], State.SENT, "clock")
                await self._insert_event(said, Verdict.REPEATED, now)

    async def move(self, said: Said, now: datetime) -> Moved:
        """Move a command, or note why it does not move.

        Raises:
            NotFoundError: The device has no such command.
        """
        async with self._connection.transaction(isolation="read_committed"):
            row = await self._lock(said)
            verdict = judge(State(row["state"]), said.state)
            if verdict is Verdict.MOVED:
                row = await self._write_move(said, now)
            return await self._note(row, said, verdict, now)

    async def note_awaited(self, said: Said, now: datetime) -> Moved:
        """Write that a device says what telemetry has to show first.

        Raises:
            NotFoundError: The device has no such command.
        """
        async with self._connection.transaction(isolation="read_committed"):
            row = await self._lock(said)
            verdict = judge(State(row["state"]), said.state)
            if verdict is Verdict.MOVED:
                verdict = Verdict.AWAITED
            return await self._note(row, said, verdict, now)

    async def confirm(
        self, device_id: str, command_id: str, token: str, *, actor: Caller, now: datetime
    ) -> Moved | Row:
        """Release a dangerous command; once more changes nothing.

        Raises:
            NotFoundError: The device has no such command.
            ConflictError: The token is wrong, or it is too late.
        """
        async with self._connection.transaction(isolation="read_committed"):
            found = await self._connection.fetchrow(
                SQL["release_command"], command_id, device_id, token, now, actor.name
            )
            if found is None:
                return _require_confirmed(await self.get(device_id, command_id), token)
            row = dict(found)
            await AuditStore(self._connection).insert(
                actor, "command.confirm", command_id, before=None, after=_show(row)
            )
            said = Said(
                device_id, command_id, State.QUEUED, "person", "Confirmed.", actor=actor.name
            )
            return await self._note(row, said, Verdict.MOVED, now)

    async def cancel(
        self, device_id: str, command_id: str, *, actor: Caller, now: datetime
    ) -> Moved:
        """End a command that has not ended; the device is told, where it has it.

        Raises:
            NotFoundError: The device has no such command.
            ConflictError: It has ended otherwise.
        """
        before = await self.get(device_id, command_id)
        message = f"Cancelled by {actor.name}."
        if before["state"] in IN_HAND:
            message += f" The device had it {before['state']}, and may have done it all the same."
        said = Said(device_id, command_id, State.CANCELLED, "person", message, actor=actor.name)
        moved = await self.move(said, now)
        if moved.verdict is Verdict.LATE:
            raise ConflictError(f"The command is {moved.row['state']} already.")
        return moved

    async def give_up_due(self, now: datetime) -> list[Moved]:
        """End what took too long, and what nobody confirmed."""
        async with self._connection.transaction(isolation="read_committed"):
            rows = await self._connection.fetch(SQL["give_up_due"], now, DUE_MAX)
            return [
                await self._note(
                    dict(row),
                    Said(
                        row["device_id"],
                        row["command_id"],
                        State(row["state"]),
                        "clock",
                        row["message"],
                    ),
                    Verdict.MOVED,
                    now,
                )
                for row in sorted(rows, key=lambda row: (row["device_id"], row["created_at"]))
            ]

    async def get(self, device_id: str, command_id: str) -> Row:
        """Return one command.

        Raises:
            NotFoundError: The device has no such command.
        """
        row = await self._connection.fetchrow(SQL["get_command"], device_id, command_id)
        if row is None:
            raise NotFoundError(f"The device {device_id!r} has no command {command_id!r}.")
        return dict(row)

    async def list_commands(self, wanted: CommandFilter, *, limit: int) -> list[Row]:
        """Return commands of a device, newest first."""
        return _to_dicts(
            await self._connection.fetch(
                SQL["list_commands"],
                wanted.device_id,
                wanted.state,
                wanted.command,
                wanted.asker,
                wanted.since,
                wanted.until,
                wanted.before,
                limit,
            )
        )

    async def list_events(self, command_id: str) -> list[Row]:
        """Return what was said of a command, oldest first."""
        return _to_dicts(await self._connection.fetch(SQL["list_events"], command_id, EVENTS_MAX))

    async def list_moved(self, since: datetime) -> list[tuple[Row, int]]:
        """Return commands that moved since a time, each with the number of its last event."""
        rows = _to_dicts(await self._connection.fetch(SQL["list_moved"], since, MOVED_MAX))
        return [(row, row.pop("event_id")) for row in rows]

    async def _lock(self, said: Said) -> Row:
        """Return a command that nobody moves meanwhile."""
        await self._connection.execute(SQL["lock_command"], said.device_id, said.command_id)
        return await self.get(said.device_id, said.command_id)

    async def _write_move(self, said: Said, now: datetime) -> Row:
        found = await self._connection.fetchrow(
            SQL["move_command"],
            said.command_id,
            said.device_id,
            said.state,
            list(PREDECESSORS[said.state]),
            now,
            said.message,
            said.details,
        )
        assert found is not None  # noqa: S101 (it was looked at under the same lock)
        return dict(found)

    async def _insert(self, wish: Wish, asker: Caller, now: datetime) -> Row | None:
        is_dangerous = bool(wish.template.get("dangerous"))
        verifiers = wish.template.get("verifiers") or {}
        waits = [(verifiers.get(stage) or {}).get("within_seconds") for stage in STAGES]
        found = await self._connection.fetchrow(
            SQL["insert_command"],
            make_command_id(),
            wish.device_id,
            wish.request_id,
            asker.name,
            find_asker_id(asker),
            wish.command,
            wish.parameters,
            verifiers,
            wish.priority,
            is_dangerous,
            make_token() if is_dangerous else None,
            min(now + CONFIRM_WITHIN, wish.deadline_at) if is_dangerous else None,
            wish.deadline_at,
            *waits,
            now,
            OPEN_MAX,
        )
        return None if found is None else dict(found)

    async def _find_first(self, wish: Wish, asker: Caller) -> Row:
        """Return the command of a request that was made before."""
        found = None
        if wish.request_id is not None:
            found = await self._connection.fetchrow(
                SQL["find_request"], wish.device_id, find_asker_id(asker), wish.request_id
            )
        if found is None:
            raise ConflictError(
                f"{wish.device_id} has {OPEN_MAX} commands that have not ended. Cancel some, or"
                " wait."
            )
        row = dict(found)
        if (row["command"], row["parameters"]) != (wish.command, wish.parameters):
            raise ConflictError(
                f"The request was made before, for {row['command']} with other parameters."
                " Take a new Idempotency-Key."
            )
        return row

    async def _note(self, row: Row, said: Said, verdict: Verdict, now: datetime) -> Moved:
        event_id = await self._insert_event(said, verdict, now)
        if verdict is Verdict.MOVED:
            value = orjson.dumps(describe_result(row, now)["value"]).decode()
            line = LogRow(
                row["device_id"],
                now,
                self._numbers.take(),
                "command_result",
                "command_result",
                value,
                now,
            )
            await DeviceLogStore(self._connection).insert([line])
        return Moved(row, verdict, event_id)

    async def _insert_event(self, said: Said, verdict: Verdict, now: datetime) -> int:
        event_id: int = await self._connection.fetchval(
            SQL["insert_event"],
            said.command_id,
            now,
            said.state,
            said.source,
            verdict,
            said.actor,
            said.message,
            said.details,
        )
        return event_id


def find_asker_id(asker: Caller) -> str:
    """Return what tells askers apart: keys of one name are two."""
    return asker.key_id or f"name:{asker.name}"


def _require_confirmed(row: Row, token: str) -> Row:
    if row["confirm_token"] is None:
        raise ConflictError("The command needs no confirmation.")
    if row["confirm_token"] != token:
        raise ConflictError("The token is not that of this command. Whoever asked for it has it.")
    if row["confirmed_at"] is None:
        raise ConflictError(f"It is too late: the command is {row['state']}. Ask for it again.")
    return row


def _show(row: Row) -> Row:
    names = ("device_id", "command", "parameters", "deadline_at")
    return {name: row[name] for name in names}


def _to_dicts(rows: Sequence[Any]) -> list[Row]:
    return [dict(row) for row in rows]
