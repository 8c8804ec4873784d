"""Device news: hears and tells what devices, commands and scripts do, beside the API processes.

    API processes ─► Redis channel ─► ear of a device: its points, its commands, its scripts
    tell ─► outbox ─► the same channel ─► hubs of the API processes ─► clients

Used by the jobs. What is told is stored before, and what is heard can be looked up: while Redis is
away both cost a look at the database, no data.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

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

Ear: TypeAlias = Callable[[LiveMessage | None], None]
"""Hears of one device; None says that something may have been missed."""

log = structlog.get_logger()


class DeviceNews:
    """Tells of devices, and hears of those that somebody listens to."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._redis = client
        self._origin = secrets.token_hex(8)
        self._ears: dict[str, set[Ear]] = {}
        self._outbox: deque[bytes] = deque(maxlen=OUTBOX_MAX)
        self._has_post = asyncio.Event()
        self._is_posted = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.is_hearing = False
        """Whether what others tell is heard."""

    def start(self) -> None:
        """Begin to hear and to tell."""
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._post())]

    async def stop(self) -> None:
        """Stop both; what was told last is sent, if that is possible at once."""
        if self._outbox and self.is_hearing:
            await self._is_posted.wait()
        await end(*self._tasks)

    def listen(self, device_id: str, ear: Ear) -> None:
        """Hand on what is told of a device by others."""
        self._ears.setdefault(device_id, set()).add(ear)

    def forget(self, device_id: str, ear: Ear) -> None:
        """Hand on nothing more."""
        ears = self._ears.get(device_id, set())
        ears.discard(ear)
        if not ears:
            self._ears.pop(device_id, None)

    def tell(self, messages: Iterable[LiveMessage]) -> None:
        """Tell the API processes; never waits."""
        told = tuple(messages)
        if told:
            self._outbox.append(pack_payload(self._origin, told))
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
                # The hubs read what they missed from the database.
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
                    await self._hear(subscription)
            except AWAY as error:
                log.warning("device_news_away", error=type(error).__name__, retry_in_s=wait_s)
            self.is_hearing = False
            self._tell_missed()
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, WAIT_S_MAX)

    async def _hear(self, subscription: redis.asyncio.client.PubSub) -> None:
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
            if message["type"] == "subscribe":
                self.is_hearing = True
                self._tell_missed()
            elif message["type"] == "message" and self._ears:
                self._hear_payload(message["data"])

    def _hear_payload(self, data: bytes) -> None:
        try:
            payload = unpack_payload(data)
        except ValueError:
            log.warning("device_news_unreadable", bytes=len(data))
            return
        if payload.origin == self._origin:
            return
        for message in payload.messages:
            for ear in tuple(self._ears.get(message.stream_id, ())):
                try:
                    ear(message)
                except (ValueError, LookupError, TypeError):
                    log.warning("device_news_unreadable", kind=message.kind)

    def _tell_missed(self) -> None:
        for ears in tuple(self._ears.values()):
            for ear in tuple(ears):
                ear(None)
