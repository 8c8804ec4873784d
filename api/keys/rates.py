"""Rates: how often one caller may ask, counted in Redis for all API processes together.

A bucket holds a minute's requests and fills up evenly. All that is kept of it is the time at which
it will be full; one script compares and moves that time. When Redis is away, everybody is let
through and a metric counts it: a limit protects against much, not against being asked at all.
"""

import asyncio
import math
import time
from dataclasses import dataclass
from typing import Final, cast

import redis.asyncio
import redis.exceptions
import structlog

from core import metrics
from core.settings import Settings

WINDOW_S: Final = 60

USUAL_PER_MINUTE: Final = 6000
"""A page with many charts asks some ten times a second; a hundred is a program out of hand."""

ANSWER_TIMEOUT_S: Final = 0.2
"""Every request waits for this, so it does not wait long."""

AWAY_PAUSE_S: Final = 1.0
"""After a failure nobody waits for Redis for so long."""

TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local cost, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local is_allowed = full_at + cost - now <= window
if is_allowed then
    full_at = full_at + cost
    redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil(window / 1000))
end
return {is_allowed and 1 or 0, string.format('%.0f', full_at - now)}
"""
"""Microseconds all through; the text of a number keeps all of its digits only when formatted."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a caller's bucket."""

    is_allowed: bool
    limit: int
    remaining: int
    full_in_s: int
    retry_after_s: int

    def to_headers(self) -> dict[str, str]:
        """Return the headers that tell it."""
        return {
            "RateLimit-Policy": f'"default";q={self.limit};w={WINDOW_S}',
            "RateLimit": f'"default";r={self.remaining};t={self.full_in_s}',
        }


def choose_limit(settings: Settings) -> int:
    """Return the requests a minute that a caller has; 0 for no limit."""
    if settings.rate_limit_per_minute is not None:
        return settings.rate_limit_per_minute
    return 0 if settings.is_on_loopback else USUAL_PER_MINUTE


def read_allowance(limit: int, *, is_allowed: bool, full_in_us: int) -> Allowance:
    """Return what the script's answer means."""
    cost_us = _cost_us(limit)
    left_us = WINDOW_S * 1_000_000 - full_in_us
    return Allowance(
        is_allowed=is_allowed,
        limit=limit,
        remaining=max(0, left_us // cost_us) if is_allowed else 0,
        full_in_s=math.ceil(full_in_us / 1_000_000),
        retry_after_s=max(1, math.ceil((cost_us - left_us) / 1_000_000)),
    )


class RateLimiter:
    """Counts requests of callers."""

    def __init__(self, client: redis.asyncio.Redis, limit: int) -> None:
        self._redis = client
        self._limit = limit
        self._asked_again_at = 0.0

    @property
    def is_on(self) -> bool:
        """Whether there is a limit."""
        return self._limit > 0

    async def take(self, subject: str) -> Allowance | None:
        """Count a request of a subject; None when there is no limit or no telling."""
        if not self.is_on:
            return None
        if time.monotonic() < self._asked_again_at:
            metrics.rate_limits_skipped_total.inc()
            return None
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                answer = await self._ask(subject)
        except (redis.exceptions.RedisError, OSError, TimeoutError) as error:
            log.warning("rate_limits_away", error=type(error).__name__)
            self._asked_again_at = time.monotonic() + AWAY_PAUSE_S
            metrics.rate_limits_skipped_total.inc()
            return None
        allowed, full_in_us = answer
        return read_allowance(self._limit, is_allowed=bool(allowed), full_in_us=int(full_in_us))

    async def _ask(self, subject: str) -> tuple[int, bytes]:
        answer = await self._redis.eval(
            TAKE, 1, f"rate:{subject}", _cost_us(self._limit), WINDOW_S * 1_000_000
        )
        # The library's types cannot know what the script returns.
        return cast("tuple[int, bytes]", answer)


def _cost_us(limit: int) -> int:
    """Return how long a bucket takes to regain one request."""
    return max(1, WINDOW_S * 1_000_000 // limit)
