"""Cache: finished answers as bytes, kept until what they tell of changes.

    GET ─► read(scope, key) ─ hit ─► the same bytes, an ETag, perhaps 304
                 └ miss ─► database ─► write(scope, key, version read before)

An answer carries the version of its scope from before it was computed, and is good only while that
is still the version. The flow changes the version with every commit; the time to live is a net,
not the truth.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from core import metrics


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished body and the tag that names its content."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, body: bytes) -> "Answer":
        """Return the body with its tag."""
        return cls(body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')


@dataclass(frozen=True, slots=True)
class CacheRead:
    """What a look-up found: the version of the scope, and the answer if one is good."""

    version: bytes
    answer: Answer | None


class Cache(Protocol):
    """Keeps answers."""

    async def read(self, scope: str, key: str) -> CacheRead | None:
        """Look an answer up; None when the cache is away."""
        ...

    async def write(
        self, scope: str, key: str, version: bytes, answer: Answer, *, ttl_s: int
    ) -> None:
        """Keep an answer that was computed at a version."""
        ...

    async def touch(self, scope: str) -> None:
        """Make every answer of a scope old."""
        ...


async def answer_from(
    cache: Cache, scope: str, key: str, *, ttl_s: int, load: Callable[[], Awaitable[bytes]]
) -> Answer:
    """Return the cached answer, or load one and keep it."""
    noun = scope.partition(":")[0]
    found = await cache.read(scope, key)
    if found is None:
        metrics.cache_reads_total.labels(noun, "away").inc()
        return Answer.of(await load())
    if found.answer is not None:
        metrics.cache_reads_total.labels(noun, "hit").inc()
        return found.answer
    metrics.cache_reads_total.labels(noun, "miss").inc()
    answer = Answer.of(await load())
    await cache.write(scope, key, found.version, answer, ttl_s=ttl_s)
    return answer
