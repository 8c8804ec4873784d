"""Live messages: what the flow tells the world after a commit.

    Changes -> one line a message: stream, kind, key, JSON body -> Redis -> hub -> the same bytes
    to every client

The body lacks only ``position``, which ``core.backlogs`` puts in front of what is kept, and
``seq``, which belongs to a connection and is put in front of it there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import orjson
import polars as pl

from core.changes import Changes, to_chat_rows, to_reading_rows
from core.moment_lives import show_moment
from core.moment_texts import describe_moment
from core.moments import Moment, find_band

LATEST_WINS: Final = frozenset({"metrics", "reading", "chat"})
"""Kinds of which a slow client gets only the newest of each key."""

KEPT: Final = frozenset({"minute", "moment", "stream"})
"""Kinds that have a position and stay in the backlog for clients that were away."""

KINDS: Final = LATEST_WINS | KEPT
"""All kinds: what a client may choose among."""

KINDS_USUAL: Final = KINDS - {"chat"}
"""What a client gets that does not choose: few look at what is said, and it is much."""

LIVE_FOR: Final = timedelta(minutes=1)
"""A stream is live while its last event is younger than this."""

PRESENCES: Final = "live:streams"
"""The Redis key of all streams that are live, by the time of the last event in milliseconds."""

_FIELD: Final = b"\x1f"
_LINE: Final = b"\n"


@dataclass(frozen=True, slots=True)
class LiveMessage:
    """One message about one stream."""

    stream_id: str
    kind: str
    key: str
    """What a newer message of the kind replaces: a minute of the stream, or a channel of it."""

    body: bytes
    position: int | None = None
    """Its number among all that are kept; None for what only the newest of counts."""


def latest_of_stream(stream_id: str) -> str:
    """Return the Redis key of a stream's newest minute."""
    return f"latest:stream:{stream_id}"


def presence_of_stream(shard: int, stream_id: str) -> str:
    """Return the member of ``PRESENCES`` that stands for a stream."""
    return f"{shard} {stream_id}"


def channel_of_shard(shard: int) -> str:
    """Return the Redis channel that a shard's messages go to."""
    return f"live:shard:{shard}"


def pack_messages(messages: Iterable[LiveMessage]) -> bytes:
    """Return messages as one payload."""
    return _LINE.join(
        _FIELD.join((m.stream_id.encode(), m.kind.encode(), m.key.encode(), m.body))
        for m in messages
    )


def unpack_messages(payload: bytes) -> Iterator[LiveMessage]:
    """Read a payload back."""
    for line in payload.split(_LINE):
        stream_id, kind, key, body = line.split(_FIELD, 3)
        yield LiveMessage(stream_id.decode(), kind.decode(), key.decode(), body)


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


def tell_moment(shown: Mapping[str, Any], now: datetime) -> LiveMessage:
    """Return the message that a moment changed, given it as clients read it."""
    stream_id = shown["stream_id"]
    body = orjson.dumps(
        {"type": "moment", "stream_id": stream_id, "timestamp": now, "data": shown},
        option=orjson.OPT_UTC_Z,
    )
    return LiveMessage(stream_id, "moment", shown["moment_id"], body)


def tell_stream(
    stream_id: str, state: Literal["live", "silent", "deleted"], now: datetime
) -> LiveMessage:
    """Return the message that a stream went live, fell silent or was deleted."""
    body = orjson.dumps(
        {"type": "stream", "stream_id": stream_id, "timestamp": now, "data": {"state": state}},
        option=orjson.OPT_UTC_Z,
    )
    return LiveMessage(stream_id, "stream", stream_id, body)


def write_moment(moment: Moment) -> dict[str, object]:
    """Return a moment as the flow stores it."""
    fields = asdict(moment)
    for name in ("last_at", "spread", "told_by", "is_confirmed", "is_withdrawn"):
        del fields[name]
    metadata = {
        "band": find_band(moment),
        "told_by": moment.told_by,
        "confirmed": moment.is_confirmed,
        "withdrawn": moment.is_withdrawn,
    }
    return {**fields, "metadata": metadata, "description": describe_moment(moment)}


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


_CHAT_KEY: Final = ["stream_id", "type", "window_start"]


def _zip_bodies(told: pl.DataFrame, key: list[str]) -> Iterator[tuple[tuple[str, ...], bytes]]:
    """Pair each row's key with the row as JSON, written in one call."""
    bodies = told.select("type", "stream_id", "timestamp", "data").write_ndjson()
    return zip(told.select(key).iter_rows(), bodies.encode().splitlines(), strict=True)
