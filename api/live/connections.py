"""Connections: what one live client still has to get.

    hub ── offer ──► pending (bounded) ── take ──► socket

Of metrics and readings a slow client gets only the newest of each stream and channel. Moments wait
until they are delivered; a client that lets too many wait is closed. Whatever is skipped is
counted and said.
"""

import asyncio
from typing import Final

import orjson

from core import metrics
from core.clock import Clock
from core.live import LATEST_WINS, LiveMessage

EVERYTHING: Final = "*"
"""Subscribing to this means all streams."""

NEVER_SKIPPED: Final = frozenset({"moment"})


class Connection:
    """The queue and the subscriptions of one client."""

    def __init__(self, clock: Clock, *, limit: int) -> None:
        self._clock = clock
        self._limit = limit
        self._pending: dict[tuple[str, ...], bytes] = {}
        self._ready = asyncio.Event()
        self._sequence = 0
        self._arrivals = 0
        self._skipped = 0
        self.streams: set[str] = set()
        self.is_too_slow = False

    def wants(self, stream_id: str) -> bool:
        """Tell whether the client subscribed to a stream."""
        return stream_id in self.streams or EVERYTHING in self.streams

    def offer(self, message: LiveMessage) -> None:
        """Queue a message; never waits."""
        if message.kind in LATEST_WINS:
            slot: tuple[str, ...] = (message.kind, message.stream_id, message.key)
        else:
            self._arrivals += 1
            slot = (message.kind, str(self._arrivals))
        if slot in self._pending:
            # The newest goes to the end: whoever waits longest is sent first.
            del self._pending[slot]
        elif len(self._pending) >= self._limit:
            self._refuse(message)
            return
        self._pending[slot] = message.body
        self._ready.set()

    def say(self, kind: str, **facts: object) -> None:
        """Queue a message about the connection itself; a client that asks and never reads goes."""
        if len(self._pending) >= 2 * self._limit:
            self.is_too_slow = True
            return
        facts = {"type": kind, "timestamp": self._clock.now(), **facts}
        body = orjson.dumps(facts, option=orjson.OPT_UTC_Z)
        self._arrivals += 1
        self._pending[kind, str(self._arrivals)] = body
        self._ready.set()

    async def take(self) -> list[bytes]:
        """Wait for messages and return all that are pending, numbered."""
        await self._ready.wait()
        self._ready.clear()
        if self._skipped:
            skipped, self._skipped = self._skipped, 0
            self.say("dropped", count=skipped)
            self._ready.clear()
        bodies = list(self._pending.values())
        self._pending.clear()
        return [self._number(body) for body in bodies]

    def _number(self, body: bytes) -> bytes:
        numbered = b'{"seq":%d,' % self._sequence + body[1:]
        self._sequence += 1
        return numbered

    def _refuse(self, message: LiveMessage) -> None:
        if message.kind in NEVER_SKIPPED:
            self.is_too_slow = True
        self._skipped += 1
        metrics.live_messages_dropped_total.inc()
        self._ready.set()
