"""Subscriptions: the topics, shards or sessions, of which this process hears the live messages.

    first listener of a topic -> SUBSCRIBE        last one gone -> UNSUBSCRIBE

Redis confirms each subscription. A confirmation that nobody waited for means that the connection
broke and was made again: in between messages were lost, and the hub reads them from the backlog.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import suppress
from typing import Final, Generic, TypeVar

import redis.asyncio
import structlog

from api.live.backlogs import AWAY
from core.tasks import end, run_together

WAIT_S_MAX: Final = 5.0
"""The longest pause between two attempts to reach Redis."""

HEARD_S_MAX: Final = 1.0
"""A client waits no longer for a subscription; without Redis it gets what comes once it is back."""

Topic = TypeVar("Topic", int, str)

LOST: Final = (*AWAY, RuntimeError)
"""What ends a subscription: also that both of its tasks connected again at the same time."""

log = structlog.get_logger()


class Subscriptions(Generic[Topic]):
    """Keeps Redis told of what is listened to, and hands on what comes."""

    def __init__(
        self,
        client: redis.asyncio.Redis,
        name_channel: Callable[[Topic], str],
        *,
        hear: Callable[[Topic, bytes], None],
        make_up: Callable[[Topic], Awaitable[None]],
    ) -> None:
        self._redis = client
        self._name_channel: Callable[[Topic], str] = name_channel
        self._topics: dict[bytes, Topic] = {}
        """What is listened to, by the name of its channel."""

        self._hear: Callable[[Topic, bytes], None] = hear
        self._make_up: Callable[[Topic], Awaitable[None]] = make_up
        self._listeners: Counter[Topic] = Counter()
        self._heard: dict[Topic, asyncio.Event] = {}
        """Set when Redis has confirmed the subscription; a new one for each first listener."""

        self._late: set[Topic] = set()
        """What somebody listens to who waited for Redis in vain."""

        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def topics_count(self) -> int:
        """How many topics somebody listens to."""
        return len(self._heard)

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            await end(self._task)

    def add(self, topics: Iterable[Topic]) -> None:
        """Count one more listener of each topic."""
        for topic in topics:
            self._listeners[topic] += 1
            if self._listeners[topic] == 1:
                self._heard[topic] = asyncio.Event()
                self._topics[self._name_channel(topic).encode()] = topic
                self._changed.set()

    def remove(self, topics: Iterable[Topic]) -> list[Topic]:
        """Count one listener less of each topic; return those that nobody listens to now."""
        left = []
        for topic in topics:
            self._listeners[topic] -= 1
            if not self._listeners[topic]:
                del self._listeners[topic], self._heard[topic]
                del self._topics[self._name_channel(topic).encode()]
                self._late.discard(topic)
                left.append(topic)
                self._changed.set()
        return left

    async def wait_until_heard(self, topics: Collection[Topic]) -> None:
        """Wait until everything published in topics will be heard, if Redis is there."""
        events = [self._heard[topic] for topic in topics if topic in self._heard]
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARD_S_MAX):
                for event in events:
                    await event.wait()
                return
        self._late.update(topic for topic in topics if not self.is_heard(topic))

    def is_heard(self, topic: Topic) -> bool:
        """Whether everything published in a topic is heard, as far as is known."""
        return topic in self._heard and self._heard[topic].is_set()

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
        told: dict[Topic, asyncio.Event] = {}
        while True:
            self._changed.clear()
            wanted = self._heard.copy()
            new = [topic for topic, event in wanted.items() if told.get(topic) is not event]
            old = [topic for topic in told if topic not in wanted]
            told = wanted
            if old:
                await channel.unsubscribe(*map(self._name_channel, old))
            if new:
                await channel.subscribe(*map(self._name_channel, new))
            await self._changed.wait()

    async def _read(self, channel: redis.asyncio.client.PubSub) -> None:
        while True:
            message = await channel.get_message(timeout=None)
            if message is None:
                continue
            topic = self._topics.get(message["channel"])
            if topic is None:
                # The last listener went while the message was on its way.
                continue
            if message["type"] == "message":
                self._hear(topic, message["data"])
            elif message["type"] == "subscribe":
                await self._confirm(topic)

    async def _confirm(self, topic: Topic) -> None:
        heard = self._heard.get(topic)
        if heard is None:
            return
        if heard.is_set() or topic in self._late:
            self._late.discard(topic)
            await self._make_up(topic)
        heard.set()
