"""Changes: what one batch changed in one shard, to be written and told.

Full rows, never differences: writing them twice changes nothing. A frame of which there is nothing
may be empty without columns.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import polars as pl

from core.dead_letters import DeadLetter
from core.moments import Moment

POINT_COLUMNS: Final = (
    "stream_id",
    "type",
    "timestamp",
    "value",
    "channel",
    "unit",
    "kind",
    "amount",
    "currency",
    "user",
)
CHAT_COLUMNS: Final = (
    "stream_id",
    "window_start",
    "window_end",
    "chat_count",
    "unique_chatters",
    "top_emotes",
    "avg_sentiment",
    "chat_rate",
    "avg_viewers",
    "peak_viewers",
    "z_score",
    "is_anomaly",
    "revision",
    "final",
)
READING_COLUMNS: Final = (
    "stream_id",
    "channel",
    "window_start",
    "window_end",
    "unit",
    "count",
    "mean",
    "min",
    "max",
    "stddev",
    "p50",
    "p95",
    "last",
    "last_at",
    "z_score",
    "is_anomaly",
    "revision",
    "final",
)


TRANSACTION_COLUMNS: Final = (
    "stream_id",
    "kind",
    "currency",
    "window_start",
    "window_end",
    "count",
    "sum",
    "revision",
    "final",
)


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of one shard up to an offset."""

    shard: int
    offset: int
    arrived_at: datetime
    """When the entry at that offset arrived."""

    events: int
    """How many events came with it."""

    points: pl.DataFrame
    """Events of which the raw points are stored: ``stream_id``, ``type`` (viewers, reading or
    transaction), ``timestamp``, ``value``, ``channel``, ``unit``, ``kind``, ``amount``,
    ``currency``, ``user`` and ``offset``; the database leaves out those applied before."""

    streams: pl.DataFrame
    """``stream_id``, ``title`` (null keeps the one that is known) and ``last_event_at``."""

    chat: pl.DataFrame
    readings: pl.DataFrame
    transactions: pl.DataFrame
    """``stream_id``, ``kind``, ``currency`` (empty when there is none), ``minute``,
    ``window_end``, ``count``, ``sum``, ``revision`` and ``final``."""

    late: pl.DataFrame
    """``stream_id``, ``minute``, ``type``, ``offset`` and ``events``: how many came too late."""

    moments: tuple[Moment, ...]
    dead: tuple[DeadLetter, ...]

    newest_at: datetime | None = None
    """The time of the newest event that came, by its own clock; None when none came in time."""

    said: pl.DataFrame = field(default_factory=pl.DataFrame)
    """The last chat messages of each stream: ``stream_id``, ``timestamp``, ``user`` and ``text``.
    They are told and not stored."""

    trace: str | None = None
    """The context of the work that found them, where that is traced; decides nothing."""


def to_chat_rows(chat: pl.DataFrame) -> pl.DataFrame:
    """Return minutes with the columns and the texts of times that clients and the database read."""
    return _write_times(chat.rename({"minute": "window_start"}), CHAT_COLUMNS)


def to_reading_rows(readings: pl.DataFrame) -> pl.DataFrame:
    """Return channel minutes with the columns and the texts of times."""
    return _write_times(readings.rename({"minute": "window_start"}), READING_COLUMNS)


def _write_times(rows: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    windows = pl.col("window_start", "window_end").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    points = pl.col("last_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    extra = [points] if "last_at" in columns else []
    return rows.select(columns).with_columns(windows, *extra)
