"""Live messages: what processes tell of streams, and how it travels.

    message ─► a line: stream, kind, key, JSON body ─► Redis ─► hub ─► the same bytes to all clients

The body lacks only ``position``, which ``core.backlogs`` puts in front of what is kept, and
``seq``, which belongs to a connection and is put in front of it there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import orjson

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
