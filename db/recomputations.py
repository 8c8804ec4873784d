"""Recomputations: what is stored of a span, in columns, and the rows that a recount puts there.

Reads go through COPY: an hour of many streams is a million rows, and goes straight into a frame.
"""

import io
from datetime import datetime
from typing import Final

import polars as pl

from core.errors import InvalidError
from core.events import TIMESTAMP
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("recomputations")

ROWS_MAX: Final = 5_000_000
"""Of one table in one span; an hour of 80 000 streams. More is refused, not cut."""

SHARDS_MAX: Final = 1024

EMOTES: Final = pl.List(pl.Struct({"emote": pl.String(), "count": pl.Int64()}))

_STREAM: Final = {"stream_id": pl.String(), "minute": pl.Int64()}
_STATE: Final = {"revision": pl.Int64(), "final": pl.String()}

CHAT_ROWS: Final = pl.Schema(
    {
        **_STREAM,
        "chat_count": pl.Int64(),
        "unique_chatters": pl.Int64(),
        "avg_sentiment": pl.Float64(),
        "avg_viewers": pl.Float64(),
        "peak_viewers": pl.Float64(),
        "emotes": pl.String(),
        **_STATE,
    }
)
READING_ROWS: Final = pl.Schema(
    {
        "stream_id": pl.String(),
        "channel": pl.String(),
        "minute": pl.Int64(),
        "count": pl.Int64(),
        **{name: pl.Float64() for name in ("mean", "min", "max", "stddev", "last")},
        **_STATE,
    }
)
TRANSACTION_ROWS: Final = pl.Schema(
    {
        **_STREAM,
        "kind": pl.String(),
        "currency": pl.String(),
        "count": pl.Int64(),
        "amount": pl.Float64(),
    }
)
LATE_ROWS: Final = pl.Schema(
    {**_STREAM, "type": pl.String(), "offset": pl.Int64(), "applied": pl.String()}
)


class RecomputationStore:
    """Reads stored minutes and replaces them, through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read_chat(
        self, start: datetime, end: datetime, stream_id: str | None
    ) -> pl.DataFrame:
        """Return chat minutes of a span with all that is compared."""
        rows = await self._read("list_chat_rows", CHAT_ROWS, start, end, stream_id)
        return rows.with_columns(_is_true("final"), pl.col("emotes").str.json_decode(EMOTES))

    async def read_readings(
        self, start: datetime, end: datetime, stream_id: str | None
    ) -> pl.DataFrame:
        """Return channel minutes of a span."""
        rows = await self._read("list_reading_rows", READING_ROWS, start, end, stream_id)
        return rows.with_columns(_is_true("final"))

    async def read_transactions(
        self, start: datetime, end: datetime, stream_id: str | None
    ) -> pl.DataFrame:
        """Return transactions of a span, by minute, kind and currency."""
        return await self._read("list_transaction_rows", TRANSACTION_ROWS, start, end, stream_id)

    async def read_late(
        self, start: datetime, end: datetime, stream_id: str | None
    ) -> pl.DataFrame:
        """Return which events came too late, by stream, minute, type and entry."""
        rows = await self._read("list_late", LATE_ROWS, start, end, stream_id)
        return rows.with_columns(_is_true("applied"))

    async def read_offsets(self) -> dict[int, int]:
        """Return the offset through which the flow has applied each shard."""
        rows = await self._connection.fetch(SQL["list_offsets"], SHARDS_MAX)
        return {row["shard"]: row["applied_offset"] for row in rows}

    async def lock(self, hour: datetime) -> None:
        """Hold other recomputations of an hour off until the transaction ends."""
        await self._connection.execute(SQL["lock_late"], hour)

    async def replace(self, chat: str, readings: str, late: str) -> tuple[int, int]:
        """Write recomputed rows and mark their late events, all given as JSON.

        Returns:
            How many minutes were written, and how many listings of late events were marked.
        """
        written = await self._execute("upsert_chat", chat)
        written += await self._execute("upsert_readings", readings)
        return written, await self._execute("mark_applied", late)

    async def _execute(self, name: str, rows: str) -> int:
        status = await self._connection.execute(SQL[name], rows)
        return int(status.rpartition(" ")[2])

    async def _read(
        self, name: str, schema: pl.Schema, start: datetime, end: datetime, stream_id: str | None
    ) -> pl.DataFrame:
        buffer = io.BytesIO()
        await self._connection.copy_from_query(
            SQL[name], start, end, stream_id, ROWS_MAX, output=buffer, format="csv"
        )
        buffer.seek(0)
        if not buffer.getbuffer().nbytes:
            rows = pl.DataFrame(schema=schema)
        else:
            rows = pl.read_csv(buffer, has_header=False, schema=schema)
        if rows.height >= ROWS_MAX:
            raise InvalidError("More minutes lie in an hour than are read at once. Name a stream.")
        return rows.with_columns(pl.col("minute").cast(TIMESTAMP))


def _is_true(name: str) -> pl.Expr:
    return pl.col(name) == "t"
