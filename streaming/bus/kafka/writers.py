"""The writing end of the Kafka bus.

An append is answered when the transaction it is part of was committed on all replicas in sync; its
entries become visible together or never. A group of appends shares a transaction and its fate:
when it fails, everybody in it is told so and may send again. Idempotency keys live in Redis;
``streaming.bus.claims`` says where that is weaker than the Redis bus.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future

from confluent_kafka.admin import AdminClient

from core.errors import TelemetraError
from streaming.bus.base import Offsets, Once
from streaming.bus.claims import Claims
from streaming.bus.kafka.backlogs import Backlog
from streaming.bus.kafka.topics import TIMEOUT_S, connect, ensure_topic, to_away
from streaming.bus.kafka.transactions import Transactions


class KafkaBusWriter:
    """Appends entries to the partitions of a topic."""

    def __init__(self, servers: str, redis_url: str, *, shards: int, max_entries: int) -> None:
        self._servers = servers
        self._shards = shards
        self._is_checked = False
        self._checking = asyncio.Lock()
        self._transactions = Transactions(servers)
        self._backlog = Backlog(servers, shards=shards, max_entries=max_entries)
        self._claims = Claims(redis_url)
        self._under_way: set[asyncio.Task[Offsets | None]] = set()

    async def append(
        self, entries: Mapping[int, bytes], *, once: Once | None = None, trace: str | None = None
    ) -> Offsets | None:
        """Append one entry to each shard named, all or none; return None for a repeat."""
        if once is None:
            return await self._append(entries, trace)
        # Goes on when its sender hangs up: a key that was claimed has to be confirmed or released.
        task = asyncio.create_task(self._append_once(entries, once, trace))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Commit what waits, and let go of the connections."""
        if self._under_way:
            await asyncio.wait(self._under_way)
        await asyncio.to_thread(self._transactions.close)
        await self._backlog.close()
        await self._claims.close()

    async def _append_once(
        self, entries: Mapping[int, bytes], once: Once, trace: str | None
    ) -> Offsets | None:
        claim = await self._claims.claim(once)
        if claim is None:
            return None
        try:
            offsets = await self._append(entries, trace)
        except TelemetraError:
            await self._claims.release(once, claim)
            raise
        await self._claims.confirm(once)
        return offsets

    async def _append(self, entries: Mapping[int, bytes], trace: str | None) -> Offsets:
        await self._check_topic()
        await self._backlog.require_room(entries)
        self._transactions.start()
        return await _await_commit(self._transactions.submit(entries, trace))

    async def _check_topic(self) -> None:
        if self._is_checked:
            return
        # One asks for all who come before it knows: a thousand clients are more than there may be.
        async with self._checking:
            if not self._is_checked:
                admin = AdminClient(connect(self._servers))
                await asyncio.to_thread(ensure_topic, admin, self._shards)
                self._is_checked = True


async def _await_commit(commit: Future[Offsets]) -> Offsets:
    """Wait for a commit; who waits too long for its turn gives up, who is in it does not.

    A commit that has begun ends by itself after ``TIMEOUT_S``, and what it then says is the truth.
    """
    waiting = asyncio.wrap_future(commit)
    try:
        await asyncio.wait([waiting], timeout=TIMEOUT_S)
        if not waiting.done() and commit.cancel():
            raise to_away("too many wait for it")
        return await waiting
    except asyncio.CancelledError:
        waiting.cancel()
        raise
