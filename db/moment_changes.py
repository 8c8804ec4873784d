"""Changes of moments: noted where a moment is written, taken where alerts are decided.

    moment written ┐                       ┌ deliveries written
    change noted   ┘ one transaction ─► one transaction: change deleted

So no moment is written of which nobody could be told, and no change is taken of which nothing came.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("moment_changes")

CHANNEL: Final = "moment_changes"
"""Where the database tells of them."""

COUNTED_MAX: Final = 1000
"""More that wait are not counted: it is enough to see that they do."""


@dataclass(frozen=True, slots=True)
class MomentChange:
    """That a moment was written."""

    change_id: int
    moment_id: str
    timestamp: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits, and since when."""

    count: int
    oldest_at: datetime | None


class MomentChangeStore:
    """Notes and takes changes through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def note(self, moments: Iterable[Mapping[str, Any]]) -> None:
        """Note that moments were written; in the transaction that does so."""
        named = [(moment["moment_id"], moment["timestamp"]) for moment in moments]
        if named:
            ids, times = zip(*named, strict=True)
            await self._connection.execute(SQL["note_changes"], ids, times)

    async def take(self, limit: int) -> list[MomentChange]:
        """Return changes, oldest first, that nobody else has at hand."""
        rows = await self._connection.fetch(SQL["list_changes"], limit)
        return [MomentChange(*row) for row in rows]

    async def delete(self, changes: Sequence[MomentChange]) -> None:
        """Let go of changes that were decided about."""
        await self._connection.execute(
            SQL["delete_changes"], [change.change_id for change in changes]
        )

    async def measure(self) -> Waiting:
        """Return what waits."""
        row = await self._connection.fetchrow(SQL["measure_changes"], COUNTED_MAX)
        assert row is not None  # noqa: S101 (an aggregate has one row)
        return Waiting(*row)
