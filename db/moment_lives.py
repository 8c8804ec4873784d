"""Lives of moments: changed by people, each change with its entry and its line in the audit log.

lock the moment -> core.moment_lives decides -> moment, its change for alerts, entry, audit log:
one transaction
"""

from datetime import datetime
from typing import Any, Final

from core.errors import ConflictError, NotFoundError, PreconditionFailedError
from core.keys import Caller
from core.moment_lives import ENTRIES_MAX, MomentLife, Wish, act, find_state, read_life
from db.audit_log import AuditStore
from db.moment_changes import MomentChangeStore
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("moment_lives")

Row = dict[str, Any]


class MomentLifeStore:
    """Reads and changes lives through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._audit = AuditStore(connection)
        self._moment_changes = MomentChangeStore(connection)

    async def list_entries(self, moment_id: str) -> list[Row]:
        """Return what people did with a moment, oldest first."""
        rows = await self._connection.fetch(SQL["list_entries"], moment_id, ENTRIES_MAX)
        return [dict(row) for row in rows]

    async def change(
        self, moment_id: str, wish: Wish, *, version: int | None, actor: Caller, now: datetime
    ) -> Row:
        """Do what is wished; return the moment as it is stored then.

        Args:
            moment_id: Which one.
            wish: What to do with it.
            version: The one that whoever wishes has seen; None when that does not matter.
            actor: Who wishes.
            now: When.

        Raises:
            NotFoundError: There is no such moment any more.
            PreconditionFailedError: Somebody changed it since that version.
            ConflictError: That is not possible from here, or the life is full.
            InvalidError: It cannot be shelved until then.
        """
        async with self._connection.transaction(isolation="read_committed"):
            row = await self._lock(moment_id)
            life = read_life(row)
            if version is not None and version != life.version:
                raise PreconditionFailedError(
                    f"The moment is at version {life.version}. Read it again, then decide."
                )
            after = act(life, wish, ended_at=row["ended_at"], now=now)
            if after == life and not await self._adds_comment(moment_id, wish, actor):
                return row
            if life.version >= ENTRIES_MAX:
                raise ConflictError(f"The moment was changed {ENTRIES_MAX} times; no more fit.")
            return await self._write(row, after, wish, actor=actor, now=now)

    async def _lock(self, moment_id: str) -> Row:
        row = await self._connection.fetchrow(SQL["lock_moment"], moment_id)
        if row is None:
            raise NotFoundError(f"There is no moment {moment_id!r}.")
        return dict(row)

    async def _adds_comment(self, moment_id: str, wish: Wish, actor: Caller) -> bool:
        if wish.comment is None:
            return False
        repeated = await self._connection.fetchval(
            SQL["is_last_comment"], moment_id, actor.name, actor.key_id, wish.comment
        )
        return not repeated

    async def _write(
        self, row: Row, life: MomentLife, wish: Wish, *, actor: Caller, now: datetime
    ) -> Row:
        version = life.version + 1
        written = await self._connection.fetchrow(
            SQL["update_life"],
            row["moment_id"],
            row["timestamp"],
            life.state,
            life.former_state,
            life.shelved_until,
            life.label,
            version,
        )
        assert written is not None  # noqa: S101 (the row is locked)
        after = dict(written)
        await self._moment_changes.note([after])
        await self._connection.execute(
            SQL["insert_entry"],
            row["moment_id"],
            version,
            row["stream_id"],
            now,
            actor.key_id,
            actor.name,
            wish.action,
            find_state(life, row["ended_at"], now),
            life.shelved_until,
            wish.is_labelled,
            life.label,
            wish.comment,
        )
        facts = [_list_facts(known, now) for known in (row, after)]
        await self._audit.insert(
            actor, f"moment.{wish.name}", row["moment_id"], before=facts[0], after=facts[1]
        )
        return after


def _list_facts(row: Row, now: datetime) -> dict[str, Any]:
    """Return what the audit log says of a moment; comments stay with the moment."""
    life = read_life(row)
    return {
        "stream_id": row["stream_id"],
        "state": find_state(life, row["ended_at"], now),
        "shelved_until": life.shelved_until,
        "label": life.label,
        "version": life.version,
    }
