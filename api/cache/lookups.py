"""Look-ups: how a request comes by its answer.

cache ─ good ─► answer
  └ miss ─► load, once for all who ask ─► cache ─► answer
              ├ nothing there ─► remembered for some seconds, 404
              └ database away ─► the answer from before, marked stale, or 503
"""

import random
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from prometheus_client import Counter

from api.cache.base import MEMORY, Answer, Cache, Kept
from api.cache.flights import Flights
from core import metrics
from core.clock import Clock
from core.errors import DatabaseAwayError, NotFoundError

JITTER: Final = 0.1
"""Answers loaded together do not all end together."""

ABSENCE_TTL_S: Final = 5
"""Asking again for what does not exist costs a query in so many seconds; a commit ends it."""

STALE_S_MAX: Final = 900
"""Older numbers are worse than none: who looks at them must be told that something is wrong."""

HIT_SERIES_MAX: Final = 100
"""Counters of hits at hand: a few nouns, and two layers."""

SHARED_S: Final = 0.05
"""Without a cache nothing tells what became old meanwhile: loads are shared for so long."""


class Perishable(NamedTuple):
    """A body that will be old at a time that is known, though nobody touches its scope then."""

    body: bytes
    good_until: datetime | None


Load: TypeAlias = Callable[[], Awaitable[bytes | Perishable]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, and how it is loaded."""

    scope: str
    key: str
    ttl_s: float
    load: Load

    @property
    def noun(self) -> str:
        """The kind of the scope, for the metrics."""
        return _name_noun(self.scope)


class Lookups:
    """Finds answers, or has them loaded."""

    def __init__(
        self, cache: Cache, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._cache = cache
        self._clock = clock
        self._monotonic = monotonic
        self._loads: Flights[Answer] = Flights()

    def find_at_hand(self, scope: str, key: str) -> Answer | None:
        """Return a good answer that takes no waiting; None leaves it to ``find``."""
        kept = self._cache.find_at_hand(scope, key)
        if kept is None or kept.answer.is_absence:
            return None
        _find_hits(_name_noun(scope), MEMORY).inc()
        return kept.answer

    async def find(self, wanted: Wanted) -> Answer:
        """Return a good answer, or an old one while the database is away.

        Raises:
            NotFoundError: There is no such thing.
            DatabaseAwayError: And there is no answer from before, or it is too old.
        """
        answer = await self._find(wanted)
        if answer.is_absence:
            raise NotFoundError(answer.body.decode())
        return answer

    async def _find(self, wanted: Wanted) -> Answer:
        found = await self._cache.read(wanted.scope, wanted.key)
        if found is not None and found.kept is not None:
            _find_hits(wanted.noun, found.layer).inc()
            return found.kept.answer
        version = None if found is None else found.version
        # Only who found the same version may share: nothing became old since the load began.
        proof: Hashable = int(self._monotonic() / SHARED_S) if version is None else version
        flight = (wanted.scope, wanted.key, proof)
        self._count_miss(wanted, flight, is_away=version is None)
        try:
            return await self._loads.join(flight, lambda: self._load(wanted, version))
        except DatabaseAwayError:
            if (answer := await self._recall(wanted)) is None:
                raise
            return answer

    def _count_miss(self, wanted: Wanted, flight: Hashable, *, is_away: bool) -> None:
        alone = "away" if is_away else "miss"
        result = "waited" if self._loads.is_under_way(flight) else alone
        metrics.cache_reads_total.labels(wanted.noun, result).inc()

    async def _load(self, wanted: Wanted, version: bytes | None) -> Answer:
        ttl_s, good_until = wanted.ttl_s, None
        try:
            loaded = await wanted.load()
            if isinstance(loaded, Perishable):
                loaded, good_until = loaded
            answer = Answer.of(loaded)
        except NotFoundError as error:
            answer, ttl_s = Answer.of_absence(error.detail), min(ttl_s, ABSENCE_TTL_S)
        if version is not None:
            now_ms = self._clock.now_ms()
            ttl_ms = int(ttl_s * 1000 * random.uniform(1 - JITTER, 1))  # noqa: S311 (no secret)
            until_ms = now_ms + ttl_ms
            if good_until is not None:
                until_ms = min(until_ms, int(good_until.timestamp() * 1000))
            kept = Kept(answer, now_ms, until_ms)
            await self._cache.write(wanted.scope, wanted.key, version, kept)
        return answer

    async def _recall(self, wanted: Wanted) -> Answer | None:
        """Return the answer from before, with its age."""
        kept = await self._cache.recall(wanted.scope, wanted.key)
        if kept is None or kept.answer.is_absence:
            return None
        age_s = max(0, self._clock.now_ms() - kept.loaded_ms) // 1000
        if age_s > STALE_S_MAX:
            return None
        metrics.cache_stale_total.labels(wanted.noun).inc()
        return replace(kept.answer, stale_s=age_s)


def _name_noun(scope: str) -> str:
    return scope.partition(":")[0]


@lru_cache(HIT_SERIES_MAX)
def _find_hits(noun: str, layer: str) -> Counter:
    return metrics.cache_reads_total.labels(noun, layer)
