"""Rates: how often one caller may ask, counted in Redis for all API processes together.

A bucket holds a minute's requests and fills up evenly. All that is kept of it is the time at which
it will be full; one script compares and moves that time. When Redis is away, everybody is let
through and a metric counts it: a limit protects against much, not against being asked at all.

    a request ─► something left of what was taken last? ─► one less of it
                    └ no ─► Redis: one more, or twice as many as last time if those went at once

Who asks now and then is counted one by one. Who asks a lot takes several at a time, so that Redis
is asked once for them; what is not used within a second is lost to that caller.
"""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

import redis.asyncio
import redis.exceptions
import structlog

from api.cache.flights import Flights
from core import metrics
from core.settings import Settings

WINDOW_S: Final = 60

USUAL_PER_MINUTE: Final = 6000
"""A page with many charts asks some ten times a second; a hundred is a program out of hand."""

ANSWER_TIMEOUT_S: Final = 0.2
"""Every request waits for this, so it does not wait long."""

AWAY_PAUSE_S: Final = 1.0
"""After a failure nobody waits for Redis for so long."""

LEASE_S: Final = 1.0
"""What was taken ahead is good for so long."""

LEASE_SHARE: Final = 200
"""At most one part in so many of a minute's requests is taken at once."""

LEASES_MAX: Final = 10_000
"""Callers remembered; beyond, the one that came first takes one by one again."""

TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local cost, window, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local taken = math.max(0, math.min(wanted, math.floor((window - full_at + now) / cost)))
if taken > 0 then
    full_at = full_at + taken * cost
    redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil(window / 1000))
end
return {taken, string.format('%.0f', full_at - now)}
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


@dataclass(slots=True)
class Lease:
    """What a caller took from the bucket and has not used."""

    left: int
    size: int
    """How many there were; none when the bucket was empty."""

    good_until: float
    full_in_us: int
    """When the bucket will be full, as Redis said then."""


def read_allowance(limit: int, *, is_allowed: bool, full_in_us: int, held: int = 0) -> Allowance:
    """Return what the script's answer means to who holds some requests beside."""
    cost_us = _cost_us(limit)
    left_us = WINDOW_S * 1_000_000 - full_in_us
    return Allowance(
        is_allowed=is_allowed,
        limit=limit,
        remaining=max(0, left_us // cost_us) + held if is_allowed else 0,
        full_in_s=math.ceil(full_in_us / 1_000_000),
        retry_after_s=max(1, math.ceil((cost_us - left_us) / 1_000_000)),
    )


class RateLimiter:
    """Counts requests of callers."""

    def __init__(
        self,
        client: redis.asyncio.Redis,
        limit: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = client
        self._limit = limit
        self._lease_max = max(1, limit // LEASE_SHARE)
        self._leases: dict[str, Lease] = {}
        self._renewals: Flights[Lease | None] = Flights()
        self._monotonic = monotonic
        self._asked_again_at = 0.0

    @property
    def is_on(self) -> bool:
        """Whether there is a limit."""
        return self._limit > 0

    async def take(self, subject: str) -> Allowance | None:
        """Count a request of a subject; None when there is no limit or no telling."""
        if not self.is_on:
            return None
        lease = self._leases.get(subject)
        while lease is None or lease.left == 0 or lease.good_until <= self._monotonic():
            # Who comes meanwhile waits for the same: a lease each would be lost but for the last.
            lease = await self._renewals.join(subject, partial(self._renew, subject))
            if lease is None:
                metrics.rate_limits_skipped_total.inc()
                return None
            if lease.size == 0:
                return self._read(lease, is_allowed=False)
        lease.left -= 1
        return self._read(lease, is_allowed=True)

    def _read(self, lease: Lease, *, is_allowed: bool) -> Allowance:
        full_in_us = lease.full_in_us
        return read_allowance(
            self._limit, is_allowed=is_allowed, full_in_us=full_in_us, held=lease.left
        )

    async def _renew(self, subject: str) -> Lease | None:
        """Take from the bucket; None when Redis is away."""
        now, last = self._monotonic(), self._leases.pop(subject, None)
        if now < self._asked_again_at:
            return None
        was_used_up = last is not None and last.left == 0 and now < last.good_until
        wanted = min(2 * last.size, self._lease_max) if last is not None and was_used_up else 1
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                taken, full_in_us = await self._ask(subject, max(1, wanted))
        except (redis.exceptions.RedisError, OSError, TimeoutError) as error:
            log.warning("rate_limits_away", error=type(error).__name__)
            self._asked_again_at = self._monotonic() + AWAY_PAUSE_S
            return None
        lease = Lease(taken, taken, now + LEASE_S, int(full_in_us))
        self._leases[subject] = lease
        if len(self._leases) > LEASES_MAX:
            del self._leases[next(iter(self._leases))]
        return lease

    async def _ask(self, subject: str, wanted: int) -> tuple[int, bytes]:
        answer = await self._redis.eval(
            TAKE, 1, f"rate:{subject}", _cost_us(self._limit), WINDOW_S * 1_000_000, wanted
        )
        # The library's types cannot know what the script returns.
        return cast("tuple[int, bytes]", answer)


def _cost_us(limit: int) -> int:
    """Return how long a bucket takes to regain one request."""
    return max(1, WINDOW_S * 1_000_000 // limit)
