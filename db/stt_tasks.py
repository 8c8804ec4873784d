"""STT tasks: told of or uploaded, claimed by a worker, ended once.

task ─┬─ one transaction      end ─┬─ one transaction
job ──┘                       note ┘

What people do with a task stands in the audit log; what a worker does, in the task alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.errors import ConflictError, NotFoundError, TooLargeError
from core.keys import Caller
from core.stt_tasks import (
    JOB,
    QUEUE,
    TASKS_MAX,
    Outcome,
    TaskStatus,
    require_transition,
)
from db.audit_log import AuditStore
from db.jobs import JobStore
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("stt_tasks")

LOCK_ID: Final = 0x5E1E3E80
"""First key of the advisory lock under which tasks are added; the second is their session's."""

MEGABYTE: Final = 1024**2

AUDITED: Final = ("session_id", "audio_chunk_id", "duration_seconds", "status", "error")
"""What the audit log has of a task: not what was said."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Room:
    """How much there may be."""

    session_mb_max: int
    jobs_waiting_max: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tasks of a session a list names."""

    status: str | None = None
    after: tuple[datetime, str] | None = None
    """When the last task of the page before was made, and its id."""

    limit: int = 100


class SttTaskStore:
    """Reads and changes tasks through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._jobs = JobStore(connection)

    async def insert(self, task: Mapping[str, Any], *, actor: Caller) -> Row:
        """Write down a task that somebody else transcribes.

        Raises:
            ConflictError: The session has as many as it may have.
        """
        async with self._connection.transaction(isolation="read_committed"):
            await self._connection.execute(SQL["lock_session"], LOCK_ID, task["session_id"])
            await self._measure(task["session_id"])
            row = await self._insert(task, job_id=None)
            await self._note(actor, "stt_task.create", row["id"], after=row)
        return row

    async def insert_audio(
        self, task: Mapping[str, Any], room: Room, *, actor: Caller
    ) -> tuple[Row, bool]:
        """Write down a task with its audio and the job for it; return it, and whether it is new.

        The same audio again is the same task, unless that one has failed: then this one takes its
        place.

        Raises:
            ConflictError: The session has as many tasks as it may have.
            TooLargeError: It has as much audio as it may have.
            QueueFullError: So many jobs wait already that this one is not taken.
        """
        session_id = task["session_id"]
        async with self._connection.transaction(isolation="read_committed"):
            await self._connection.execute(SQL["lock_session"], LOCK_ID, session_id)
            before = await self.find_audio(session_id, task["audio_chunk_id"])
            if before is not None and before["status"] != TaskStatus.FAILED:
                return before, False
            if before is not None:
                await self._connection.execute(SQL["delete_task"], session_id, before["id"])
            size = await self._measure(session_id)
            if size + task["audio_bytes"] > room.session_mb_max * MEGABYTE:
                raise TooLargeError(
                    f"audio: a session may have {room.session_mb_max} MB of it."
                    " Delete tasks that are done with, or make another session."
                )
            job_id = await self._jobs.defer(
                *(QUEUE, JOB, task["id"], {"task_id": task["id"]}),
                waiting_max=room.jobs_waiting_max,
            )
            row = await self._insert(task, job_id=job_id)
            await self._note(actor, "stt_task.upload", row["id"], before=before, after=row)
        return row, True

    async def find_audio(self, session_id: str, chunk_id: str) -> Row | None:
        """Return the task of audio that was uploaded before; None when it was not."""
        row = await self._connection.fetchrow(SQL["find_audio"], session_id, chunk_id)
        return None if row is None else dict(row)

    async def get(self, session_id: str, task_id: str) -> Row:
        """Return one task.

        Raises:
            NotFoundError: There is no such task.
        """
        return await self._find("get_task", session_id, task_id)

    async def list_tasks(self, session_id: str, wanted: Wanted) -> list[Row]:
        """Return tasks, newest first."""
        rows = await self._connection.fetch(
            SQL["list_tasks"],
            session_id,
            wanted.status,
            *(wanted.after or (None, None)),
            wanted.limit,
        )
        return [dict(row) for row in rows]

    async def list_transcripts(self, session_id: str) -> list[Row]:
        """Return what was said in a session, each with its time, as time went on."""
        rows = await self._connection.fetch(SQL["list_transcripts"], session_id, TASKS_MAX)
        return [dict(row) for row in rows]

    async def put_outcome(
        self, session_id: str, task_id: str, outcome: Outcome, *, actor: Caller
    ) -> tuple[Row, bool]:
        """End a task as somebody says; return it, and whether that changed it.

        A job of it is stopped. The same outcome again changes nothing.

        Raises:
            NotFoundError: There is no such task.
            ConflictError: It has ended otherwise.
        """
        async with self._connection.transaction(isolation="read_committed"):
            before = await self._find("lock_task", session_id, task_id)
            is_same = (before["status"], before["transcript"], before["error"]) == (
                *(outcome.status, outcome.transcript, outcome.error),
            )
            if is_same:
                return before, False
            require_transition(task_id, TaskStatus(before["status"]), outcome.status)
            if before["job_id"] is not None:
                await self._jobs.cancel(before["job_id"])
            row = await self.end(task_id, outcome)
            assert row is not None  # noqa: S101 (the row is locked, and not over)
            await self._note(actor, "stt_task.end", task_id, before=before, after=row)
        return row, True

    async def delete(self, session_id: str, task_id: str, *, actor: Caller) -> Row:
        """Take a task away and stop its job; return it as it was.

        Raises:
            NotFoundError: There is no such task.
        """
        async with self._connection.transaction(isolation="read_committed"):
            before = await self._find("lock_task", session_id, task_id)
            if before["job_id"] is not None:
                await self._jobs.cancel(before["job_id"])
            await self._connection.execute(SQL["delete_task"], session_id, task_id)
            await self._note(actor, "stt_task.delete", task_id, before=before)
        return before

    async def claim(self, task_id: str) -> Row | None:
        """Begin a try, whose number is ``attempts``; None when the task is over or gone."""
        row = await self._connection.fetchrow(SQL["claim_task"], task_id)
        return None if row is None else dict(row)

    async def note_progress(self, task_id: str, attempt: int, progress: float) -> Row | None:
        """Say how far a try is; None when another one has taken its place, or it is over."""
        row = await self._connection.fetchrow(SQL["note_progress"], task_id, attempt, progress)
        return None if row is None else dict(row)

    async def end(
        self,
        task_id: str,
        outcome: Outcome,
        *,
        attempt: int | None = None,
        note_id: str | None = None,
    ) -> Row | None:
        """End a task, once; None when it is over, gone, or another try has taken its place."""
        row = await self._connection.fetchrow(
            SQL["end_task"],
            task_id,
            attempt,
            outcome.status,
            outcome.transcript,
            list(outcome.words),
            outcome.error,
            note_id,
        )
        return None if row is None else dict(row)

    async def list_existing(self, task_ids: Sequence[str]) -> set[str]:
        """Return which of some tasks are there with their audio."""
        ids = list(task_ids)
        rows = await self._connection.fetch(SQL["list_existing"], ids, len(ids))
        return {row["task_id"] for row in rows}

    async def list_expired(self, before: datetime, *, limit: int) -> list[Row]:
        """Return tasks with audio that ended before a time, oldest first."""
        rows = await self._connection.fetch(SQL["list_expired"], before, limit)
        return [dict(row) for row in rows]

    async def forget_audio(self, task_ids: Sequence[str]) -> None:
        """Note that the audio of ended tasks is gone."""
        await self._connection.execute(SQL["forget_audio"], list(task_ids))

    async def _note(
        self,
        actor: Caller,
        action: str,
        task_id: str,
        *,
        before: Row | None = None,
        after: Row | None = None,
    ) -> None:
        audit = AuditStore(self._connection)
        await audit.insert(actor, action, task_id, before=_show(before), after=_show(after))

    async def _find(self, statement: str, session_id: str, task_id: str) -> Row:
        row = await self._connection.fetchrow(SQL[statement], session_id, task_id)
        if row is None:
            raise NotFoundError(f"There is no task {task_id!r} in this session.")
        return dict(row)

    async def _measure(self, session_id: str) -> int:
        row = await self._connection.fetchrow(SQL["measure_tasks"], session_id)
        assert row is not None  # noqa: S101 (a count is always one row)
        if row["tasks"] >= TASKS_MAX:
            raise ConflictError(
                f"The session has {TASKS_MAX} tasks already. Delete some, or make another session."
            )
        size: int = row["bytes"]
        return size

    async def _insert(self, task: Mapping[str, Any], *, job_id: int | None) -> Row:
        row = await self._connection.fetchrow(
            SQL["insert_task"],
            *(task["id"], task["session_id"], task["audio_chunk_id"], task["duration_seconds"]),
            *(task.get("audio_format"), task.get("audio_bytes"), task.get("language")),
            *(task.get("grammar"), task.get("started_at"), task.get("speaker")),
            *(task.get("make_note", False), job_id, task["author"]),
        )
        assert row is not None  # noqa: S101 (the statement returns the row that it wrote)
        return dict(row)


def _show(row: Row | None) -> Row | None:
    return None if row is None else {name: row[name] for name in AUDITED}
