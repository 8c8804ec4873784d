"""Hub: the flow's messages as one process hears them, and the connections they go to.

    Redis ──a subscription a shard──► hub ──the same bytes──► connections

A message is unpacked once and handed on as the bytes it came in. Who subscribes gets the first
picture, or what was missed since a position, and then what comes, in this order and without a gap.
When Redis was away the hub makes up for what it missed from the backlog.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Iterator
from typing import Final, TypeVar

import redis.asyncio
import structlog

from api.live.admissions import Admissions, LivePolicy, Visitor
from api.live.audiences import Audiences
from api.live.backlogs import Backlogs
from api.live.connections import EVERYTHING, Connection
from api.live.snapshots import Snapshots
from api.live.subscriptions import Subscriptions
from core import metrics
from core.backlogs import unpack_publication
from core.clock import Clock
from core.ids import shard_of
from core.live import LiveMessage, channel_of_shard
from core.settings import Settings
from db.pool import Pool

READERS_MAX: Final = 8
"""Clients whose first pictures are read at the same time, when very many come back at once."""

RETURNS_A_SECOND: Final = 500
"""How many clients a second are asked to come back when the process stops."""

DRAIN_S_MAX: Final = 3.0
"""How long a process that stops waits until its clients are told."""


log = structlog.get_logger()


Client = TypeVar("Client", bound=Connection)


class Hub:
    """Fans messages out."""

    def __init__(
        self, client: redis.asyncio.Redis, pool: Pool, clock: Clock, settings: Settings
    ) -> None:
        self._clock = clock
        self._shards = settings.bus_shards
        self._policy = LivePolicy.of(settings)
        self._admissions = Admissions(self._policy)
        self._backlogs = Backlogs(client, clock)
        self._snapshots = Snapshots(client, pool, clock)
        self._subscriptions: Subscriptions[int] = Subscriptions(
            client, channel_of_shard, hear=self._hear, make_up=self._make_up
        )
        self._audiences = Audiences(client, clock, self._list_looked_at)
        self._readers = asyncio.Semaphore(READERS_MAX)
        self._connections: set[Connection] = set()
        self._by_stream: dict[str, set[Connection]] = {}
        self._seen: dict[int, int] = {}
        """The last position of each shard that is listened to."""

    @property
    def connections_count(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    @property
    def streams_count(self) -> int:
        """How many streams somebody listens to."""
        return len(self._by_stream)

    @property
    def shards_count(self) -> int:
        """How many shards Redis is asked for."""
        return self._subscriptions.topics_count

    def start(self) -> None:
        """Begin to listen to the flow."""
        self._subscriptions.start()
        self._audiences.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._audiences.stop()
        await self._subscriptions.stop()

    async def drain(self) -> None:
        """Let nobody in, ask all to connect again, spread over time, and wait until they know."""
        self._admissions.is_closed = True
        spread_ms = 1000 + 1000 * len(self._connections) // RETURNS_A_SECOND
        for connection in self._connections:
            connection.leave(delay_ms=random.randrange(spread_ms))  # noqa: S311 (no secret)
        waited_s = 0.0
        while self._connections and waited_s < DRAIN_S_MAX:
            await asyncio.sleep(0.05)
            waited_s += 0.05

    def connect(self, visitor: Visitor) -> Connection:
        """Return a connection for a new client.

        Raises:
            LiveFullError: There are as many as there may be.
        """
        return self.admit(visitor, Connection)

    def admit(self, visitor: Visitor, make: Callable[..., Client]) -> Client:
        """Return a connection of some kind for a new client.

        Raises:
            LiveFullError: There are as many as there may be.
        """
        try:
            self._admissions.enter(visitor)
        except Exception:
            metrics.live_connections_refused_total.inc()
            raise
        connection = make(self._clock, limit=self._policy.queue_messages, visitor=visitor)
        self._connections.add(connection)
        metrics.live_connections.set(len(self._connections))
        return connection

    def disconnect(self, connection: Connection) -> None:
        """Forget a client and all it subscribed to."""
        self.unsubscribe(connection, connection.streams.copy())
        self._connections.discard(connection)
        self._admissions.leave(connection.visitor)
        if connection.is_too_slow:
            metrics.live_connections_slow_total.inc()
        metrics.live_connections.set(len(self._connections))

    async def find_position(self) -> int | None:
        """Return the position from which a client that comes now goes on."""
        return await self._backlogs.find_position()

    async def subscribe(
        self, connection: Connection, streams: Collection[str], since: int | None = None
    ) -> None:
        """Send a client what it missed or the first picture of streams, and then what happens."""
        # Asked before anything is heard: what is heard has a higher position.
        position = await self._backlogs.find_position()
        shards = self._find_shards(streams)
        first: list[LiveMessage] = []
        connection.hold()
        try:
            self._register(connection, streams)
            if "chat" in connection.kinds:
                self._audiences.note_change()
            if position is not None:
                for shard in shards:
                    self._seen.setdefault(shard, position)
            await self._subscriptions.wait_until_heard(shards)
            async with self._readers:
                first = await self._find_first(connection, streams, since)
        finally:
            connection.release(first)

    def unsubscribe(self, connection: Connection, streams: Collection[str]) -> None:
        """Send a client nothing more of streams."""
        for stream_id in connection.streams.intersection(streams):
            connection.streams.discard(stream_id)
            listeners = self._by_stream[stream_id]
            listeners.discard(connection)
            if not listeners:
                del self._by_stream[stream_id]
                for shard in self._subscriptions.remove(self._find_shards([stream_id])):
                    self._seen.pop(shard, None)

    def publish(self, message: LiveMessage) -> None:
        """Offer a message to everyone who wants it."""
        for connection in self._by_stream.get(message.stream_id, ()):
            connection.offer(message)
        if message.kind == "chat":
            # What is said comes only of streams that are named: nobody reads a thousand chats.
            return
        for connection in self._by_stream.get(EVERYTHING, ()):
            if connection.wants_of_others(message):
                connection.offer(message)

    def _register(self, connection: Connection, streams: Collection[str]) -> None:
        for stream_id in streams:
            if stream_id not in self._by_stream:
                self._by_stream[stream_id] = set()
                self._subscriptions.add(self._find_shards([stream_id]))
            self._by_stream[stream_id].add(connection)
            connection.streams.add(stream_id)

    async def _find_first(
        self, connection: Connection, streams: Collection[str], since: int | None
    ) -> list[LiveMessage]:
        """Return what a client gets before anything new."""
        missed = None if since is None else await self._find_missed(connection, streams, since)
        if since is not None:
            await self._tell_resumed({connection}, is_complete=missed is not None)
        named = set(streams) - {EVERYTHING}
        minutes = await self._snapshots.read_minutes(named)
        moments = [] if missed is not None else await self._snapshots.read_moments(named)
        return [*(missed or ()), *minutes, *moments]

    async def _tell_resumed(
        self, connections: Collection[Connection], *, is_complete: bool
    ) -> None:
        """Tell clients whether all they missed follows; if not, from where they go on."""
        metrics.live_resumes_total.labels("complete" if is_complete else "gap").inc(
            len(connections)
        )
        position = None if is_complete else await self._backlogs.find_position()
        for connection in connections:
            connection.say("resumed", complete=is_complete, position=position)

    async def _find_missed(
        self, connection: Connection, streams: Collection[str], since: int
    ) -> list[LiveMessage] | None:
        kept = await self._backlogs.read(self._find_shards(streams), since)
        if kept is None:
            return None
        is_all = EVERYTHING in streams
        missed = [
            message
            for message in kept
            if message.kind in connection.kinds
            and (message.stream_id in streams or (is_all and connection.wants_of_others(message)))
        ]
        # More than may wait for a client is no short break.
        return missed if len(missed) <= self._policy.queue_messages else None

    def _hear(self, shard: int, payload: bytes) -> None:
        try:
            gap, messages = unpack_publication(payload)
        except ValueError:
            # Somebody else wrote to the channel; the flow's messages must go on.
            log.warning("live_payload_unreadable", bytes=len(payload))
            return
        if gap > self._seen.get(shard, gap):
            self._seen[shard] = gap
            self._tell_gap(shard, gap)
        for message in messages:
            self._pass_on(shard, message)

    def _tell_gap(self, shard: int, gap: int) -> None:
        """Tell the clients of a shard, each once, that something was never published."""
        metrics.live_resumes_total.labels("gap").inc()
        for connection in {one for _, all_of in self._list_listened(shard) for one in all_of}:
            if connection.gap < gap:
                connection.gap = gap
                connection.say("resumed", complete=False, position=gap)

    def _pass_on(self, shard: int, message: LiveMessage) -> None:
        """Publish a message, one with a position only once."""
        if message.position is not None:
            if message.position <= self._seen.get(shard, 0):
                return
            self._seen[shard] = message.position
        self.publish(message)

    async def _make_up(self, shard: int) -> None:
        """Publish what was not heard of a shard while Redis was away."""
        since = self._seen.get(shard)
        missed = None if since is None else await self._backlogs.read([shard], since)
        if missed is None:
            all_of = {one for _, listeners in self._list_listened(shard) for one in listeners}
            await self._tell_resumed(all_of, is_complete=False)
        for message in missed or ():
            self._pass_on(shard, message)
        named = {stream_id for stream_id, _ in self._list_listened(shard)} - {EVERYTHING}
        for message in await self._snapshots.read_minutes(named):
            for connection in self._by_stream.get(message.stream_id, ()):
                connection.offer(message)

    def _list_looked_at(self) -> set[str]:
        """Return the streams whose chat somebody asked for, by name."""
        looking = (one for one in self._connections if "chat" in one.kinds)
        named = {stream_id for one in looking for stream_id in one.streams}
        return named - {EVERYTHING}

    def _list_listened(self, shard: int) -> Iterator[tuple[str, set[Connection]]]:
        for stream_id, connections in self._by_stream.items():
            if shard in self._find_shards([stream_id]):
                yield stream_id, connections

    def _find_shards(self, streams: Collection[str]) -> set[int]:
        if EVERYTHING in streams:
            return set(range(self._shards))
        return {shard_of(stream_id, self._shards) for stream_id in streams}
