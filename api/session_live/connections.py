"""Connections of sessions: live messages and events of one session, in the words of its sockets.

    hub ── readings, moments ──┐
    session hub ── the rest ───┴─► {"seq", "event", "session_id", "data"} ─► socket

A slow client gets only the newest reading of each channel. Everything else waits for it; what has
no room is counted and said.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Final

from typing_extensions import override

from api.live.admissions import Visitor
from api.live.connections import SOMEBODY, CloseCode, Connection, Slot
from core.clock import Clock
from core.live import LiveMessage
from core.session_events import (
    LATEST_WINS,
    READ_AGAIN,
    SessionEvent,
    pack_event,
    tell_moment,
    tell_point,
    write_event,
)

KINDS: Final = frozenset({"reading", "moment", "event", "progress"})
"""What a socket of a session hears: of live messages these two, and its own events."""

GONE: Final = (CloseCode.UNKNOWN, "The session was deleted, or is out of reach now.")


class SessionConnection(Connection):
    """The queue of one client of one session."""

    def __init__(
        self, session: Mapping[str, Any], clock: Clock, *, limit: int, visitor: Visitor = SOMEBODY
    ) -> None:
        super().__init__(clock, limit=limit, visitor=visitor)
        self.session_id: str = session["id"]
        self.looked_at: frozenset[str] = frozenset(session["stream_ids"])
        """The streams that the session looks at, as was heard last."""

        self.changed = asyncio.Event()
        """Set when these are others than before."""

        self._greeting: bytes | None = None
        self._is_greeted = False
        self._early: list[LiveMessage] = []

    def hear(self, event: SessionEvent) -> None:
        """Tell an event, and do what it asks for."""
        is_progress = event.event in LATEST_WINS
        message = LiveMessage(
            self.session_id,
            "progress" if is_progress else "event",
            str(event.data.get("id", "")),
            pack_event(event),
        )
        self.offer(message)
        if event.event == "session.deleted":
            self.send_off()
        elif event.event in {"session.updated", "session.ended"}:
            self.look_at(event.data.get("stream_ids", self.looked_at))

    def look_at(self, stream_ids: Collection[str]) -> None:
        """Note which streams the session looks at now."""
        if frozenset(stream_ids) != self.looked_at:
            self.looked_at = frozenset(stream_ids)
            self.changed.set()

    def send_off(self) -> None:
        """End the connection: there is no such session any more for this client."""
        self.farewell = GONE
        self.is_leaving = True
        self.put("ping", write_event(self.session_id, "ping", {}))

    @override
    def offer(self, message: LiveMessage) -> None:
        if not self._is_greeted and message.kind in {"event", "progress"}:
            # Heard before the client knows that it is connected.
            self._early.append(message)
            return
        super().offer(self._translate(message))

    @override
    def release(self, first: Collection[LiveMessage]) -> None:
        # What a stream shows first is told by the session's own lists.
        del first
        if self._greeting is not None and not self._is_greeted:
            self._is_greeted = True
            self.put("connected", self._greeting)
        super().release(())
        early, self._early = self._early, []
        for message in early:
            self.offer(message)

    @override
    def say(self, kind: str, *, position: int | None = None, **facts: object) -> None:
        del position
        if kind == "connected":
            # Told when everything that follows is heard, so that nobody asks for what comes anyway.
            self._greeting = write_event(self.session_id, "connected", {"timestamp": self._now()})
        elif kind in {"ping", "pong"}:
            self.put(kind, write_event(self.session_id, kind, {"timestamp": self._now()}))
        elif (trouble := _explain(kind, facts)) is not None:
            self.put("error", write_event(self.session_id, "error.occurred", trouble))

    @override
    def _find_slot(self, message: LiveMessage) -> Slot:
        if message.kind == "progress":
            return (message.kind, message.key)
        return super()._find_slot(message)

    def _now(self) -> object:
        return self._clock.now()

    def _translate(self, message: LiveMessage) -> LiveMessage:
        if message.kind not in {"reading", "moment"}:
            return message
        tell = tell_point if message.kind == "reading" else tell_moment
        body = tell(self.session_id, message)
        return LiveMessage(message.stream_id, message.kind, message.key, body, message.position)


def _explain(kind: str, facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a client is told of trouble; None when it is none."""
    if kind == "dropped":
        lost = facts["count"] - facts["replaced"]
        return {"detail": READ_AGAIN, "lost": lost} if lost else None
    if kind == "resumed":
        return None if facts["complete"] else {"detail": READ_AGAIN}
    if kind == "reconnect":
        detail = "This process is stopping. Connect again."
        return {"detail": detail, "delay_ms": facts["delay_ms"]}
    return {"detail": facts.get("detail", "")}
