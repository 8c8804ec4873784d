"""Subscriptions: the shards of which this process hears the live messages.

    first listener of a shard -> SUBSCRIBE        last one gone -> UNSUBSCRIBE

Redis confirms each subscription. A confirmation that nobody waited for means that the connection
broke and was made again: in between messages were lost, and the hub reads them from the backlog.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Final

import redis.asyncio
import structlog

from api.live.backlogs import AWAY
from core.live import channel_of_shard
from core.tasks import end, run_together

WAIT_S_MAX: Final = 5.0
"""The longest pause between two attempts to reach Redis."""

HEARD_S_MAX: Final = 1.0
"""A client waits no longer for a subscription; without Redis it gets what comes once it is back."""

LOST: Final = (*AWAY, RuntimeError)
"""What ends a subscription: also that both of its tasks connected again at the same time."""

log = structlog.get_logger()


class Subscriptions:
    """Keeps Redis told of what is listened to, and hands on what comes."""

    def __init__(
        self,
        client: redis.asyncio.Redis,
        *,
        hear: Callable[[int, bytes], None],
        make_up: Callable[[int], Awaitable[None]],
    ) -> None:
        self._redis = client
        self._hear = hear
        self._make_up = make_up
        self._listeners: Counter[int] = Counter()
        self._heard: dict[int, asyncio.Event] = {}
        """Set when Redis has confirmed the subscription; a new one for each first listener."""

        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def shards_count(self) -> int:
        """How many shards somebody listens to."""
        return len(self._heard)

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            await end(self._task)

    def add(self, shards: Iterable[int]) -> None:
        """Count one more listener of each shard."""
        for shard in shards:
            self._listeners[shard] += 1
            if self._listeners[shard] == 1:
                self._heard[shard] = asyncio.Event()
                self._changed.set()

    def remove(self, shards: Iterable[int]) -> list[int]:
        """Count one listener less of each shard; return those that nobody listens to now."""
        left = []
        for shard in shards:
            self._listeners[shard] -= 1
            if not self._listeners[shard]:
                del self._listeners[shard], self._heard[shard]
                left.append(shard)
                self._changed.set()
        return left

    async def wait_until_heard(self, shards: Iterable[int]) -> None:
        """Wait until everything published in shards will be heard, if Redis is there."""
        events = [self._heard[shard] for shard in shards if shard in self._heard]
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARD_S_MAX):
                for event in events:
                    await event.wait()

    async def _run(self) -> None:
        wait_s = 0.1
        while True:
            started = asyncio.get_running_loop().time()
            try:
                async with self._redis.pubsub() as channel:
                    await channel.connect()
                    await run_together(self._steer(channel), self._read(channel))
            except LOST as error:
                if asyncio.get_running_loop().time() - started > WAIT_S_MAX:
                    wait_s = 0.1
                log.warning("live_source_away", error=type(error).__name__, retry_in_s=wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, WAIT_S_MAX)

    async def _steer(self, channel: redis.asyncio.client.PubSub) -> None:
        """Subscribe and unsubscribe as listeners come and go."""
        told: dict[int, asyncio.Event] = {}
        while True:
            self._changed.clear()
            wanted = self._heard.copy()
            new = [shard for shard, event in wanted.items() if told.get(shard) is not event]
            old = [shard for shard in told if shard not in wanted]
            told = wanted
            if old:
                await channel.unsubscribe(*map(channel_of_shard, old))
            if new:
                await channel.subscribe(*map(channel_of_shard, new))
            await self._changed.wait()

    async def _read(self, channel: redis.asyncio.client.PubSub) -> None:
        while True:
            message = await channel.get_message(timeout=None)
            if message is None:
                continue
            shard = int(message["channel"].rpartition(b":")[2])
            if message["type"] == "message":
                self._hear(shard, message["data"])
            elif message["type"] == "subscribe":
                await self._confirm(shard)

    async def _confirm(self, shard: int) -> None:
        heard = self._heard.get(shard)
        if heard is None:
            return
        if heard.is_set():
            await self._make_up(shard)
        heard.set()
