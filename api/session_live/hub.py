"""Session hub: what is published of sessions, as one process hears it, and the sockets it goes to.

    Redis ──a subscription a session──► session hub ──► connections of the session

When Redis was away, whoever listens is told to read the session again: nothing is kept there.
"""

from typing import Final

import redis.asyncio
import structlog

from api.live.subscriptions import Subscriptions
from api.session_live.connections import SessionConnection
from core.session_events import channel_of_session, unpack_event

log: Final = structlog.get_logger()


class SessionHub:
    """Fans events of sessions out."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._subscriptions: Subscriptions[str] = Subscriptions(
            client, channel_of_session, hear=self._hear, make_up=self._make_up
        )
        self._by_session: dict[str, set[SessionConnection]] = {}

    def start(self) -> None:
        """Begin to listen."""
        self._subscriptions.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._subscriptions.stop()

    async def enter(self, connection: SessionConnection) -> None:
        """Let a connection hear what happens in its session from now on."""
        session_id = connection.session_id
        if session_id not in self._by_session:
            self._by_session[session_id] = set()
            self._subscriptions.add([session_id])
        self._by_session[session_id].add(connection)
        await self._subscriptions.wait_until_heard([session_id])

    def leave(self, connection: SessionConnection) -> None:
        """Let a connection hear nothing more."""
        listeners = self._by_session.get(connection.session_id, set())
        listeners.discard(connection)
        if not listeners and self._by_session.pop(connection.session_id, None) is not None:
            self._subscriptions.remove([connection.session_id])

    def _hear(self, session_id: str, payload: bytes) -> None:
        try:
            event = unpack_event(payload)
        except ValueError:
            # Somebody else wrote to the channel.
            log.warning("session_event_unreadable", bytes=len(payload))
            return
        for connection in self._by_session.get(session_id, ()):
            connection.hear(event)

    async def _make_up(self, session_id: str) -> None:
        for connection in self._by_session.get(session_id, ()):
            connection.say("resumed", complete=False)
