"""Probes: ask a server the smallest real question."""

import asyncpg
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

PROBE_TIMEOUT_S = 2.0
"""A server nearby answers in milliseconds; one that is away should not hold up the caller."""


async def is_postgres_ready(url: str) -> bool:
    """Tell whether ``SELECT 1`` works at this URL."""
    try:
        connection = await asyncpg.connect(url, timeout=PROBE_TIMEOUT_S)
        try:
            return bool(await connection.fetchval("SELECT 1", timeout=PROBE_TIMEOUT_S) == 1)
        finally:
            await connection.close(timeout=PROBE_TIMEOUT_S)
    except (
        OSError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        ValueError,
    ):
        return False


async def is_redis_ready(url: str) -> bool:
    """Tell whether ``PING`` works at this URL."""
    try:
        client = redis.asyncio.Redis.from_url(
            url,
            socket_timeout=PROBE_TIMEOUT_S,
            socket_connect_timeout=PROBE_TIMEOUT_S,
            # The caller decides when to ask again.
            retry=Retry(NoBackoff(), 0),
        )
        try:
            return bool(await client.ping())
        finally:
            await client.aclose()
    except (OSError, RedisError, ValueError):
        return False
