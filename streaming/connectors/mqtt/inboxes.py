"""Inboxes: between the thread that hears the broker and the loop that sends to the API.

What has to be acknowledged waits for room, and with it the broker; what is sent once at most is
left out when there is none, and counted.
"""

import asyncio
import threading
from collections import deque
from typing import Final

from paho.mqtt.client import MQTTMessage

from core.errors import TelemetraError

MESSAGES_MAX: Final = 20_000
BYTES_MAX: Final = 64_000_000

LINGER_S: Final = 0.01
"""So long a message waits for others: a broker that hands over twenty ahead fills that in less."""


class Inbox:
    """Messages of one session."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._something = asyncio.Event()
        self._room = threading.Condition()
        self._messages: deque[MQTTMessage] = deque()
        self._size = 0
        self._failure: TelemetraError | None = None
        self._is_closed = False
        self.overflowed = 0
        """How many were left out since somebody asked."""

    def put(self, message: MQTTMessage) -> None:
        """Add a message; called by the thread of the session."""
        with self._room:
            if message.qos == 0 and not self._has_room():
                self.overflowed += 1
                return
            self._room.wait_for(lambda: self._has_room() or self._is_closed)
            self._messages.append(message)
            self._size += len(message.payload)
        self._wake()

    def fail(self, failure: TelemetraError) -> None:
        """Let whoever takes the messages know that no more come; the first reason stays."""
        self._failure = self._failure or failure
        self._wake()

    def close(self) -> None:
        """Hold nobody up any more."""
        with self._room:
            self._is_closed = True
            self._room.notify_all()

    async def take(self, limit: int) -> list[MQTTMessage]:
        """Return messages, as soon as there are some.

        Raises:
            TelemetraError: What failed, when no more messages come.
        """
        while not self._messages:
            if self._failure is not None:
                raise self._failure
            self._something.clear()
            if not self._messages and self._failure is None:
                await self._something.wait()
        if len(self._messages) < limit:
            await asyncio.sleep(LINGER_S)
        with self._room:
            taken = [self._messages.popleft() for _ in range(min(limit, len(self._messages)))]
            self._size -= sum(len(message.payload) for message in taken)
            self._room.notify_all()
        return taken

    def _has_room(self) -> bool:
        return len(self._messages) < MESSAGES_MAX and self._size < BYTES_MAX

    def _wake(self) -> None:
        if not self._something.is_set() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._something.set)
