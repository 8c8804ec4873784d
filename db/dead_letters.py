"""Dead letters: bus entries that the flow could not read, kept as they came."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from core.dead_letters import name_letter
from core.errors import ConflictError, NotFoundError
from core.keys import Caller
from db.audit_log import AuditStore
from db.minutes import BEGINNING, END
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("dead_letters")

PAGE_LETTERS: Final = 20
"""Read at once with their bytes: a letter may be as large as a request."""

REASONS_MAX: Final = 100
"""Reasons that are counted, the most frequent ones; the text of an error may never come twice."""

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One entry and why it was not read."""

    shard: int
    offset: int
    reason: str
    payload: bytes

    @property
    def letter_id(self) -> str:
        """What it is called."""
        return name_letter(self.shard, self.offset)


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which letters a list names."""

    start: datetime = BEGINNING
    end: datetime = END
    reason: str | None = None
    """A part of it."""

    stream_id: str | None = None
    is_waiting: bool | None = None
    """Whether it was not put on the bus again yet; None for all."""

    after: tuple[datetime, int, int] = (END, 0, 0)
    """Arrival, shard and offset of the last letter of the page before."""


class DeadLetterStore:
    """Reads and marks dead letters through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_letters(self, wanted: LetterFilter, *, limit: int) -> list[Row]:
        """Return letters without their bytes, newest first."""
        rows = await self._connection.fetch(
            SQL["list_letters"],
            wanted.start,
            wanted.end,
            wanted.reason,
            wanted.stream_id,
            wanted.is_waiting,
            *wanted.after,
            limit,
        )
        return [dict(row) for row in rows]

    async def find(self, place: tuple[int, int], *, bytes_max: int) -> Row | None:
        """Return a letter by shard and offset, with the beginning of its bytes."""
        row = await self._connection.fetchrow(SQL["find_letter"], *place, bytes_max)
        return None if row is None else dict(row)

    async def count_by_reason(self, start: datetime, end: datetime) -> list[Row]:
        """Return how many letters there are for each reason, the most frequent first."""
        rows = await self._connection.fetch(SQL["count_by_reason"], start, end, REASONS_MAX)
        return [dict(row) for row in rows]

    async def count_by_time(
        self, start: datetime, end: datetime, *, unit: str, limit: int
    ) -> list[Row]:
        """Return how many letters arrived in each hour or day that has any, oldest first."""
        rows = await self._connection.fetch(SQL["count_by_time"], start, end, unit, limit)
        return [dict(row) for row in rows]

    async def list_waiting(
        self,
        *,
        reason: str | None,
        stream_id: str | None = None,
        after: tuple[int, int] = (-1, -1),
        limit: int = PAGE_LETTERS,
    ) -> list[DeadLetter]:
        """Return letters that were not replayed yet, oldest first.

        Args:
            reason: A part of the reason that they share.
            stream_id: A stream that they are about.
            after: Offset and shard of the last letter of the page before.
            limit: How many.
        """
        rows = await self._connection.fetch(SQL["list_waiting"], reason, stream_id, *after, limit)
        return [DeadLetter(*row) for row in rows]

    async def count_waiting(self, *, reason: str | None, stream_id: str | None = None) -> int:
        """Return how many letters were not replayed yet."""
        return int(await self._connection.fetchval(SQL["count_waiting"], reason, stream_id))

    @asynccontextmanager
    async def replaying(self, place: tuple[int, int], actor: Caller) -> AsyncIterator[DeadLetter]:
        """Lend a letter to put it on the bus; behind it, it is marked, and written down who did.

        Raises:
            NotFoundError: There is no such letter.
            ConflictError: It was replayed already.
        """
        async with self._connection.transaction():
            row = await self._connection.fetchrow(SQL["lock_letter"], *place)
            if row is None:
                raise NotFoundError(f"There is no dead letter {name_letter(*place)!r}.")
            *facts, replayed_at = row
            letter = DeadLetter(*facts)
            if replayed_at is not None:
                raise ConflictError(f"The dead letter {letter.letter_id} was replayed already.")
            yield letter
            replayed_at = await self.mark_replayed(letter)
            await AuditStore(self._connection).insert(
                actor,
                "dead_letter.replay",
                letter.letter_id,
                before={"replayed_at": None, "reason": letter.reason},
                after={"replayed_at": replayed_at},
            )

    async def mark_replayed(self, letter: DeadLetter) -> datetime | None:
        """Note that a letter is on the bus again; return when, or None when it was noted before."""
        replayed_at: datetime | None = await self._connection.fetchval(
            SQL["mark_replayed"], letter.shard, letter.offset
        )
        return replayed_at
