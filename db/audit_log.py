"""Audit log: who changed what, written in the transaction of the change itself."""

from typing import Any, Final

from core.keys import Caller
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("audit_log")

Facts = dict[str, Any] | None
"""How a thing was or is; never with a secret."""


class AuditStore:
    """Writes and reads entries through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def insert(
        self, actor: Caller, action: str, target: str, *, before: Facts, after: Facts
    ) -> None:
        """Write one entry.

        Args:
            actor: Who did it.
            action: Noun and verb, ``key.revoke``.
            target: The id of what was changed.
            before: How it was; None when it was not there.
            after: How it is now; None when it is gone.
        """
        await self._connection.execute(
            SQL["insert_entry"], actor.key_id, actor.name, action, target, before, after
        )

    async def list_entries(self, *, before_id: int | None, limit: int) -> list[dict[str, Any]]:
        """Return entries, newest first."""
        rows = await self._connection.fetch(SQL["list_entries"], before_id, limit)
        return [dict(row) for row in rows]
