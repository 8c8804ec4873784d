"""Hub: one subscription to the flow's messages a process, and the connections they go to.

A message is unpacked once and handed on as the bytes it came in. When Redis goes away the hub
waits for it and sends every client the newest state of its streams once it is back.
"""

import asyncio
from typing import Final, cast

import redis.asyncio
import redis.exceptions
import structlog

from api.live.connections import EVERYTHING, Connection
from core import metrics
from core.clock import Clock
from core.live import LiveMessage, unpack_messages

PATTERN: Final = "live:shard:*"
WAIT_S_MAX: Final = 5.0

log = structlog.get_logger()


class Hub:
    """Fans messages out."""

    def __init__(self, client: redis.asyncio.Redis, clock: Clock, *, queue_messages: int) -> None:
        self._redis = client
        self._clock = clock
        self._queue_messages = queue_messages
        self._connections: set[Connection] = set()
        self._by_stream: dict[str, set[Connection]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def connections_count(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    @property
    def streams_count(self) -> int:
        """How many streams somebody listens to."""
        return len(self._by_stream)

    def start(self) -> None:
        """Begin to listen to the flow."""
        self._task = asyncio.create_task(self._listen_for_ever())

    async def stop(self) -> None:
        """Stop listening."""
        # The Redis client swallows a cancellation that comes while it connects.
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=0.1)

    def connect(self) -> Connection:
        """Return a connection for a new client."""
        connection = Connection(self._clock, limit=self._queue_messages)
        self._connections.add(connection)
        metrics.live_connections.set(len(self._connections))
        return connection

    def disconnect(self, connection: Connection) -> None:
        """Forget a client and all it subscribed to."""
        self.unsubscribe(connection, connection.streams.copy())
        self._connections.discard(connection)
        metrics.live_connections.set(len(self._connections))

    async def subscribe(self, connection: Connection, streams: set[str]) -> None:
        """Send a client the newest minute of streams and all that happens in them from now on."""
        for stream_id in streams:
            connection.streams.add(stream_id)
            self._by_stream.setdefault(stream_id, set()).add(connection)
        await self._send_latest({connection}, streams - {EVERYTHING})

    def unsubscribe(self, connection: Connection, streams: set[str]) -> None:
        """Send a client nothing more of streams."""
        for stream_id in streams & connection.streams:
            connection.streams.discard(stream_id)
            listeners = self._by_stream[stream_id]
            listeners.discard(connection)
            if not listeners:
                del self._by_stream[stream_id]

    def publish(self, message: LiveMessage) -> None:
        """Offer a message to everyone who wants it."""
        for stream_id in (message.stream_id, EVERYTHING):
            for connection in self._by_stream.get(stream_id, ()):
                if stream_id == EVERYTHING and message.stream_id in connection.streams:
                    continue
                connection.offer(message)

    async def _listen_for_ever(self) -> None:
        wait_s = 0.1
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.psubscribe(PATTERN)
                    await self._send_latest(self._connections, set(self._by_stream) - {EVERYTHING})
                    wait_s = 0.1
                    await self._listen(subscription)
            except (redis.exceptions.RedisError, OSError) as error:
                log.warning("live_source_away", error=type(error).__name__, retry_in_s=wait_s)
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, WAIT_S_MAX)

    async def _listen(self, subscription: redis.asyncio.client.PubSub) -> None:
        while True:
            message = await subscription.get_message(timeout=None)
            if message is not None:
                self._unpack(message["data"])

    def _unpack(self, payload: bytes) -> None:
        try:
            messages = list(unpack_messages(payload))
        except ValueError:
            # Somebody else wrote to the channel; the flow's messages must go on.
            log.warning("live_payload_unreadable", bytes=len(payload))
            return
        for message in messages:
            self.publish(message)

    async def _send_latest(self, connections: set[Connection], streams: set[str]) -> None:
        """Offer the newest minute of streams; without Redis there is none to offer."""
        if not streams:
            return
        wanted = sorted(streams)
        try:
            found = await self._redis.mget([f"latest:stream:{name}" for name in wanted])
        except (redis.exceptions.RedisError, OSError) as error:
            log.warning("latest_away", error=type(error).__name__)
            return
        # The library's types cannot know that answers are bytes here.
        bodies = cast("list[bytes | None]", found)
        for stream_id, body in zip(wanted, bodies, strict=True):
            if body is not None:
                message = LiveMessage(stream_id, "metrics", stream_id, body)
                for connection in connections:
                    if stream_id in connection.streams:
                        connection.offer(message)
