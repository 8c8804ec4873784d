"""Commits: everything that a group of changes brings, in one transaction with its offsets.

    changes of several shards -> lock their offsets -> minutes -> roll-ups -> moments, streams,
    raw points, lists of what was late or unreadable -> move the offsets

The rows of the shards are locked first. Whatever a restarted flow offers again is recognised by
its offset: raw points are left out, full rows are no newer than what is stored. Each commit goes
through the tables in the same order, so that two of them never wait for one another in a circle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import polars as pl

from core.changes import Changes
from core.dead_letters import DeadLetter
from core.moment_lives import write_moment
from core.moments import Moment
from db.groups import Group, Offer
from db.moment_changes import MomentChangeStore
from db.moments import MomentStore
from db.pool import Connection
from db.queries import load_queries
from db.roll_ups import RollUpStore
from db.rows import copy_rows, write_emotes, write_rows

SQL: Final = load_queries("commits")

Row = Mapping[str, Any]

_COPIES: Final = (
    (
        "viewers",
        "viewer_timeseries",
        {"stream_id": "stream_id", "timestamp": "timestamp", "value": "viewers"},
    ),
    (
        "reading",
        "readings",
        {
            "stream_id": "stream_id",
            "channel": "channel",
            "timestamp": "timestamp",
            "value": "value",
            "unit": "unit",
        },
    ),
    (
        "transaction",
        "transactions",
        {
            "stream_id": "stream_id",
            "timestamp": "timestamp",
            "kind": "kind",
            "amount": "amount",
            "currency": "currency",
            "user": "user_name",
        },
    ),
)
"""Type of event, the table that keeps its raw points, and which column goes where."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit did with one of its changes."""

    events: int
    """Events that came with changes that moved the offset, else 0; for progress, not for sums: a
    replay that cuts the entries differently brings some of them again."""

    skipped: bool
    """They lie before what was applied, and of none of their streams the group wrote a minute."""

    moments: tuple[Row, ...] = ()
    """Those that were written, as they are stored."""


class CommitStore:
    """Writes changes through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._moments = MomentStore(connection)
        self._moment_changes = MomentChangeStore(connection)
        self._roll_ups = RollUpStore(connection)

    async def commit(self, changes: Sequence[Changes]) -> list[Committed]:
        """Write a group of changes, all or nothing; those of one shard in the order given."""
        if not changes:
            return []
        # Statements must see what the flow before this one committed while we waited for it.
        async with self._connection.transaction(isolation="read_committed"):
            group = Group.line_up(changes, await self._lock(changes))
            renewed = await self._write_minutes(group)
            moments = await self._write_moments(group.gather_moments())
            await self._write_streams(group.gather_streams())
            await self._write_points(group.gather_points())
            await self._write_late(group.gather_late())
            await self._write_dead(group.gather_dead())
            await self._move(group.list_moves())
        return [_describe(offer, renewed, moments) for offer in group.offers]

    async def _lock(self, changes: Sequence[Changes]) -> dict[int, int]:
        shards = sorted({item.shard for item in changes})
        rows = await self._connection.fetch(SQL["lock_offsets"], shards)
        return {row["shard"]: row["applied_offset"] for row in rows}

    async def _write_minutes(self, group: Group) -> set[str]:
        """Write what is newer than what is stored; return which replayed streams that renewed."""
        asked = group.list_replayed_streams()
        chat, readings = group.gather_chat(), group.gather_readings()
        renewed: set[str] = set()
        if not chat.is_empty():
            written = await self._upsert("chat", write_emotes(chat), asked)
            renewed.update(written["renewed"])
            await self._roll_ups.roll_up_chat(written["streams"], written["starts"])
        if not readings.is_empty():
            written = await self._upsert("readings", readings, asked)
            renewed.update(written["renewed"])
            await self._roll_ups.roll_up_readings(
                written["streams"], written["channels"], written["starts"]
            )
        if not (transactions := group.gather_transactions()).is_empty():
            written = await self._upsert("transactions", transactions, asked)
            renewed.update(written["renewed"])
        return renewed

    async def _upsert(self, noun: str, rows: pl.DataFrame, asked: list[str]) -> asyncpg.Record:
        query = SQL[f"upsert_{noun}"]
        (written,) = await self._connection.fetch(query, write_rows(rows), asked)
        return written

    async def _write_moments(self, moments: Sequence[Moment]) -> dict[str, Row]:
        if not moments:
            return {}
        written = await self._moments.upsert([write_moment(moment) for moment in moments])
        await self._moment_changes.note(written)
        return {row["moment_id"]: row for row in written}

    async def _write_streams(self, streams: pl.DataFrame) -> None:
        if not streams.is_empty():
            await self._connection.execute(SQL["upsert_streams"], write_rows(streams))

    async def _write_points(self, points: pl.DataFrame) -> None:
        if points.is_empty():
            return
        for event_type, table, columns in _COPIES:
            rows = points.filter(pl.col("type") == event_type)
            if not rows.is_empty():
                named = rows.select(columns.keys()).rename(columns)
                await copy_rows(self._connection, table, named)

    async def _write_late(self, late: pl.DataFrame) -> None:
        if not late.is_empty():
            await self._connection.execute(SQL["insert_late"], write_rows(late))

    async def _write_dead(self, dead: Sequence[tuple[int, DeadLetter]]) -> None:
        if dead:
            await self._connection.execute(
                SQL["insert_dead_letters"],
                [shard for shard, _ in dead],
                [letter.offset for _, letter in dead],
                [letter.arrived_at for _, letter in dead],
                [letter.storable_reason for _, letter in dead],
                [letter.payload for _, letter in dead],
                [",".join(letter.stream_ids) for _, letter in dead],
            )

    async def _move(self, moves: dict[int, int]) -> None:
        if moves:
            await self._connection.execute(SQL["update_offsets"], [*moves], [*moves.values()])


def _describe(offer: Offer, renewed: set[str], moments: dict[str, Row]) -> Committed:
    events = offer.changes.events if offer.is_new else 0
    # Of a moment that several changes of the group moved on, only the last state was written.
    named = (moments.pop(moment.moment_id, None) for moment in offer.changes.moments)
    return Committed(
        events=events,
        skipped=offer.is_replay and renewed.isdisjoint(offer.list_streams()),
        moments=tuple(row for row in named if row is not None),
    )
