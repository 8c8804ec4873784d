"""Histories: months of chat minutes of many streams, made in SQL, with the product's own roll-ups.

    generate_series -> chat_summary_minute -> RollUpStore -> chat_summary_hour, chat_summary_day

Every minute is final, speaks of six emotes, and its numbers repeat after some hours.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from db.pool import prepare_connection
from db.roll_ups import DAY, HOUR, RollUpStore

END: Final = datetime(2026, 1, 26, tzinfo=UTC)

_STREAM: Final = """
    INSERT INTO streams (stream_id, title, last_event_at) VALUES ($1, $1, $2)
    ON CONFLICT (stream_id) DO NOTHING
"""
_MINUTES: Final = """
    INSERT INTO chat_summary_minute (
        stream_id, window_start, window_end, chat_count, unique_chatters, top_emotes, emote_counts,
        avg_sentiment, chat_rate, avg_viewers, peak_viewers, z_score, is_anomaly, revision, final
    )
    SELECT
        $1, t, t + INTERVAL '1 minute', n % 97, n % 31,
        ARRAY['Kappa', 'LUL', 'PogChamp', 'KEKW', 'EZ', 'GG'],
        ('{"Kappa": ' || n % 97 || ', "LUL": ' || n % 53 || ', "PogChamp": ' || n % 31
            || ', "KEKW": ' || n % 13 || ', "EZ": ' || n % 7 || ', "GG": 1}')::jsonb,
        (n % 200) / 100.0 - 1, (n % 97) / 60.0, 1000 + n % 501, 1100 + n % 509, (n % 41) / 10.0,
        n % 1000 = 0, n, true
    FROM generate_series(0, $3::integer - 1) AS n,
        LATERAL (SELECT $2::timestamptz + n * INTERVAL '1 minute') AS at(t)
"""


@dataclass(frozen=True, slots=True)
class History:
    """How many streams have how many days of minutes, up to ``END``."""

    streams: int
    days: int

    @property
    def names(self) -> list[str]:
        """The streams."""
        return [f"stream-{number:04}" for number in range(self.streams)]

    @property
    def start(self) -> datetime:
        """The first minute."""
        return END - timedelta(days=self.days)

    @property
    def minutes(self) -> int:
        """Rows of minutes altogether."""
        return self.streams * self.days * 1440


@asynccontextmanager
async def connecting(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Lend a connection like those of the API."""
    connection = await asyncpg.connect(
        url, server_settings={"plan_cache_mode": "force_custom_plan"}
    )
    try:
        await prepare_connection(connection)
        yield connection
    finally:
        await connection.close()


async def write_history(connection: asyncpg.Connection, history: History) -> None:
    """Write the streams and their minutes, and roll them up."""
    # What a power cut would take can be made again.
    await connection.execute("SET synchronous_commit = off")
    for name in history.names:
        await connection.execute(_STREAM, name, END - timedelta(minutes=1))
        await write_minutes(connection, name, history.start, history.days * 1440)
    await connection.execute("ANALYZE chat_summary_minute")
    await roll_up(connection, history)
    await connection.execute("ANALYZE")


async def write_minutes(
    connection: asyncpg.Connection, stream_id: str, start: datetime, count: int
) -> None:
    """Write so many minutes of a stream."""
    await connection.execute(_MINUTES, stream_id, start, count)


async def roll_up(connection: asyncpg.Connection, history: History) -> None:
    """Roll up a day of all streams in a transaction, as a commit of the flow does."""
    hours = [hour * HOUR for hour in range(24)]
    for day in range(history.days):
        starts = [history.start + day * DAY + hour for hour in hours] * history.streams
        names = [name for name in history.names for _ in hours]
        async with connection.transaction():
            await RollUpStore(connection).roll_up_chat(names, starts)
