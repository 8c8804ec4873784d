"""Commits: everything a batch changed, in one transaction with the offset it was read up to.

The row of the shard is locked first. Whatever a restarted flow offers again is recognised by its
offset: raw events are left out, full rows are no newer than what is stored.
"""

import io
from dataclasses import dataclass
from typing import Final

import orjson
import polars as pl

from core.changes import Changes, to_chat_rows, to_reading_rows
from core.live import write_moment
from core.moments import Moment
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("commits")

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
    """What a commit did."""

    events: int
    """Events applied now; 0 when a replay offered what is applied already."""

    skipped: bool
    """Everything in it was stored already."""


class CommitStore:
    """Writes changes through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def commit(self, changes: Changes) -> Committed:
        """Write changes, all or nothing."""
        async with self._connection.transaction():
            applied = await self._lock(changes.shard)
            events = _not_before(changes.events, applied)
            late = _not_before(changes.late, applied)
            # Also in a replay: the clock may complete a minute now that it did not before.
            written = await self._write_rows(changes)
            if not events.is_empty():
                await self._write_events(events)
            if not late.is_empty():
                await self._execute("insert_late", _late_rows(late))
            if changes.offset > applied:
                await self._connection.execute(SQL["update_offset"], changes.shard, changes.offset)
        return Committed(events=events.height, skipped=changes.offset < applied and written == 0)

    async def _lock(self, shard: int) -> int:
        applied = await self._connection.fetchval(SQL["lock_offset"], shard)
        if applied is None:
            await self._connection.execute(SQL["insert_offset"], shard)
            applied = await self._connection.fetchval(SQL["lock_offset"], shard)
        return int(applied)

    async def _write_rows(self, changes: Changes) -> int:
        """Write what is newer than what is stored; return how many minutes that were."""
        written = 0
        if not changes.chat.is_empty():
            written += await self._execute("upsert_chat", to_chat_rows(changes.chat).write_json())
        if not changes.readings.is_empty():
            rows = to_reading_rows(changes.readings)
            written += await self._execute("upsert_readings", rows.write_json())
        if changes.moments:
            await self._execute("upsert_moments", _moment_rows(changes.moments))
        return written

    async def _write_events(self, events: pl.DataFrame) -> None:
        await self._execute("upsert_streams", _stream_rows(events))
        for event_type, table, columns in _COPIES:
            points = events.filter(pl.col("type") == event_type)
            if not points.is_empty():
                await self._copy(table, points.select(columns.keys()).rename(columns))

    async def _execute(self, name: str, rows: str) -> int:
        status = await self._connection.execute(SQL[name], rows)
        return int(status.rpartition(" ")[2])

    async def _copy(self, table: str, points: pl.DataFrame) -> None:
        buffer = io.BytesIO()
        points.with_columns(pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")).write_csv(
            buffer, include_header=False, quote_style="non_numeric"
        )
        buffer.seek(0)
        await self._connection.copy_to_table(
            table, source=buffer, columns=points.columns, format="csv"
        )


def _not_before(rows: pl.DataFrame, applied: int) -> pl.DataFrame:
    return rows if rows.is_empty() else rows.filter(pl.col("offset") > applied)


def _stream_rows(events: pl.DataFrame) -> str:
    title = pl.col("title").filter(pl.col("type") == "meta").drop_nulls()
    return (
        events.group_by("stream_id")
        .agg(
            title=title.last(),
            last_event_at=pl.col("timestamp").max().dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
        )
        .sort("stream_id")
        .write_json()
    )


def _late_rows(late: pl.DataFrame) -> str:
    return late.select(
        "stream_id",
        "type",
        "events",
        window_start=pl.col("minute").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        batch_offset="offset",
    ).write_json()


def _moment_rows(moments: tuple[Moment, ...]) -> str:
    rows = [{**write_moment(moment), "revision": moment.revision} for moment in moments]
    return orjson.dumps(rows).decode()
