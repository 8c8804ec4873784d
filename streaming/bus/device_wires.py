"""Device wires: the Redis channel on which processes tell one another what devices do.

    tell ─► outbox ─► channel ─► every other process that hears

The API's hub and the jobs each have one. What is told is stored before, or counts only while it is
new: while Redis is away nothing is kept, and whoever hears is told that something was missed.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

import redis.asyncio
import redis.exceptions
import structlog

from core import metrics
from core.device_news import CHANNEL, pack_payload, unpack_payload
from core.live import LiveMessage
from core.tasks import end

OUTBOX_MAX: Final = 500
"""Payloads that may wait for Redis, some seconds of them."""

SILENCE_S: Final = 2.0
"""After so long without a message Redis is asked whether it is there; after as long again it is
not."""

WAIT_S_MAX: Final = 2.0

AWAY: Final = (redis.exceptions.RedisError, OSError, RuntimeError)

log = structlog.get_logger()


class DeviceWire:
    """Tells the other processes, and hears them."""

    def __init__(
        self,
        client: redis.asyncio.Redis,
        *,
        hear: Callable[[Sequence[LiveMessage]], None],
        make_up: Callable[[], Awaitable[None]],
        note_sign: Callable[[], None] = lambda: None,
        wants: Callable[[], bool] = lambda: True,
    ) -> None:
        """Build it, not yet started.

        Args:
            client: Redis.
            hear: Takes what another process told.
            make_up: Called whenever something may have been missed, and until Redis is back again
                and again.
            note_sign: Called whenever Redis gave any sign of life.
            wants: Whether what comes is of use; else it is not even read.
        """
        self._redis = client
        self._hear = hear
        self._make_up = make_up
        self._note_sign = note_sign
        self._wants = wants
        self._origin = secrets.token_hex(8)
        self._outbox: deque[bytes] = deque(maxlen=OUTBOX_MAX)
        self._has_post = asyncio.Event()
        self._is_posted = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.is_hearing = False
        """Whether what other processes tell is heard."""

    def start(self) -> None:
        """Begin to hear and to tell."""
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._post())]

    async def stop(self) -> None:
        """Stop both."""
        await end(*self._tasks)

    async def flush(self) -> None:
        """Wait until what was told is sent, if that is possible at once."""
        if self._outbox and self.is_hearing:
            await self._is_posted.wait()

    def tell(self, messages: Iterable[LiveMessage]) -> None:
        """Tell the other processes; never waits."""
        self._outbox.append(pack_payload(self._origin, messages))
        self._is_posted.clear()
        self._has_post.set()

    async def _post(self) -> None:
        while True:
            await self._has_post.wait()
            self._has_post.clear()
            try:
                while self._outbox:
                    payload = self._outbox[0]
                    await self._redis.publish(CHANNEL, payload)
                    # When it is full, what is told meanwhile takes the place of the oldest.
                    if self._outbox[0] is payload:
                        self._outbox.popleft()
            except AWAY as error:
                metrics.device_news_untold_total.inc(len(self._outbox))
                log.debug("device_news_untold", error=type(error).__name__)
                # Who hears again reads from the database what counts still.
                self._outbox.clear()
                await asyncio.sleep(0.1)
            if not self._outbox:
                self._is_posted.set()

    async def _listen(self) -> None:
        wait_s = 0.1
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    wait_s = 0.1
                    await self._hear_on(subscription)
            except AWAY as error:
                log.warning("device_news_away", error=type(error).__name__, retry_in_s=wait_s)
            self.is_hearing = False
            await self._make_up()
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, WAIT_S_MAX)

    async def _hear_on(self, subscription: redis.asyncio.client.PubSub) -> None:
        """Hear until the connection answers nothing any more."""
        is_asked = False
        while True:
            message = await subscription.get_message(timeout=SILENCE_S)
            if message is None:
                if is_asked:
                    return
                await subscription.ping()
                is_asked = True
                continue
            is_asked = False
            self._note_sign()
            if message["type"] == "subscribe":
                self.is_hearing = True
                await self._make_up()
            elif message["type"] == "message" and self._wants():
                self._hear_payload(message["data"])

    def _hear_payload(self, data: bytes) -> None:
        try:
            payload = unpack_payload(data)
        except ValueError:
            log.warning("device_news_unreadable", bytes=len(data))
            return
        if payload.origin != self._origin:
            self._hear(payload.messages)
