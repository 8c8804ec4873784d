"""Boards: made, changed and deleted, each change with its entry in the audit log."""

from typing import Any, Final

from core.boards import BOARDS_MAX
from core.errors import ConflictError, NotFoundError, PreconditionFailedError
from core.keys import Caller
from db.audit_log import AuditStore
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("boards")

LOCK_ID: Final = 0x7E1E3E7E
"""Key of the advisory lock that changes of boards hold."""

CHOSEN: Final = ("name", "range_s", "charts")
"""What people choose of a board."""

Row = dict[str, Any]


class BoardStore:
    """Reads and changes boards through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._audit = AuditStore(connection)

    async def put(self, board_id: str, chosen: Row, *, version: int | None, actor: Caller) -> Row:
        """Make a board, or change the one of that id; the same again changes nothing.

        Args:
            board_id: Which one.
            chosen: Name, range and charts.
            version: The one that whoever wishes has seen; None when that does not matter.
            actor: Who wishes.

        Raises:
            NotFoundError: A version is named, and there is no such board any more.
            PreconditionFailedError: Somebody changed it since that version.
            ConflictError: Another one has the name, or there are as many as there may be.
        """
        async with self._connection.transaction(isolation="read_committed"):
            await self._connection.execute(SQL["lock_changes"], LOCK_ID)
            before = await self._find(board_id)
            if before is not None and all(before[name] == chosen[name] for name in CHOSEN):
                return before
            _require_version(board_id, before, version)
            await self._require_room(board_id, chosen["name"], is_new=before is None)
            statement = "insert_board" if before is None else "replace_board"
            row = await self._write(statement, board_id, chosen, actor)
            action = "board.create" if before is None else "board.put"
            await self._audit.insert(actor, action, board_id, before=before, after=row)
        return row

    async def delete(self, board_id: str, *, version: int | None, actor: Caller) -> Row:
        """Take a board away and return it: ``put`` brings it back.

        Raises:
            NotFoundError: There is no such board.
            PreconditionFailedError: Somebody changed it since that version.
        """
        async with self._connection.transaction(isolation="read_committed"):
            await self._connection.execute(SQL["lock_changes"], LOCK_ID)
            before = await self.get(board_id)
            _require_version(board_id, before, version)
            await self._connection.execute(SQL["delete_board"], board_id)
            await self._audit.insert(actor, "board.delete", board_id, before=before, after=None)
        return before

    async def get(self, board_id: str) -> Row:
        """Return one board.

        Raises:
            NotFoundError: There is no such board.
        """
        row = await self._find(board_id)
        if row is None:
            raise NotFoundError(f"There is no board {board_id!r}.")
        return row

    async def list_boards(self, *, after: str | None, limit: int) -> list[Row]:
        """Return boards by name, from after a name on."""
        rows = await self._connection.fetch(SQL["list_boards"], after, limit)
        return [dict(row) for row in rows]

    async def _find(self, board_id: str) -> Row | None:
        row = await self._connection.fetchrow(SQL["get_board"], board_id)
        return None if row is None else dict(row)

    async def _require_room(self, board_id: str, name: str, *, is_new: bool) -> None:
        if await self._connection.fetchval(SQL["find_namesake"], name, board_id) is not None:
            raise ConflictError(f"There is a board {name!r} already. Take another name.")
        if is_new and await self._connection.fetchval(SQL["count_boards"]) >= BOARDS_MAX:
            raise ConflictError(f"There are {BOARDS_MAX} boards already. Delete one first.")

    async def _write(self, statement: str, board_id: str, chosen: Row, actor: Caller) -> Row:
        values = [chosen[name] for name in CHOSEN]
        row = await self._connection.fetchrow(SQL[statement], board_id, *values, actor.name)
        assert row is not None  # noqa: S101 (the statement returns the row that it wrote)
        return dict(row)


def _require_version(board_id: str, before: Row | None, version: int | None) -> None:
    if version is None:
        return
    if before is None:
        raise NotFoundError(f"There is no board {board_id!r} any more.")
    if before["version"] != version:
        raise PreconditionFailedError(
            f"The board is at version {before['version']}, changed by {before['updated_by']}."
            " Read it again, then decide."
        )
