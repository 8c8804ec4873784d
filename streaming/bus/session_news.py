"""Session news: publishes what happens in sessions, for whoever listens at any API process.

    tell ─► Redis channel of the session
      └ Redis away ─► the session is remembered ─► told to read again, as soon as it is back

Used by the API and by the jobs. What is told is stored before: losing it costs a look, not data.
"""

import asyncio
from collections import Counter
from typing import Final

import redis.asyncio
import redis.exceptions
import structlog

from core.session_events import READ_AGAIN, SessionEvent, channel_of_session, pack_event
from core.tasks import end

SESSIONS_MAX: Final = 10_000
"""Sessions that may wait to be told that they missed something; past that the oldest is let go,
whose sockets heard of the outage by themselves."""

WAIT_S_MAX: Final = 5.0
"""The longest pause between two attempts to reach Redis."""

AWAY: Final = (redis.exceptions.RedisError, OSError)

log = structlog.get_logger()


class SessionNews:
    """Tells what happened in sessions."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._redis = client
        self._lost: Counter[str] = Counter()
        self._is_away = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to make up for what could not be told."""
        self._task = asyncio.create_task(self._make_up())

    async def stop(self) -> None:
        """Stop doing so."""
        if self._task is not None:
            await end(self._task)

    async def tell(self, *events: SessionEvent) -> None:
        """Publish events in order; without Redis, their sessions hear later that some are lost.

        Never waits for a Redis that is known to be away.
        """
        if not events:
            return
        if not self._is_away.is_set():
            try:
                await self._publish(*events)
            except AWAY as error:
                log.warning("session_news_away", error=type(error).__name__, lost=len(events))
            else:
                return
        self._lost.update(event.session_id for event in events)
        while len(self._lost) > SESSIONS_MAX:
            del self._lost[next(iter(self._lost))]
        self._is_away.set()

    async def _publish(self, *events: SessionEvent) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for event in events:
                pipeline.publish(channel_of_session(event.session_id), pack_event(event))
            await pipeline.execute()

    async def _make_up(self) -> None:
        wait_s = 0.1
        while True:
            await self._is_away.wait()
            await asyncio.sleep(wait_s)
            lost, self._lost = self._lost, Counter()
            try:
                await self._publish(*(_tell_lost(name, count) for name, count in lost.items()))
            except AWAY:
                self._lost.update(lost)
                wait_s = min(wait_s * 2, WAIT_S_MAX)
                continue
            wait_s = 0.1
            if not self._lost:
                self._is_away.clear()


def _tell_lost(session_id: str, count: int) -> SessionEvent:
    return SessionEvent(session_id, "error.occurred", {"detail": READ_AGAIN, "lost": count})
