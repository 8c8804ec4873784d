"""Redis cache: answers shared by all API processes.

An entry is a line with version, times and tag, and the body. Version and entry are read in one
round trip, together with those of all who ask in the same turn of the event loop.
"""

import secrets
from collections.abc import Sequence
from typing import Final, TypeAlias, cast

import redis.asyncio
import redis.exceptions
import structlog

from api.cache.base import Answer, CacheRead, Kept
from core.clock import Clock
from core.gatherings import Gathering
from core.scopes import TOUCHED, pack_scopes, version_key

LAYER: Final = "redis"

Found: TypeAlias = tuple[bytes | None, bytes | None]
"""A version and an entry."""

log = structlog.get_logger()


class RedisCache:
    """Keeps answers in Redis; when it is away, every look-up misses."""

    def __init__(self, client: redis.asyncio.Redis, clock: Clock) -> None:
        self._redis = client
        self._clock = clock
        self._reads = Gathering(self._read_all)
        self._writes = Gathering(self._write_all)

    def find_at_hand(self, scope: str, key: str) -> Kept | None:
        """Return None: what is in Redis takes a round trip."""
        del scope, key
        return None

    async def read(self, scope: str, key: str) -> CacheRead | None:
        """Look an answer up; None when Redis is away."""
        try:
            version, entry = await self._reads.ask((version_key(scope), _entry_key(scope, key)))
        except (redis.exceptions.RedisError, OSError) as error:
            log.warning("cache_away", error=type(error).__name__)
            return None
        version = version or b""
        known, kept = _unpack(entry)
        if kept is None or known != version or kept.until_ms <= self._clock.now_ms():
            return CacheRead(version, None, LAYER)
        return CacheRead(version, kept, LAYER)

    async def write(self, scope: str, key: str, version: bytes, kept: Kept) -> None:
        """Keep an answer for its time to live."""
        ttl_ms = kept.until_ms - self._clock.now_ms()
        if ttl_ms <= 0:
            return
        try:
            await self._writes.ask((_entry_key(scope, key), _pack(version, kept), ttl_ms))
        except (redis.exceptions.RedisError, OSError) as error:
            log.warning("cache_away", error=type(error).__name__)

    async def touch(self, scope: str) -> None:
        """Make every answer of a scope old, here and in every cache that listens."""
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.set(version_key(scope), secrets.token_hex(8))
                for payload in pack_scopes([scope]):
                    pipeline.publish(TOUCHED, payload)
                await pipeline.execute()
        except (redis.exceptions.RedisError, OSError) as error:
            log.warning("cache_away", error=type(error).__name__)

    async def recall(self, scope: str, key: str) -> Kept | None:
        """Return the answer kept last, good or old, until its time to live is over."""
        try:
            entry = await self._redis.get(_entry_key(scope, key))
        except (redis.exceptions.RedisError, OSError) as error:
            log.warning("cache_away", error=type(error).__name__)
            return None
        return _unpack(cast("bytes | None", entry))[1]

    async def _read_all(self, pairs: Sequence[tuple[str, str]]) -> list[Found]:
        found = await self._redis.mget([name for pair in pairs for name in pair])
        # The library's types cannot know that answers are bytes here.
        flat = cast("list[bytes | None]", found)
        return list(zip(flat[::2], flat[1::2], strict=True))

    async def _write_all(self, entries: Sequence[tuple[str, bytes, int]]) -> list[None]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for name, packed, ttl_ms in entries:
                pipeline.set(name, packed, px=ttl_ms)
            await pipeline.execute()
        return [None] * len(entries)


def _pack(version: bytes, kept: Kept) -> bytes:
    answer = kept.answer
    line = b"%d %d %b %b" % (kept.loaded_ms, kept.until_ms, answer.etag.encode(), version)
    return line + b"\n" + answer.body


def _unpack(entry: bytes | None) -> tuple[bytes, Kept | None]:
    """Return version and answer; what cannot be read, perhaps of another release, is none."""
    line, found, body = (entry or b"").partition(b"\n")
    try:
        loaded_ms, until_ms, etag, version = line.split(b" ", 3)
        kept = Kept(Answer(body, etag.decode()), int(loaded_ms), int(until_ms))
    except ValueError:
        return b"", None
    return (version, kept) if found else (b"", None)


def _entry_key(scope: str, key: str) -> str:
    return f"cache:{scope}:{key}"
