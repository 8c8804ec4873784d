"""Sessions: made, changed and ended, each change with its entry in the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.errors import NotFoundError
from core.keys import Caller
from core.sessions import (
    CHANNELS_MAX,
    STREAM_KIND,
    SessionState,
    Status,
    change_status,
    list_streams,
    write_summary,
)
from db.audit_log import AuditStore
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("sessions")

TYPES_MAX: Final = 100
"""Types of notes or moments in a summary; there are fewer."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions a list names."""

    status: Status | None = None
    patterns: list[str] | None = None
    """Of the streams within reach; None for all."""

    words: str | None = None
    """Of the name and the description."""

    after: tuple[datetime, str] | None = None
    """Start and id of the last session of the page before."""

    limit: int = 100


@dataclass(frozen=True, slots=True)
class SessionWish:
    """What is to change; what is None stays as it was."""

    name: str | None = None
    description: str | None = None
    status: Status | None = None
    stream_ids: list[str] | None = None


class SessionStore:
    """Reads and changes sessions through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._audit = AuditStore(connection)

    async def insert(
        self, session_id: str, wish: SessionWish, *, actor: Caller, now: datetime
    ) -> Row:
        """Make a session and its own stream."""
        async with self._connection.transaction(isolation="read_committed"):
            name, description = wish.name or "", wish.description or ""
            await self._connection.execute(
                SQL["insert_session"], session_id, name, description, now, actor.name
            )
            await self._connection.execute(SQL["insert_stream"], session_id, name, STREAM_KIND)
            await self._connection.execute(SQL["insert_streams"], session_id, wish.stream_ids or [])
            row = await self.get(session_id)
            await self._audit.insert(actor, "session.create", session_id, before=None, after=row)
        return row

    async def get(self, session_id: str) -> Row:
        """Return one session.

        Raises:
            NotFoundError: There is no such session.
        """
        for row in await self.list_named([session_id]):
            return row
        raise NotFoundError(f"There is no session {session_id!r}.")

    async def list_named(self, session_ids: Sequence[str]) -> list[Row]:
        """Return those of some sessions that there are, in no order."""
        rows = await self._connection.fetch(SQL["list_named"], session_ids, len(session_ids))
        return [dict(row) for row in rows]

    async def list_sessions(self, wanted: SessionFilter) -> list[Row]:
        """Return sessions, newest first."""
        rows = await self._connection.fetch(
            SQL["list_sessions"],
            wanted.status,
            wanted.patterns,
            *(wanted.after or (None, None)),
            wanted.limit,
            wanted.words,
        )
        return [dict(row) for row in rows]

    async def change(
        self, session_id: str, wish: SessionWish, *, actor: Caller, now: datetime
    ) -> tuple[Row, Row]:
        """Change a session; return it as it was and as it is. The same again changes nothing.

        Ending it writes its summary, and opening it again takes its end and summary away.

        Raises:
            NotFoundError: There is no such session.
        """
        async with self._connection.transaction(isolation="read_committed"):
            await self._connection.execute(SQL["lock_session"], session_id)
            before = await self.get(session_id)
            state = SessionState(before["status"], before["ended_at"])
            after = change_status(state, wish.status or state.status, now)
            chosen = {
                name: before[name] if (value := getattr(wish, name)) is None else value
                for name in ("name", "description", "stream_ids")
            }
            if after == state and all(before[name] == chosen[name] for name in chosen):
                return before, before
            wanted = before | chosen | {"status": after.status, "ended_at": after.ended_at}
            await self._write(wanted, before, actor=actor, now=now)
            row = await self.get(session_id)
            facts = [{**each, "summary": None} for each in (before, row)]
            await self._audit.insert(
                actor, "session.update", session_id, before=facts[0], after=facts[1]
            )
        return before, row

    async def delete(self, session_id: str, *, actor: Caller) -> Row:
        """Take a session away with its notes; its stream is deleted as any other.

        Raises:
            NotFoundError: There is no such session.
        """
        async with self._connection.transaction(isolation="read_committed"):
            await self._connection.execute(SQL["lock_session"], session_id)
            before = await self.get(session_id)
            await self._connection.execute(SQL["delete_session"], session_id)
            await self._audit.insert(actor, "session.delete", session_id, before=before, after=None)
        return before

    async def summarise(self, session: Row, now: datetime) -> Row:
        """Return what a session comes to, from what is stored now."""
        start, end = session["started_at"], session["ended_at"] or now
        notes = await self._connection.fetch(SQL["list_note_counts"], session["id"], TYPES_MAX)
        channels = await self._connection.fetch(
            SQL["list_channel_sums"], session["id"], session["stream_ids"], start, end, CHANNELS_MAX
        )
        moments = await self._connection.fetch(
            SQL["list_moment_counts"], list_streams(session), start, end, TYPES_MAX
        )
        return write_summary(
            session,
            notes={row["type"]: row["notes"] for row in notes},
            channels=[dict(row) for row in channels],
            moments={row["moment_type"]: row["moments"] for row in moments},
            now=now,
        )

    async def _write(self, wanted: Row, before: Row, *, actor: Caller, now: datetime) -> None:
        session_id = wanted["id"]
        if wanted["stream_ids"] != before["stream_ids"]:
            await self._connection.execute(SQL["delete_streams"], session_id)
            await self._connection.execute(SQL["insert_streams"], session_id, wanted["stream_ids"])
        if wanted["name"] != before["name"]:
            await self._connection.execute(
                SQL["insert_stream"], session_id, wanted["name"], STREAM_KIND
            )
        has_ended = wanted["status"] == "ended"
        summary = before["summary"]
        if wanted["status"] != before["status"]:
            summary = await self.summarise(wanted, now) if has_ended else None
        await self._connection.execute(
            SQL["update_session"],
            session_id,
            wanted["name"],
            wanted["description"],
            wanted["status"],
            wanted["ended_at"],
            summary,
            actor.name,
            now,
        )
