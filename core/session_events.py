"""Session events: what happens in a session, as its sockets hear of it.

    API ──┐                                             ┌─► sockets of the session
    jobs ─┴─► {event, session_id, data} ─► Redis channel ┴─► …

The bytes are those that clients get. Readings and moments come another way, as live messages of the
session's streams, and are put into the same words here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import orjson

from core.live import LiveMessage
from core.sessions import Place, name_channel

EventName: TypeAlias = Literal[
    "note.created",
    "note.updated",
    "note.deleted",
    "stt.task.created",
    "stt.task.updated",
    "stt.task.done",
    "session.updated",
    "session.ended",
    "session.deleted",
    "error.occurred",
]
"""What is told over the channel of a session."""

LATEST_WINS: Final = frozenset({"stt.task.updated"})
"""Of these only the newest of each task counts; nothing else is ever replaced."""

READ_AGAIN: Final = "Something may be missing here. Read the session again."


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """One thing that happened."""

    session_id: str
    event: EventName
    data: Mapping[str, Any]


def channel_of_session(session_id: str) -> str:
    """Return the Redis channel that the events of a session go to."""
    return f"live:session:{session_id}"


def write_event(session_id: str, event: str, data: object) -> bytes:
    """Return an event as clients read it."""
    told = {"event": event, "session_id": session_id, "data": data}
    return orjson.dumps(told, option=orjson.OPT_UTC_Z)


def pack_event(event: SessionEvent) -> bytes:
    """Return an event as it is published."""
    return write_event(event.session_id, event.event, event.data)


def unpack_event(payload: bytes) -> SessionEvent:
    """Read what was published.

    Raises:
        ValueError: Somebody else wrote it.
    """
    try:
        told = orjson.loads(payload)
        return SessionEvent(told["session_id"], told["event"], told["data"])
    except (KeyError, TypeError) as error:
        raise ValueError("no event of a session") from error


def tell_point(session_id: str, message: LiveMessage) -> bytes:
    """Return a live reading as an event of a session."""
    reading = orjson.loads(message.body)["data"]
    place = Place(message.stream_id, reading["channel"])
    data = {**reading, "channel": name_channel(session_id, place), "stream_id": place.stream_id}
    return write_event(session_id, "telemetry.point", data)


def tell_moment(session_id: str, message: LiveMessage) -> bytes:
    """Return a live moment as an event of a session."""
    return write_event(session_id, "moment.detected", orjson.loads(message.body)["data"])
