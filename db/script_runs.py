"""Script runs: asked for with their job, claimed by a worker, written step by step, ended once.

    run ─┬─ one transaction      step's command ─┬─ one transaction
    job ─┘                       that it is sent ┘

Whoever runs a script has the number of its attempt: one that is not the last any more changes
nothing and sends nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.errors import ConflictError, NotFoundError
from core.keys import Caller
from core.script_runs import RunState
from core.script_views import JOB, OPEN, QUEUE, QUEUED, make_run_id, skip_all
from db.commands import find_asker_id
from db.jobs import JobStore
from db.pool import Connection
from db.queries import load_queries

SHOWN: Final = """
    run_id, device_id, request_id, name, confirm_dangerous, asker, asker_id, asker_key_id, state,
    steps_total, steps_done, steps -> steps_done AS step, step_began_at, command_id, message,
    job_id, attempts, revision, created_at, started_at, updated_at, ended_at, abort_asked_at,
    abort_asked_by
""".strip()

SQL: Final = {
    name: statement.replace("{columns}", SHOWN)
    for name, statement in load_queries("script_runs").items()
}

CHANGED_MAX: Final = 500
"""Runs told of anew after Redis was away: half as many as devices there usually are at most."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewRun:
    """A script that somebody wants to be run; it was held against the device already."""

    device_id: str
    text: str
    name: str | None
    steps: list[Row]
    confirm_dangerous: bool
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    steps: list[Row]
    steps_done: int
    step_began_at: datetime | None = None
    command_id: str | None = None


