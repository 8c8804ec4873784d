"""Announcers: publish numbered messages at a steady rate, in the way of the flow.

A shard's streams are told in one publication, as in one commit; the shards take turns.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

import redis.asyncio

from core.backlogs import (
    GAP_KEY,
    POSITION_KEY,
    PUBLISH,
    backlog_of_shard,
    list_publication,
)
from core.ids import shard_of
from core.live import LiveMessage, channel_of_shard
from loadtest.bench.push.bodies import FIRST_MOMENT, FIRST_NUMBER, make_message

SHARDS: Final = 16
"""As many as the product has by default."""

MOMENT_EVERY_S: Final = 5
"""Each stream has a moment so often."""


@dataclass(frozen=True, slots=True)
class Announced:
    """How much was published."""

    messages: int
    moments: int
    seconds: float


class Announcer:
    """Numbers the messages of each stream, and publishes them to one kind of server."""

    def __init__(self, redis_url: str, streams: Sequence[str], *, is_plain: bool = False) -> None:
        self._redis = redis.asyncio.from_url(redis_url)
        self._publish = self._redis.register_script(PUBLISH)
        self._is_plain = is_plain
        self._by_shard: defaultdict[int, list[str]] = defaultdict(list)
        for stream_id in streams:
            self._by_shard[shard_of(stream_id, SHARDS)].append(stream_id)
        self._numbers = {stream_id: count(FIRST_NUMBER) for stream_id in streams}
        self._moments = {stream_id: count(FIRST_MOMENT) for stream_id in streams}

    @property
    def streams_count(self) -> int:
        """How many streams are told of."""
        return len(self._numbers)

    async def announce(self, rate: float, seconds: float) -> Announced:
        """Publish ``rate`` metrics a second of every stream, and its moments among them."""
        started = time.perf_counter()
        shards = list(self._by_shard)
        pause = 1 / (rate * len(shards))
        messages = moments = 0
        for turn in range(round(seconds / pause)):
            await asyncio.sleep(started + turn * pause - time.perf_counter())
            shard = shards[turn % len(shards)]
            has_moments = (turn // len(shards)) % max(round(rate * MOMENT_EVERY_S), 1) == 0
            told = self._write(self._by_shard[shard], has_moments=has_moments)
            await self._tell(shard, told)
            messages += len(told)
            moments += has_moments * (len(told) // 2)
        return Announced(messages, moments, time.perf_counter() - started)

    async def tell(self, stream_id: str, kind: str, number: int) -> None:
        """Publish one message."""
        await self._tell(shard_of(stream_id, SHARDS), [make_message(kind, stream_id, number)])

    async def find_position(self) -> int:
        """Return the last position given out."""
        return int(await self._redis.get(POSITION_KEY) or 0)

    async def close(self) -> None:
        """Let go of Redis."""
        await self._redis.aclose()

    def _write(self, streams: Sequence[str], *, has_moments: bool) -> list[LiveMessage]:
        told = [make_message("metrics", name, next(self._numbers[name])) for name in streams]
        if has_moments:
            told += [make_message("moment", name, next(self._moments[name])) for name in streams]
        return told

    async def _tell(self, shard: int, told: Sequence[LiveMessage]) -> None:
        if self._is_plain:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for message in told:
                    pipeline.publish(f"plain:{message.stream_id}", message.body)
                await pipeline.execute()
            return
        await self._publish(
            keys=[POSITION_KEY, backlog_of_shard(shard), GAP_KEY],
            args=list_publication(channel_of_shard(shard), told),
        )
