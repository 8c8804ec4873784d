"""Backlogs: what live clients missed while they were away, read from Redis.

Any API process can answer: nothing here depends on what this one has heard.
"""

from collections.abc import Iterable
from typing import Final, TypeAlias

import redis.asyncio
import redis.exceptions
import structlog

from core.backlogs import (
    BACKLOG_TTL_S,
    ENTRIES_MAX,
    GAP_KEY,
    POSITION_KEY,
    backlog_of_shard,
    unpack_chunk,
)
from core.clock import Clock
from core.live import LiveMessage

READ_S_MAX: Final = BACKLOG_TTL_S / 2
"""How old a position may be for an empty backlog to mean that nothing was missed: far younger than
what is forgotten, so that clocks of machines may differ."""

AWAY: Final = (redis.exceptions.RedisError, OSError)
"""What the client of Redis raises when the server does not answer."""

Entry: TypeAlias = tuple[bytes, dict[bytes, bytes]]
"""One chunk as Redis returns it: its number and its fields."""

log = structlog.get_logger()


class Backlogs:
    """Reads positions and what came after them."""

    def __init__(self, client: redis.asyncio.Redis, clock: Clock) -> None:
        self._redis = client
        self._clock = clock

    async def find_position(self) -> int | None:
        """Return the last position given out, or one before the first; None without Redis."""
        try:
            last = await self._redis.get(POSITION_KEY)
            seconds, microseconds = (0, 0) if last else await self._redis.time()
            return int(last or seconds * 1_000_000 + microseconds)
        except AWAY as error:
            log.warning("backlog_away", error=type(error).__name__)
            return None

    async def read(self, shards: Iterable[int], since: int) -> list[LiveMessage] | None:
        """Return what was kept after a position, in order.

        Returns:
            None when the backlogs do not reach back so far, or Redis is away.
        """
        chosen = sorted(shards)
        try:
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.mget(POSITION_KEY, GAP_KEY)
                for shard in chosen:
                    key = backlog_of_shard(shard)
                    pipeline.xlen(key)
                    pipeline.xrange(key, count=1)
                    pipeline.xrange(key, min=f"({since}-0", count=ENTRIES_MAX)
                (position, gap), *found = await pipeline.execute()
        except AWAY as error:
            log.warning("backlog_away", error=type(error).__name__)
            return None
        # Something was never published, nobody gave this position out, or Redis forgot it.
        if not int(gap or 0) <= since <= int(position or 0):
            return None
        messages: list[LiveMessage] = []
        for length, oldest, newer in zip(found[::3], found[1::3], found[2::3], strict=True):
            if not self._reaches(since, length, oldest):
                return None
            messages += (
                message
                for entry in newer
                for message in _unpack(entry)
                if message.position is not None and message.position > since
            )
        return sorted(messages, key=lambda message: message.position or 0)

    def _reaches(self, since: int, length: int, oldest: list[Entry]) -> bool:
        if oldest and _number(oldest[0]) <= since:
            return True
        # Nothing was pushed out yet, and what has expired is older.
        is_recent = since / 1e6 > self._clock.now_ms() / 1000 - READ_S_MAX
        return is_recent and length < ENTRIES_MAX


def _unpack(entry: Entry) -> Iterable[LiveMessage]:
    _, fields = entry
    return unpack_chunk(_number(entry), int(fields[b"count"]), fields[b"messages"])


def _number(entry: Entry) -> int:
    number, _ = entry
    return int(number.partition(b"-")[0])
