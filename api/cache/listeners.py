"""Listener: one subscription a process to the scopes that commits touch.

    SUBSCRIBE ─► begin        PING t ─► PONG t: everything told before t has been heard

Redis sends messages and answers of one connection in order, so a ping that comes back proves that
no touch from before it is missing. That is asked often enough to trust the shelf all the time, and
nobody trusts it for longer than a tenth of a second without.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import redis.asyncio
import redis.exceptions
import structlog

from api.cache.touches import Touches
from core import metrics
from core.scopes import TOUCHED, unpack_scopes
from core.tasks import end

PING_S: Final = 0.025
"""A third of the trusted time: two pings may be slow before the shelf is left aside."""

MESSAGES_A_PING_MAX: Final = 1000
"""Whatever is told meanwhile, a ping goes out after so many messages."""

SILENCE_S_MAX: Final = 2.0
"""A connection that answers no ping for so long is dead, and another one is made."""

WAIT_S_MAX: Final = 2.0

log = structlog.get_logger()


class TouchListener:
    """Hears touches."""

    def __init__(
        self,
        client: redis.asyncio.Redis,
        touches: Touches,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.touches = touches
        self._redis = client
        self._monotonic = monotonic
        self._begun = 0
        self._answered_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._listen_for_ever())

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            await end(self._task)

    async def _listen_for_ever(self) -> None:
        wait_s = 0.1
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(TOUCHED)
                    wait_s = 0.1
                    await self._listen(subscription)
            except (redis.exceptions.RedisError, OSError) as error:
                log.warning("touches_away", error=type(error).__name__, retry_in_s=wait_s)
            finally:
                metrics.cache_listening.set(0)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, WAIT_S_MAX)

    async def _listen(self, subscription: redis.asyncio.client.PubSub) -> None:
        """Ping and hear, until the connection is silent."""
        self._answered_at = self._monotonic()
        while self._monotonic() - self._answered_at < SILENCE_S_MAX:
            sent_at = self._monotonic()
            await subscription.ping(f"{self._begun} {sent_at!r}")
            await self._hear_until(subscription, sent_at + PING_S)
        log.warning("touches_silent", seconds=SILENCE_S_MAX)

    async def _hear_until(self, subscription: redis.asyncio.client.PubSub, until: float) -> None:
        """Hear what comes until a time, and what is there even when that is over.

        A process with much to do gets here late each time, and would never hear anything.
        """
        for _ in range(MESSAGES_A_PING_MAX):
            left = until - self._monotonic()
            message = await subscription.get_message(timeout=max(left, 0.0))
            if message is not None:
                self._hear(message)
            elif left <= 0:
                return

    def _hear(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "subscribe":
                # Also after the library has connected again by itself.
                self._begun += 1
                self.touches.begin()
            case "pong":
                self._hear_pong(message["data"])
            case "message":
                self._hear_touched(message["data"])

    def _hear_pong(self, payload: bytes) -> None:
        begun, _, sent_at = payload.partition(b" ")
        self._answered_at = self._monotonic()
        if begun == b"%d" % self._begun:
            # A ping from before the subscription proves nothing about what came after it.
            self.touches.hear(float(sent_at))
            metrics.cache_listening.set(1)

    def _hear_touched(self, payload: bytes) -> None:
        try:
            scopes = unpack_scopes(payload)
        except ValueError:
            # Somebody else wrote to the channel; what the flow says must go on.
            log.warning("touches_unreadable", bytes=len(payload))
            return
        for scope in scopes:
            self.touches.touch(scope)
