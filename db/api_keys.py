"""API keys: made, replaced and revoked, each change with its entry in the audit log.

A key's text never comes here, only its hash.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from core.errors import ConflictError, NotFoundError
from core.keys import KEYS_MAX, ApiKey, Caller, Scope, Secret, make_key_id
from db.audit_log import AuditStore
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("api_keys")

LOCK_ID: Final = 0x7E1E3E7B
"""Key of the advisory lock that changes of keys hold."""

Row = dict[str, Any]
"""A key as people see it: without its hash."""


class KeyStore:
    """Reads and changes keys through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._audit = AuditStore(connection)

    async def insert(
        self,
        secret: Secret,
        *,
        name: str,
        scopes: list[Scope],
        streams: list[str] | None,
        expires_at: datetime | None,
        actor: Caller,
    ) -> Row:
        """Make a key.

        Raises:
            ConflictError: There are as many as there may be.
        """
        async with self._connection.transaction():
            await self._connection.execute(SQL["lock_changes"], LOCK_ID)
            if await self.count_good() >= KEYS_MAX:
                raise ConflictError(f"There are {KEYS_MAX} keys already. Revoke one first.")
            row = await self._write(
                "insert_key",
                make_key_id(),
                name,
                secret.prefix,
                secret.digest,
                sorted(set(scopes)),
                streams,
                actor.name,
                expires_at,
            )
            await self._note(actor, "key.create", None, row)
        return row

    async def rotate(self, key_id: str, secret: Secret, *, actor: Caller) -> Row:
        """Give a key another secret; the one before opens nothing from now on.

        Raises:
            NotFoundError: There is no such key.
            ConflictError: It is revoked.
        """
        async with self._connection.transaction():
            await self._connection.execute(SQL["lock_changes"], LOCK_ID)
            before = await self.get(key_id)
            if before["revoked_at"] is not None:
                raise ConflictError(f"The key {key_id} is revoked. Make a new one.")
            row = await self._write("replace_secret", key_id, secret.prefix, secret.digest)
            await self._note(actor, "key.rotate", before, row)
        return row

    async def revoke(self, key_id: str, *, actor: Caller) -> Row:
        """Let a key open nothing any more; one that was revoked before stays as it is.

        Raises:
            NotFoundError: There is no such key.
        """
        async with self._connection.transaction():
            await self._connection.execute(SQL["lock_changes"], LOCK_ID)
            before = await self.get(key_id)
            if before["revoked_at"] is not None:
                return before
            row = await self._write("revoke_key", key_id)
            await self._note(actor, "key.revoke", before, row)
        return row

    async def get(self, key_id: str) -> Row:
        """Return one key.

        Raises:
            NotFoundError: There is no such key.
        """
        row = await self._connection.fetchrow(SQL["get_key"], key_id)
        if row is None:
            raise NotFoundError(f"There is no key {key_id!r}. `telemetra keys list` names them.")
        return dict(row)

    async def list_keys(self, *, after: tuple[datetime, str] | None, limit: int) -> list[Row]:
        """Return keys, the newest first; revoked and expired ones are among them.

        Args:
            after: Time of creation and id of the last key of the page before.
            limit: How many.
        """
        rows = await self._connection.fetch(SQL["list_keys"], *(after or (None, None)), limit)
        return [dict(row) for row in rows]

    async def list_good(self) -> list[ApiKey]:
        """Return every key that opens something now."""
        rows = await self._connection.fetch(SQL["list_good"], KEYS_MAX)
        return [_read_key(dict(row)) for row in rows]

    async def count_good(self) -> int:
        """Return how many keys open something now."""
        return int(await self._connection.fetchval(SQL["count_good"]))

    async def stamp_good(self) -> int:
        """Return a number that changes when ``list_good`` would."""
        return int(await self._connection.fetchval(SQL["stamp_good"]))

    async def exists_any(self) -> bool:
        """Whether a key was ever made, good or not."""
        return bool(await self._connection.fetchval(SQL["exists_any"]))

    async def note_uses(self, used_at: Mapping[str, datetime]) -> None:
        """Note when keys were last shown."""
        await self._connection.execute(SQL["note_uses"], list(used_at), list(used_at.values()))

    async def _write(self, statement: str, *values: object) -> Row:
        row = await self._connection.fetchrow(SQL[statement], *values)
        assert row is not None  # noqa: S101 (the statement returns the row that it wrote)
        return dict(row)

    async def _note(self, actor: Caller, action: str, before: Row | None, after: Row) -> None:
        await self._audit.insert(actor, action, after["key_id"], before=before, after=after)


def _read_key(row: Row) -> ApiKey:
    caller = Caller(
        name=row["name"],
        scopes=frozenset(Scope(scope) for scope in row["scopes"]),
        key_id=row["key_id"],
        prefix=row["prefix"],
        streams=None if row["streams"] is None else tuple(row["streams"]),
    )
    return ApiKey(caller, row["digest"], row["expires_at"])