class ScriptRunStore:
    """Reads and changes runs through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._jobs = JobStore(connection)

    async def insert(
        self, new: NewRun, *, asker: Caller, now: datetime, waiting_max: int
    ) -> tuple[Row, bool]:
        """Write a run down with its job; return it, and whether it is new.

        Raises:
            NotFoundError: There is no such device.
            ConflictError: Another run of the device has not ended, or the request was made before
                for another script.
            QueueFullError: So many scripts wait already that this one is not taken.
        """
        async with self._connection.transaction(isolation="read_committed"):
            if not await self._connection.fetchval(SQL["lock_device"], new.device_id):
                raise NotFoundError(f"There is no device {new.device_id!r}.")
            before = await self.find_request(new, asker)
            if before is not None:
                return before, False
            await self._require_none_open(new.device_id)
            run_id = make_run_id()
            job_id = await self._jobs.defer(
                *(QUEUE, JOB, run_id, {"run_id": run_id}), waiting_max=waiting_max
            )
            row = await self._connection.fetchrow(
                SQL["insert_run"],
                *(run_id, new.device_id, new.request_id, new.name, new.text),
                *(new.confirm_dangerous, asker.name, find_asker_id(asker), asker.key_id),
                *(new.steps, len(new.steps), job_id, now),
            )
        assert row is not None  # noqa: S101 (the statement returns the row that it wrote)
        return dict(row), True

    async def find_request(self, new: NewRun, asker: Caller) -> Row | None:
        """Return the run of a request that was made before; None when it was not.

        Raises:
            ConflictError: It was made for another script.
        """
        if new.request_id is None:
            return None
        found = await self._connection.fetchrow(
            SQL["find_request"], new.device_id, find_asker_id(asker), new.request_id
        )
        if found is None:
            return None
        if (found["text"], found["confirm_dangerous"]) != (new.text, new.confirm_dangerous):
            raise ConflictError(
                "The request was made before, for another script. Take a new Idempotency-Key."
            )
        return dict(found)

    async def get(self, device_id: str, run_id: str) -> Row:
        """Return one run.

        Raises:
            NotFoundError: The device has no such run.
        """
        return await self._find("get_run", device_id, run_id)

    async def list_runs(
        self,
        device_id: str,
        *,
        state: str | None,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> list[Row]:
        """Return runs of a device without texts and steps, newest first."""
        rows = await self._connection.fetch(
            SQL["list_runs"], device_id, state, *(after or (None, None)), limit
        )
        return [dict(row) for row in rows]

    async def list_changed(self, since: datetime) -> list[Row]:
        """Return runs that changed since a time, as they are now."""
        rows = await self._connection.fetch(SQL["list_changed"], since, CHANGED_MAX)
        return [dict(row) for row in rows]

    async def list_watched(self, run_ids: Sequence[str]) -> dict[str, Row]:
        """Return what whoever runs scripts has to know of them, of those that are there."""
        ids = list(run_ids)
        rows = await self._connection.fetch(SQL["list_watched"], ids, len(ids))
        return {row["run_id"]: dict(row) for row in rows}

    async def claim(self, run_id: str, now: datetime) -> Row | None:
        """Begin an attempt, whose number is ``attempts``; None when the run is over or gone."""
        row = await self._connection.fetchrow(SQL["claim_run"], run_id, now)
        return None if row is None else dict(row)

    async def lock_attempt(self, device_id: str, run_id: str, attempt: int) -> Row | None:
        """Return a run that nobody changes until the transaction ends.

        None when the attempt is not the last one any more, or the run is over or gone.
        """
        await self._connection.execute(SQL["share_device"], device_id)
        row = await self._connection.fetchrow(SQL["lock_run"], run_id, device_id)
        if row is None or row["attempts"] != attempt or row["state"] != RunState.RUNNING:
            return None
        return dict(row)

    async def note_progress(
        self, run_id: str, attempt: int, progress: Progress, now: datetime
    ) -> Row | None:
        """Say how far an attempt is; None when another one has taken its place, or it is over."""
        row = await self._connection.fetchrow(
            SQL["note_progress"],
            *(run_id, attempt, progress.steps, progress.steps_done, progress.step_began_at),
            *(progress.command_id, now),
        )
        return None if row is None else dict(row)

    async def end(
        self,
        run_id: str,
        attempt: int,
        state: RunState,
        *,
        progress: Progress,
        message: str | None,
        now: datetime,
    ) -> Row | None:
        """End a run, once; None when it is over, gone, or another attempt has taken its place."""
        row = await self._connection.fetchrow(
            SQL["end_run"],
            *(run_id, attempt, state, progress.steps, progress.steps_done, message, now),
        )
        return None if row is None else dict(row)

    async def abort(
        self, device_id: str, run_id: str, *, actor: Caller, now: datetime
    ) -> tuple[Row, bool]:
        """Ask for the end of a run, or end one that nobody has begun; return it, and if it is news.

        Raises:
            NotFoundError: The device has no such run.
            ConflictError: It has ended.
        """
        async with self._connection.transaction(isolation="read_committed"):
            before = await self._find("lock_run", device_id, run_id)
            if before["state"] not in OPEN:
                raise ConflictError(f"The run is {before['state']} already.")
            asked = await self._connection.fetchrow(SQL["ask_abort"], run_id, now, actor.name)
            if asked is None:
                return before, False
            if before["state"] != QUEUED:
                return dict(asked), True
            await self._jobs.cancel(before["job_id"])
            ended = await self.end(
                *(run_id, before["attempts"], RunState.ABORTED),
                progress=Progress(skip_all(before["steps"]), 0),
                message=f"Aborted by {actor.name} before it began.",
                now=now,
            )
        assert ended is not None  # noqa: S101 (it is locked)
        return ended, True

    async def _require_none_open(self, device_id: str) -> None:
        row = await self._connection.fetchrow(SQL["find_open"], device_id)
        if row is not None:
            raise ConflictError(
                f"{device_id} has a script that is {row['state']} already: {row['run_id']}, of"
                f" {row['asker']}. Abort it, or wait for its end."
            )

    async def _find(self, statement: str, device_id: str, run_id: str) -> Row:
        row = await self._connection.fetchrow(SQL[statement], run_id, device_id)
        if row is None:
            raise NotFoundError(f"The device {device_id!r} has no run {run_id!r}.")
        return dict(row)
