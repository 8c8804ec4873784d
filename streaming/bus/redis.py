"""Redis bus: one Redis Stream a shard.

An append is one script: the repeat check, the limit and the entries of all shards succeed or fail
together, and the append-only file keeps them as one. Nothing is ever sent twice by the client
library on its own.
"""

from collections.abc import Mapping, Sequence
from typing import Final, cast

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.batches import Entry, make_offset, split_offset
from core.errors import BusAwayError, BusFullError, ConflictError
from core.traces import read_context
from streaming.bus.base import CONSUMERS, Consumer, Offsets, Once

ONCE_TTL_S: Final = 3600
"""How long a repeat is recognised: senders give up long before."""

READ_BYTES: Final = 1 << 20
"""Bytes taken from the socket at once: reading a frame in small pieces costs a quarter of it."""

TIMEOUT_S: Final = 5
"""An answer later than this counts as none."""

CONNECTIONS_MAX: Final = 50
"""More appends at once wait for one another, no longer than for an answer."""

_PAYLOAD: Final = b"d"
_TRACE: Final = b"t"

_APPEND: Final = """
local shards = tonumber(ARGV[1])
local limit = tonumber(ARGV[2])
if KEYS[shards + 1] then
    local content = redis.call('GET', KEYS[shards + 1])
    if content == ARGV[3] then return 'repeat' end
    if content then return 'conflict' end
end
for i = 1, shards do
    if redis.call('XLEN', KEYS[i]) >= limit then return 'full' end
end
local ids = {}
for i = 1, shards do
    if ARGV[5] == '' then
        ids[i] = redis.call('XADD', KEYS[i], '*', 'd', ARGV[5 + i])
    else
        ids[i] = redis.call('XADD', KEYS[i], '*', 'd', ARGV[5 + i], 't', ARGV[5])
    end
end
if KEYS[shards + 1] then
    redis.call('SET', KEYS[shards + 1], ARGV[3], 'EX', ARGV[4])
end
return ids
"""

_RELEASE: Final = """
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
local least = ARGV[2]
for _, value in ipairs(redis.call('HMGET', KEYS[2], unpack(ARGV, 3))) do
    if not value then return 0 end
    if #value < #least or (#value == #least and value < least) then least = value end
end
return least
"""
"""Offsets are compared as texts of digits: a number in Lua holds only 53 of their bits."""

_AWAY: Final = (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError, OSError)


def name_shard(shard: int) -> str:
    """Return the key of a shard's stream."""
    return f"bus:shard:{shard}"


class RedisBusWriter:
    """Appends entries to Redis Streams."""

    def __init__(self, url: str, *, max_entries: int) -> None:
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS_MAX,
            timeout=TIMEOUT_S,
            # A retry by the library could append twice: the first answer may only have been lost.
            retry=AsyncRetry(NoBackoff(), 0),
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            # Its version would be read from the disk for each connection.
            driver_info=None,
        )
        self._redis = redis.asyncio.Redis.from_pool(pool)
        self._append = self._redis.register_script(_APPEND)
        self._max_entries = max_entries

    async def append(
        self, entries: Mapping[int, bytes], *, once: Once | None = None, trace: str | None = None
    ) -> Offsets | None:
        """Append one entry to each shard named, all or none; return None for a repeat."""
        keys = [name_shard(shard) for shard in entries]
        if once is not None:
            keys.append(f"once:append:{once.key}")
        content = once.content if once is not None else ""
        facts: list[int | str] = [
            len(entries),
            self._max_entries,
            content,
            ONCE_TTL_S,
            trace or "",
        ]
        try:
            outcome = await self._append(keys=keys, args=[*facts, *entries.values()])
        except _AWAY as error:
            raise _away(error) from error
        except redis.ResponseError as error:
            if not str(error).startswith("OOM"):
                raise
            outcome = b"full"
        if outcome == b"full":
            raise BusFullError(
                "The bus is full: the flow is behind. Wait and send the same body again.",
                retry_after_s=1,
            )
        if outcome == b"conflict":
            raise ConflictError("This Idempotency-Key was used for another body. Take a new one.")
        if outcome == b"repeat":
            return None
        return {shard: _read_offset(key) for shard, key in zip(entries, outcome, strict=True)}

    async def close(self) -> None:
        """Let go of the connections."""
        await self._redis.aclose()


class RedisBusReader:
    """Reads entries from Redis Streams."""

    def __init__(
        self, url: str, consumer: Consumer, *, consumers: Sequence[Consumer] = CONSUMERS
    ) -> None:
        self._consumer = consumer
        self._consumers = consumers
        self._redis = redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_read_size=READ_BYTES,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            # Its version would be read from the disk for each connection.
            driver_info=None,
        )
        self._release = self._redis.register_script(_RELEASE)

    def read(self, shard: int, *, after: int, limit: int) -> list[Entry]:
        """Return up to ``limit`` entries after an offset, oldest first."""
        ms, sequence = split_offset(after)
        try:
            found = self._redis.xrange(name_shard(shard), min=f"({ms}-{sequence}", count=limit)
        except _AWAY as error:
            raise _away(error) from error
        # The library's types cannot know that answers are bytes here.
        entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", found)
        return [_to_entry(key, fields) for key, fields in entries]

    def release(self, shard: int, *, through: int) -> None:
        """Say that this consumer needs no entry up to and including an offset any more."""
        key = name_shard(shard)
        try:
            least = self._release(
                keys=[key, f"released:shard:{shard}"],
                args=[self._consumer, through, *self._consumers],
            )
            ms, sequence = split_offset(int(least) + 1)
            self._redis.xtrim(key, minid=f"{ms}-{sequence}", approximate=False)
        except _AWAY as error:
            raise _away(error) from error

    def close(self) -> None:
        """Let go of the connection."""
        self._redis.close()


def _read_offset(key: bytes) -> int:
    ms, _, sequence = key.partition(b"-")
    return make_offset(int(ms), int(sequence))


def _to_entry(key: bytes, fields: dict[bytes, bytes]) -> Entry:
    trace = fields.get(_TRACE)
    offset = _read_offset(key)
    return Entry(
        offset,
        split_offset(offset)[0],
        fields[_PAYLOAD],
        read_context(trace.decode("latin-1")) if trace else None,
    )


def _away(error: Exception) -> BusAwayError:
    return BusAwayError(
        f"The bus did not answer ({type(error).__name__}). Send the same body again."
        " An Idempotency-Key makes that safe.",
        retry_after_s=1,
    )
