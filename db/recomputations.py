"""Recomputations: what is stored of a span, in columns, and the rows that a recount puts there.

Reads go through COPY: an hour of many streams is a million rows, and goes straight into a frame.
"""

import io
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

import polars as pl

from core.errors import InvalidError
from core.events import TIMESTAMP
from db.pool import Connection
from db.queries import load_queries
from db.roll_ups import RollUpStore
from db.rows import write_emotes, write_rows

SQL: Final = load_queries("recomputations")

ROWS_MAX: Final = 5_000_000
"""Of one table in one span; an hour of 80 000 streams. More is refused, not cut."""

SHARDS_MAX: Final = 1024

EMOTES: Final = pl.List(pl.Struct({"emote": pl.String(), "count": pl.Int64()}))

_STREAM: Final = {"stream_id": pl.String(), "minute": pl.Int64()}
_CHANNEL: Final = {"stream_id": pl.String(), "channel": pl.String(), "minute": pl.Int64()}
_SPREAD: Final = {name: pl.Float64() for name in ("mean", "min", "max", "stddev")}
_LAST: Final = {"last": pl.Float64(), "last_at": pl.Int64()}
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
        **_CHANNEL,
        "unit": pl.String(),
        "count": pl.Int64(),
        **_SPREAD,
        "p50": pl.Float64(),
        "p95": pl.Float64(),
        **_LAST,
        **_STATE,
    }
)
TRANSACTION_ROWS: Final = pl.Schema(
    {
        "stream_id": pl.String(),
        "kind": pl.String(),
        "currency": pl.String(),
        "minute": pl.Int64(),
        "count": pl.Int64(),
        "sum": pl.Float64(),
        **_STATE,
    }
)
CHAT_ROLL_UPS: Final = pl.Schema(
    {
        **_STREAM,
        "minutes": pl.Int64(),
        "chat_count": pl.Int64(),
        "unique_chatters": pl.Int64(),
        "top_emotes": pl.String(),
        "emotes": pl.String(),
        "avg_sentiment": pl.Float64(),
        "chat_rate": pl.Float64(),
        "watched_minutes": pl.Int64(),
        "avg_viewers": pl.Float64(),
        "peak_viewers": pl.Float64(),
        "revision": pl.Int64(),
    }
)
READING_ROLL_UPS: Final = pl.Schema(
    {
        **_CHANNEL,
        "minutes": pl.Int64(),
        "unit": pl.String(),
        "count": pl.Int64(),
        **_SPREAD,
        **_LAST,
        "revision": pl.Int64(),
    }
)
LATE_ROWS: Final = pl.Schema(
    {**_STREAM, "type": pl.String(), "offset": pl.Int64(), "applied_at": pl.Int64()}
)

Unit: TypeAlias = Literal["hours", "days"]


class RecomputationStore:
    """Reads stored minutes and replaces them, through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._roll_ups = RollUpStore(connection)

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
        return rows.with_columns(_is_true("final"), pl.col("last_at").cast(TIMESTAMP))

    async def read_transactions(
        self, start: datetime, end: datetime, stream_id: str | None
    ) -> pl.DataFrame:
        """Return minutes of transactions of a span."""
        rows = await self._read("list_transaction_rows", TRANSACTION_ROWS, start, end, stream_id)
        return rows.with_columns(_is_true("final"), pl.col("currency").fill_null(""))

    async def read_chat_roll_ups(
        self, unit: Unit, start: datetime, end: datetime, stream_id: str | None
    ) -> pl.DataFrame:
        """Return the hours or days of chat that begin in a span; ``minute`` is their start."""
        rows = await self._read(f"list_chat_{unit}", CHAT_ROLL_UPS, start, end, stream_id)
        return rows.with_columns(
            pl.col("emotes").str.json_decode(EMOTES),
            pl.col("top_emotes").str.json_decode(pl.List(pl.String())),
        )

    async def read_reading_roll_ups(
        self, unit: Unit, start: datetime, end: datetime, stream_id: str | None
    ) -> pl.DataFrame:
        """Return the hours or days of channels, likewise."""
        rows = await self._read(f"list_reading_{unit}", READING_ROLL_UPS, start, end, stream_id)
        return rows.with_columns(pl.col("last_at").cast(TIMESTAMP))

    async def read_late(
        self, start: datetime, end: datetime, stream_id: str | None
    ) -> pl.DataFrame:
        """Return which events came too late, by stream, minute, type and entry."""
        rows = await self._read("list_late", LATE_ROWS, start, end, stream_id)
        return rows.with_columns(pl.col("applied_at").cast(TIMESTAMP))

    async def read_offsets(self) -> dict[int, int]:
        """Return the offset through which the flow has applied each shard."""
        rows = await self._connection.fetch(SQL["list_offsets"], SHARDS_MAX)
        return {row["shard"]: row["applied_offset"] for row in rows}

    async def lock(self, hour: datetime) -> None:
        """Hold other recomputations of an hour off until the transaction ends."""
        await self._connection.execute(SQL["lock_late"], hour)

    async def replace(
        self,
        chat: pl.DataFrame,
        readings: pl.DataFrame,
        transactions: pl.DataFrame,
        late: pl.DataFrame,
    ) -> tuple[int, int]:
        """Write recomputed minutes, their hours and days, and mark their late events.

        The tables are gone through in the order of a commit of the flow.

        Returns:
            How many minutes were written, and how many listings of late events were marked.
        """
        await self._connection.execute(SQL["lock_shards"])
        written = await self._execute("upsert_chat", write_emotes(chat))
        await self._roll_ups.roll_up_chat(*_list_hours(chat, "stream_id"))
        written += await self._execute("upsert_readings", readings)
        await self._roll_ups.roll_up_readings(*_list_hours(readings, "stream_id", "channel"))
        written += await self._execute("upsert_transactions", transactions)
        return written, await self._execute("mark_applied", late)

    async def _execute(self, name: str, rows: pl.DataFrame) -> int:
        status = await self._connection.execute(SQL[name], write_rows(rows))
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


def _list_hours(rows: pl.DataFrame, *key: str) -> list[list[Any]]:
    """Return the columns of the key and the beginning of each hour that rows lie in."""
    start = pl.col("window_start").dt.truncate("1h")
    hours = rows.select(*key, start).unique(maintain_order=True)
    return [column.to_list() for column in hours]


def _is_true(name: str) -> pl.Expr:
    return pl.col(name) == "t"
