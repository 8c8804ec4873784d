"""Notes of moments: one in each session that was going on, kept to what the flow says of a moment.

moments without a note ─► notes, the sessions' counts ┐
moments told anew ──────► notes revised               ┴ one transaction, the same when done twice
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from core.notes import (
    SYSTEM,
    describe_moment_note,
    list_moment_tags,
    make_note_id,
    revise_moment_note,
)
from db.pool import Connection
from db.queries import load_queries
from db.session_telemetry import SessionTelemetryStore

SQL: Final = load_queries("moment_notes")

SESSIONS_MAX: Final = 1000
"""Sessions that are looked at in one round: those that go on, then those that ended last."""

NOTES_MAX: Final = 200
"""Notes written or revised in one round."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """What one round wrote."""

    created: list[Row]
    updated: list[Row]
    is_full: bool
    """Whether there may be more at once."""


class MomentNoteStore:
    """Writes notes of moments through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def write(self, *, since: datetime, ended_since: datetime, now: datetime) -> Written:
        """Write notes of moments that have none, and revise those that say what was said before.

        Args:
            since: Moments that began earlier are not looked at.
            ended_since: Sessions that ended earlier are not looked at.
            now: Moments that begin later are left to a later round.
        """
        async with self._connection.transaction(isolation="read_committed"):
            rows = await self._connection.fetch(
                SQL["list_unwritten"], since, now, ended_since, SESSIONS_MAX, NOTES_MAX
            )
            found = [dict(row) for row in rows]
            created = await self._insert([row for row in found if row["note_id"] is None])
            updated = await self._revise([row for row in found if row["note_id"] is not None])
        return Written(created, updated, is_full=len(found) >= NOTES_MAX)

    async def _insert(self, found: Sequence[Mapping[str, Any]]) -> list[Row]:
        if not found:
            return []
        notes = [await self._make_note(row) for row in found]
        rows = await self._connection.fetch(SQL["insert_notes"], orjson.dumps(notes).decode())
        counts = Counter(row["session_id"] for row in rows)
        # In one order: two rounds never wait for one another in a circle.
        sessions = sorted(counts)
        added = [counts[name] for name in sessions]
        await self._connection.execute(SQL["count_notes"], sessions, added)
        return [dict(row) for row in rows]

    async def _make_note(self, row: Mapping[str, Any]) -> Row:
        session = {"id": row["session_id"], "stream_ids": row["stream_ids"]}
        snapshots = SessionTelemetryStore(self._connection)
        return {
            "note_id": make_note_id(),
            "session_id": row["session_id"],
            "timestamp": row["timestamp"],
            "content": describe_moment_note(row),
            "tags": list_moment_tags(row),
            "telemetry_snapshot": await snapshots.take_snapshot(session, row["timestamp"]),
            "author": SYSTEM,
            "moment_id": row["moment_id"],
            "moment_revision": row["revision"],
        }

    async def _revise(self, found: Sequence[Mapping[str, Any]]) -> list[Row]:
        """Revise notes; return those of which the text changed."""
        if not found:
            return []
        before = {row["note_id"]: row["content"] for row in found}
        notes = [
            {
                "note_id": row["note_id"],
                "version": row["version"],
                "content": revise_moment_note(row["content"], row, is_edited=row["version"] > 1),
                "moment_revision": row["revision"],
            }
            for row in found
        ]
        edited = [
            note["note_id"]
            for note in notes
            if note["version"] > 1 and note["content"] != before[note["note_id"]]
        ]
        await self._connection.execute(SQL["keep_versions"], edited, SYSTEM)
        rows = await self._connection.fetch(SQL["revise_notes"], orjson.dumps(notes).decode())
        return [dict(row) for row in rows if row["content"] != before[row["id"]]]
