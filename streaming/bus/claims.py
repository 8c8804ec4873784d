"""Claims: which idempotency keys were used, for a bus that does not remember them itself.

    claim ─► append ─► confirm       a repeat counts once, for an hour
                └────► release       it failed: the key is free again

Kept in Redis, apart from the bus, so the two can disagree. A repeat counts twice only
- when the process was killed after the bus had the entries and before the key was confirmed, and
  the sender repeats later than the claim lives (until then it is told to wait);
- when the bus took the entries and its answer was lost, so that they seemed to have failed;
- when Redis lost the key, or could not be reached to confirm it.
Without a key Redis is not asked.
"""

import asyncio
import secrets
from typing import Final

import redis
import redis.asyncio
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from core.errors import BusAwayError, ConflictError
from streaming.bus.base import Once
from streaming.bus.redis import CONNECTIONS_MAX, ONCE_TTL_S, TIMEOUT_S

CLAIM_TTL_S: Final = 60
"""Longer than the slowest append, which waits for several answers in turn; what a killed process
claimed is blocked no longer than this."""

LOOK_EVERY_S: Final = 0.02
"""A repeat that comes while the first one is under way looks again so often."""

_CLAIM: Final = """
local known = redis.call('GET', KEYS[1])
if known then return known end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return false
"""

_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""

_AWAY: Final = (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError, OSError)
_CLAIMED: Final = b"claim"

log = structlog.get_logger()


class Claims:
    """Remembers idempotency keys in Redis."""

    def __init__(self, url: str) -> None:
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS_MAX,
            timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            # Its version would be read from the disk for each connection.
            driver_info=None,
        )
        self._redis = redis.asyncio.Redis.from_pool(pool)
        self._claim = self._redis.register_script(_CLAIM)
        self._release = self._redis.register_script(_RELEASE)

    async def claim(self, once: Once) -> str | None:
        """Return a claim on a key, or None when the same content was already appended with it.

        Raises:
            BusAwayError: Redis cannot be reached, or the first append with the key does not end.
            ConflictError: The key was used for another content.
        """
        claim = f"{_CLAIMED.decode()}:{secrets.token_hex(8)}:{once.content}"
        try:
            async with asyncio.timeout(TIMEOUT_S) as patience:
                while (known := await self._claim([_name(once)], [claim, CLAIM_TTL_S])) is not None:
                    state, _, rest = known.partition(b":")
                    is_confirmed = state != _CLAIMED
                    content = known if is_confirmed else rest.partition(b":")[2]
                    if content.decode() != once.content:
                        raise ConflictError(
                            "This Idempotency-Key was used for another body. Take a new one."
                        )
                    if is_confirmed:
                        return None
                    # The client may lose the one cancellation there is: on Python 3.11 it does
                    # when the answer comes at that moment.
                    if patience.expired():
                        raise _say_unknown("TimeoutError")
                    await asyncio.sleep(LOOK_EVERY_S)
        except (*_AWAY, TimeoutError) as error:
            raise _say_unknown(type(error).__name__) from error
        return claim

    async def confirm(self, once: Once) -> None:
        """Remember that a content was appended."""
        try:
            await self._redis.set(_name(once), once.content, ex=ONCE_TTL_S)
        except _AWAY as error:
            # The entries are on the bus; to say otherwise would make the sender repeat them.
            log.warning("claim_not_confirmed", key=once.key, error=type(error).__name__)

    async def release(self, once: Once, claim: str) -> None:
        """Let a key be used again, if it is still ours."""
        try:
            await self._release([_name(once)], [claim])
        except _AWAY as error:
            log.warning("claim_not_released", key=once.key, error=type(error).__name__)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._redis.aclose()


def _say_unknown(reason: str) -> BusAwayError:
    return BusAwayError(
        f"Whether this is a repeat could not be found out ({reason})."
        " Send the same body again, with the same Idempotency-Key.",
        retry_after_s=1,
    )


def _name(once: Once) -> str:
    return f"once:append:{once.key}"
