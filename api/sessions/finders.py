"""Finder of sessions: who asks for some at the same time asks the database once.

    point ─┐
    point ─┼─ a few ms ─► one query ─► each the session of its own, as it is stored now
    point ─┘

Nothing is kept: a lone request is told what a query of its own would have told it.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from core.errors import NotFoundError
from core.gatherings import Gathering, GatheringPolicy
from db.pool import Pool
from db.sessions import SessionStore

POLICY: Final = GatheringPolicy(questions_max=256, wait=timedelta(milliseconds=5))
"""As for small bodies: points that were looked up together go on the bus together."""

Row = dict[str, Any]


class SessionFinder:
    """Finds sessions by their ids."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._gathering: Gathering[str, Row | None] = Gathering(self._find_all, POLICY)

    async def get(self, session_id: str) -> Row:
        """Return a session.

        Raises:
            NotFoundError: There is no such session.
            DatabaseAwayError: Nobody can say.
        """
        row = await self._gathering.ask(session_id)
        if row is None:
            raise NotFoundError(f"There is no session {session_id!r}.")
        # Others were given the same row.
        return dict(row)

    async def _find_all(self, session_ids: Sequence[str]) -> Sequence[Row | None]:
        async with self._pool.connection() as connection:
            rows = await SessionStore(connection).list_named(sorted(set(session_ids)))
        found = {row["id"]: row for row in rows}
        return [found.get(session_id) for session_id in session_ids]
