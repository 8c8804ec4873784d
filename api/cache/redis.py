"""Redis cache: answers shared by all API processes.

An entry is version, etag and body, a line each. Version and entry are read in one round trip.
"""

import random
import secrets
from typing import Final, cast

import redis.asyncio
import redis.exceptions
import structlog

from api.cache.base import Answer, CacheRead

JITTER: Final = 0.1
"""Answers written together do not all end together."""

log = structlog.get_logger()


class RedisCache:
    """Keeps answers in Redis; when it is away, every look-up misses."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._redis = client

    async def read(self, scope: str, key: str) -> CacheRead | None:
        """Look an answer up; None when Redis is away."""
        try:
            found = await self._redis.mget(_version_key(scope), _entry_key(scope, key))
        except (redis.exceptions.RedisError, OSError) as error:
            log.warning("cache_away", error=type(error).__name__)
            return None
        # The library's types cannot know that answers are bytes here.
        version, entry = cast("list[bytes | None]", found)
        version = version or b""
        if entry is None:
            return CacheRead(version, None)
        known, etag, body = entry.split(b"\n", 2)
        if known != version:
            return CacheRead(version, None)
        return CacheRead(version, Answer(body, etag.decode()))

    async def write(
        self, scope: str, key: str, version: bytes, answer: Answer, *, ttl_s: int
    ) -> None:
        """Keep an answer for about its time to live."""
        entry = b"\n".join((version, answer.etag.encode(), answer.body))
        ttl_ms = int(ttl_s * 1000 * random.uniform(1 - JITTER, 1))  # noqa: S311 (no secret)
        try:
            await self._redis.set(_entry_key(scope, key), entry, px=ttl_ms)
        except (redis.exceptions.RedisError, OSError) as error:
            log.warning("cache_away", error=type(error).__name__)

    async def touch(self, scope: str) -> None:
        """Make every answer of a scope old."""
        try:
            await self._redis.set(_version_key(scope), secrets.token_hex(8))
        except (redis.exceptions.RedisError, OSError) as error:
            log.warning("cache_away", error=type(error).__name__)


def _version_key(scope: str) -> str:
    return f"version:{scope}"


def _entry_key(scope: str, key: str) -> str:
    return f"cache:{scope}:{key}"
