"""Sessions: a recording on a test bench, over a stream of its own and any others.

    active ── end ──► ended, with its summary ── open again ──► active, without an end

A session's own stream has the session's id: what is posted to it are readings of that stream. Its
channels go by their plain names, those of a stream that it looks at by ``stream/channel``.

Pure. ``db.sessions`` keeps them, ``api.sessions`` serves them.
"""

import hashlib
import secrets
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from core.keys import Caller

Status: TypeAlias = Literal["active", "ended"]

STREAM_KIND: Final = "session"
"""The kind of a session's own stream."""

STREAMS_MAX: Final = 50
"""Streams that one session looks at: each is asked for its channels whenever values are read."""

NAME_LENGTH_MAX: Final = 200
DESCRIPTION_LENGTH_MAX: Final = 10_000

NOTES_MAX: Final = 10_000
"""Notes of one session, deleted ones among them: a note a second for nearly three hours."""

CHANNELS_MAX: Final = 1000
"""Channels that a session shows; a bench with more is several sessions."""

VALUES_MAX: Final = 1_000_000
"""Points that one answer may be chosen among: a page of each channel that is asked for."""

SNAPSHOT_AGE_MAX: Final = timedelta(days=1)
"""A value that is older says nothing of how it was; as long as a silent channel stays listed."""

SESSION_PATTERN: Final = r"^sess_[0-9a-f]{8,32}$"

_TEXT: Final = r"[^\x00]*"
NAME_PATTERN: Final = rf"^{_TEXT}[^\s\x00]{_TEXT}$"
"""A text in which something stands."""

_POINT: Final = struct.Struct("<dd")
"""What is hashed of a point beside its channel: when, and how much."""

_SEPARATOR: Final = "/"
"""Between a stream and its channel: no name of either has it."""

Row: TypeAlias = dict[str, Any]


class Place(NamedTuple):
    """A channel of a stream."""

    stream_id: str
    channel: str


class Point(NamedTuple):
    """A value of a channel at a time."""

    stream_id: str
    channel: str
    timestamp: datetime
    value: float
    unit: str | None


@dataclass(frozen=True, slots=True)
class SessionState:
    """Whether a session goes on, and when it ended."""

    status: Status
    ended_at: datetime | None


def make_session_id() -> str:
    """Return a new id of a session."""
    return "sess_" + secrets.token_hex(8)


def change_status(state: SessionState, wanted: Status, now: datetime) -> SessionState:
    """Return the state after a wish; the same one when nothing changes."""
    if wanted == state.status:
        return state
    return SessionState(wanted, now if wanted == "ended" else None)


def list_streams(session: Mapping[str, Any]) -> list[str]:
    """Return the streams that a session tells of: its own, then those that it looks at."""
    return [session["id"], *session["stream_ids"]]


def is_within_reach(caller: Caller, session_id: str, stream_ids: Sequence[str]) -> bool:
    """Whether a caller reaches a session: all streams it looks at, or, without any, its own."""
    if not stream_ids:
        return caller.allows_stream(session_id)
    return all(map(caller.allows_stream, stream_ids))


def write_patterns(caller: Caller) -> list[str] | None:
    """Return the streams within reach as patterns of LIKE; None for all."""
    if caller.streams is None:
        return None
    escaped = (name.replace("\\", r"\\").replace("%", r"\%") for name in caller.streams)
    return [name.replace("_", r"\_").replace("*", "%") for name in escaped]


def name_channel(session_id: str, place: Place) -> str:
    """Return what a channel is called within a session."""
    if place.stream_id == session_id:
        return place.channel
    return f"{place.stream_id}{_SEPARATOR}{place.channel}"


def show_points(session_id: str, points: Iterable[Point]) -> list[Row]:
    """Return points as clients read them."""
    channels: dict[tuple[str, str], _Channel] = {}
    shown = []
    for stream_id, channel, timestamp, value, unit in points:
        place = stream_id, channel
        if place not in channels:
            channels[place] = _Channel(session_id, Place(stream_id, channel))
        shown.append(channels[place].show(timestamp, value, unit))
    return shown


class _Channel:
    """Shows the points of one channel; what they have in common is worked out once."""

    def __init__(self, session_id: str, place: Place) -> None:
        self._session_id = session_id
        self._name = name_channel(session_id, place)
        self._hash = hashlib.blake2b("\x1f".join(place).encode(), digest_size=8)

    def show(self, timestamp: datetime, value: float, unit: str | None) -> Row:
        """Return a point, whose id says what it is: it has no other key."""
        hashed = self._hash.copy()
        hashed.update(_POINT.pack(timestamp.timestamp(), value))
        return {
            "id": "tel_" + hashed.hexdigest(),
            "session_id": self._session_id,
            "timestamp": timestamp,
            "channel": self._name,
            "value": value,
            "unit": unit,
        }


def is_own_channel(name: str) -> bool:
    """Whether a name is that of a channel of the session's own stream."""
    return _SEPARATOR not in name


def find_place(session: Mapping[str, Any], name: str) -> Place | None:
    """Return the channel that goes by a name; None where no stream of the session has such."""
    stream_id, separator, channel = name.partition(_SEPARATOR)
    if not separator:
        return Place(session["id"], name)
    return Place(stream_id, channel) if stream_id in session["stream_ids"] else None


def write_snapshot(session_id: str, rows: Sequence[Mapping[str, Any]]) -> Row:
    """Return the newest value of each channel by the channel's name."""
    return {
        name_channel(session_id, Place(row["stream_id"], row["channel"])): {
            "value": row["value"],
            "unit": row["unit"],
            "timestamp": row["timestamp"],
        }
        for row in rows
    }


def write_summary(
    session: Mapping[str, Any],
    *,
    notes: Mapping[str, int],
    channels: Sequence[Mapping[str, Any]],
    moments: Mapping[str, int],
    now: datetime,
) -> Row:
    """Return what a session comes to.

    Args:
        session: Which one.
        notes: How many of each type.
        channels: Count, mean, least, most and last value of each.
        moments: How many of each type.
        now: When, for one that goes on.
    """
    end = session["ended_at"] or now
    return {
        "session_id": session["id"],
        "started_at": session["started_at"],
        "ended_at": session["ended_at"],
        "duration_s": round(max((end - session["started_at"]).total_seconds(), 0.0), 3),
        "notes": dict(notes),
        "channels": [
            {
                "channel": name_channel(session["id"], Place(row["stream_id"], row["channel"])),
                **{name: row[name] for name in ("unit", "count", "mean", "min", "max", "last")},
            }
            for row in channels
        ],
        "moments": dict(moments),
    }
