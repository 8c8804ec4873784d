"""Live changes: what the flow tells the world after a commit.

Changes, in columns ─► a body for each row, all written in one call ─► messages
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import polars as pl

from core.changes import Changes, to_chat_rows, to_reading_rows
from core.live import LiveMessage, tell_moment
from core.moment_lives import show_moment

_CHAT_KEY: Final = ["stream_id", "type", "window_start"]


def describe_changes(
    changes: Changes, now: datetime, moments: Iterable[Mapping[str, Any]] = ()
) -> list[LiveMessage]:
    """Return the messages that tell of changes.

    Args:
        changes: What was committed.
        now: When.
        moments: Those among the changes, as they are stored: what people did with them is there.
    """
    at = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return [
        *_tell_chat(changes.chat, at),
        *_tell_readings(changes.readings, at),
        *_tell_said(changes.said, at),
        *(tell_moment(show_moment(row, now), now) for row in moments),
    ]


def _tell_chat(chat: pl.DataFrame, at: str) -> Iterator[LiveMessage]:
    if chat.is_empty():
        return
    kind = pl.when("final").then(pl.lit("minute")).otherwise(pl.lit("metrics"))
    # The newest minute of a stream comes last: it is what a client goes on from.
    rows = to_chat_rows(chat.sort("minute"))
    told = rows.select(
        type=kind, stream_id="stream_id", timestamp=pl.lit(at), data=pl.struct(rows.columns)
    )
    # Two minutes of a stream may run at once: news of one is not replaced by news of the other.
    for row, body in _zip_bodies(told.with_columns(rows["window_start"]), _CHAT_KEY):
        stream_id, name, minute = row
        yield LiveMessage(stream_id, name, minute, body)


def _tell_readings(readings: pl.DataFrame, at: str) -> Iterator[LiveMessage]:
    if readings.is_empty():
        return
    # A minute revised by a late event is no news of what the channel shows now.
    fresh = readings.filter(~pl.col("revised"))
    newest = to_reading_rows(fresh).sort("last_at").unique(["stream_id", "channel"], keep="last")
    told = newest.select(
        "channel",
        type=pl.lit("reading"),
        stream_id="stream_id",
        timestamp=pl.lit(at),
        data=pl.struct("channel", "unit", value="last", timestamp="last_at"),
    )
    for (stream_id, channel), body in _zip_bodies(told, ["stream_id", "channel"]):
        yield LiveMessage(stream_id, "reading", channel, body)


def _tell_said(said: pl.DataFrame, at: str) -> Iterator[LiveMessage]:
    if said.is_empty():
        return
    message = pl.struct(
        "user", "text", at=pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    )
    told = (
        said.group_by("stream_id", maintain_order=True)
        .agg(messages=message)
        .select("stream_id", type=pl.lit("chat"), timestamp=pl.lit(at), data=pl.struct("messages"))
    )
    for (stream_id,), body in _zip_bodies(told, ["stream_id"]):
        yield LiveMessage(stream_id, "chat", stream_id, body)


def _zip_bodies(told: pl.DataFrame, key: list[str]) -> Iterator[tuple[tuple[str, ...], bytes]]:
    """Pair each row's key with the row as JSON, written in one call."""
    bodies = told.select("type", "stream_id", "timestamp", "data").write_ndjson()
    return zip(told.select(key).iter_rows(), bodies.encode().splitlines(), strict=True)
