"""Backlogs: how far the flow is behind, so that senders wait before retention catches up with it.

Counted in Kafka's offsets, of which each transaction takes one more than it has entries, between
the end of a shard and what the flow has released of it; what was released long ago and is still
kept does not count. Looked up at most once a second: in between, senders may go past the limit by
what one second brings.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from core.errors import BusFullError
from streaming.bus.kafka.topics import TIMEOUT_S, connect, name_group, name_partition, to_away

LOOK_EVERY_S: Final = 1.0


class Backlog:
    """Knows the lag of the flow in each shard."""

    def __init__(self, servers: str, *, shards: int, max_entries: int) -> None:
        self._servers = servers
        self._partitions = [name_partition(shard) for shard in range(shards)]
        self._max_entries = max_entries
        self._consumer: Consumer | None = None
        self._lag: dict[int, int] = {}
        self._look_at = 0.0
        self._lock = asyncio.Lock()

    async def require_room(self, shards: Iterable[int]) -> None:
        """Refuse when a shard is too far behind.

        Raises:
            BusFullError: One of the shards holds as much as it may.
            BusAwayError: No broker answers.
        """
        if asyncio.get_running_loop().time() >= self._look_at:
            async with self._lock:
                await self._look_once()
        if any(self._lag.get(shard, 0) >= self._max_entries for shard in shards):
            raise BusFullError(
                "The bus is full: the flow is behind. Wait and send the same body again.",
                retry_after_s=1,
            )

    async def close(self) -> None:
        """Let go of the connections."""
        if self._consumer is not None:
            await asyncio.to_thread(self._consumer.close)

    async def _look_once(self) -> None:
        # Those who waited for the lock come when the answer is already there.
        if (now := asyncio.get_running_loop().time()) < self._look_at:
            return
        try:
            self._lag = await asyncio.to_thread(self._look_up)
        except KafkaException as error:
            raise to_away(error.args[0].name()) from error
        self._look_at = now + LOOK_EVERY_S

    def _look_up(self) -> dict[int, int]:
        # It joins no group and reads nothing; an admin client would crash the process when the
        # group's coordinator has just moved.
        settings = {"group.id": name_group("flow"), "enable.auto.commit": False}
        consumer = self._consumer = self._consumer or Consumer(connect(self._servers) | settings)
        released = consumer.committed(self._partitions, timeout=TIMEOUT_S)
        return {place.partition: _measure_lag(consumer, place) for place in released}


def _measure_lag(consumer: Consumer, released: TopicPartition) -> int:
    start, end = consumer.get_watermark_offsets(released, timeout=TIMEOUT_S)
    # Where nothing was ever released the offset is negative, and everything there counts.
    return int(end - max(released.offset, start))
