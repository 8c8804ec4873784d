"""Dead letters: bus entries that the flow could not read, kept as they came."""

from dataclasses import dataclass
from typing import Final

from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("dead_letters")

PAGE_LETTERS: Final = 20
"""Read at once: a letter may be as large as a request."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One entry and why it was not read."""

    shard: int
    offset: int
    reason: str
    payload: bytes


class DeadLetterStore:
    """Reads and marks dead letters through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_waiting(
        self, *, reason: str | None, after: tuple[int, int] = (-1, -1), limit: int = PAGE_LETTERS
    ) -> list[DeadLetter]:
        """Return letters that were not replayed yet, oldest first.

        Args:
            reason: A part of the reason that they share.
            after: Offset and shard of the last letter of the page before.
            limit: How many.
        """
        rows = await self._connection.fetch(SQL["list_waiting"], reason, *after, limit)
        return [DeadLetter(*row) for row in rows]

    async def count_waiting(self, *, reason: str | None) -> int:
        """Return how many letters were not replayed yet."""
        return int(await self._connection.fetchval(SQL["count_waiting"], reason))

    async def mark_replayed(self, letter: DeadLetter) -> None:
        """Note that a letter is on the bus again."""
        await self._connection.execute(SQL["mark_replayed"], letter.shard, letter.offset)
