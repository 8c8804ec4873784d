"""Notes: written, changed with the version before kept, deleted and restored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.errors import ConflictError, NotFoundError, PreconditionFailedError
from core.keys import Caller
from core.moment_lives import show_moment
from core.notes import VERSIONS_MAX
from core.sessions import NOTES_MAX
from db.minutes import BEGINNING, END
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("notes")

CHOSEN: Final = ("timestamp", "speaker", "content", "type", "tags", "telemetry_snapshot")
"""What people choose of a note."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NoteFilter:
    """Which notes of a session a list names."""

    speaker: str | None = None
    type: str | None = None
    tag: str | None = None
    words: str | None = None
    start: datetime = BEGINNING
    end: datetime = END
    after: tuple[datetime, int] | None = None
    """Time and number of the last note of the page before."""

    limit: int = 100


class NoteStore:
    """Reads and changes the notes of one session through the connection it is given."""

    def __init__(self, connection: Connection, session_id: str) -> None:
        self._connection = connection
        self._session_id = session_id

    async def insert(self, note_id: str, chosen: Mapping[str, Any], *, actor: Caller) -> Row:
        """Write a note.

        Raises:
            NotFoundError: The session is gone.
            ConflictError: It has as many notes as it may have.
        """
        async with self._connection.transaction(isolation="read_committed"):
            written = await self._count(shown=1, written=1)
            if written is None:
                raise NotFoundError(f"There is no session {self._session_id!r} any more.")
            if written > NOTES_MAX:
                raise ConflictError(
                    f"{NOTES_MAX} notes were written in this session; no more fit. Make another."
                )
            values = [chosen[name] for name in CHOSEN]
            row = await self._connection.fetchrow(
                SQL["insert_note"], note_id, self._session_id, *values, actor.name
            )
            assert row is not None  # noqa: S101 (the statement returns the row that it wrote)
        return dict(row)

    async def change(
        self, note_id: str, wish: Mapping[str, Any], *, version: int | None, actor: Caller
    ) -> tuple[Row, bool]:
        """Change some of a note and keep what it was; return it, and whether that changed it.

        Args:
            note_id: Which one.
            wish: What is to change; what is left out stays.
            version: The one that whoever wishes has seen; None when that does not matter.
            actor: Who wishes.

        Raises:
            NotFoundError: There is no such note.
            PreconditionFailedError: Somebody changed it since that version.
            ConflictError: It was changed as often as it may be.
        """
        async with self._connection.transaction(isolation="read_committed"):
            before = await self._lock(note_id, version)
            chosen = {name: wish.get(name, before[name]) for name in CHOSEN}
            if all(before[name] == chosen[name] for name in CHOSEN):
                return before, False
            if await self._connection.fetchval(SQL["count_versions"], note_id) >= VERSIONS_MAX:
                raise ConflictError(
                    f"The note was changed {VERSIONS_MAX} times; no more fit. Write another."
                )
            await self._connection.execute(SQL["keep_version"], note_id, actor.name)
            row = await self._connection.fetchrow(
                SQL["update_note"], note_id, *chosen.values(), actor.name
            )
            assert row is not None  # noqa: S101 (the row is locked)
        return dict(row), True

    async def delete(
        self, note_id: str, *, version: int | None, actor: Caller, now: datetime
    ) -> Row:
        """Hide a note; ``restore`` brings it back.

        Raises:
            NotFoundError: There is no such note.
            PreconditionFailedError: Somebody changed it since that version.
        """
        async with self._connection.transaction(isolation="read_committed"):
            await self._lock(note_id, version)
            await self._count(shown=-1, written=0)
            return await self._mark(note_id, now, actor)

    async def restore(self, note_id: str, *, actor: Caller) -> tuple[Row, bool]:
        """Show a note again that was deleted; return it, and whether it was.

        Raises:
            NotFoundError: There never was such a note.
        """
        async with self._connection.transaction(isolation="read_committed"):
            before = await self._find("lock_note", note_id)
            if before["deleted_at"] is None:
                return before, False
            await self._count(shown=1, written=0)
            return await self._mark(note_id, None, actor), True

    async def get(self, note_id: str) -> Row:
        """Return one note.

        Raises:
            NotFoundError: There is no such note, or it was deleted.
        """
        return await self._find("get_note", note_id)

    async def list_notes(self, wanted: NoteFilter) -> list[Row]:
        """Return notes as time went on; each with its ``number``, by which pages go on."""
        rows = await self._connection.fetch(
            SQL["list_notes"],
            self._session_id,
            wanted.speaker,
            wanted.type,
            wanted.tag,
            wanted.words,
            wanted.start,
            wanted.end,
            *(wanted.after or (None, None)),
            wanted.limit,
        )
        return [dict(row) for row in rows]

    async def list_versions(self, note_id: str) -> list[Row]:
        """Return what a note was before, newest first; also of one that was deleted.

        Raises:
            NotFoundError: There never was such a note.
        """
        await self._find("lock_note", note_id)
        rows = await self._connection.fetch(SQL["list_versions"], note_id, VERSIONS_MAX + 1)
        return [dict(row) for row in rows]

    async def list_moments(self, now: datetime) -> list[Row]:
        """Return the moments that notes tell of, oldest first."""
        rows = await self._connection.fetch(SQL["list_moments"], self._session_id, NOTES_MAX)
        return [show_moment(dict(row), now) for row in rows]

    async def _find(self, statement: str, note_id: str) -> Row:
        row = await self._connection.fetchrow(SQL[statement], note_id, self._session_id)
        if row is None:
            raise NotFoundError(f"There is no note {note_id!r} in this session.")
        return dict(row)

    async def _lock(self, note_id: str, version: int | None) -> Row:
        row = await self._find("lock_note", note_id)
        if row["deleted_at"] is not None:
            raise NotFoundError(f"The note {note_id!r} was deleted. Restore it first.")
        if version is not None and version != row["version"]:
            raise PreconditionFailedError(
                f"The note is at version {row['version']}, changed by {row['updated_by']}."
                " Read it again, then decide."
            )
        return row

    async def _mark(self, note_id: str, deleted_at: datetime | None, actor: Caller) -> Row:
        row = await self._connection.fetchrow(SQL["mark_note"], note_id, deleted_at, actor.name)
        assert row is not None  # noqa: S101 (the row is locked)
        return dict(row)

    async def _count(self, *, shown: int, written: int) -> int | None:
        total: int | None = await self._connection.fetchval(
            SQL["count_note"], self._session_id, shown, written
        )
        return total
