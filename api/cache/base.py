"""Cache: finished answers as bytes, kept until what they tell of changes.

    GET ─► read(scope, key) ─ good ─► the same bytes, an ETag, perhaps 304
                 └ else ─► database ─► write(scope, key, version read before)

An answer carries the version of its scope from before it was loaded, and is good only while that
is still the version. The flow changes the version with every commit; the time to live is a net,
not the truth. An answer that is old may still be recalled while the database is away.
"""

import hashlib
from dataclasses import dataclass
from typing import Final, Protocol

MEMORY: Final = "memory"
"""The layer of what is at hand."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished body and the tag that names its content; without a tag there is nothing."""

    body: bytes
    etag: str
    stale_s: int | None = None
    """Age of an answer that is served because the database is away; None of a good one."""

    @classmethod
    def of(cls, body: bytes) -> "Answer":
        """Return the body with its tag."""
        return cls(body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')

    @classmethod
    def of_absence(cls, detail: str) -> "Answer":
        """Return that there is nothing, and in which words to say so."""
        return cls(detail.encode(), "")

    @property
    def is_absence(self) -> bool:
        """Whether it says that there is nothing."""
        return not self.etag


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is kept: since when, and until when."""

    answer: Answer
    loaded_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class CacheRead:
    """What a look-up found: the version of the scope, and the answer if one is good."""

    version: bytes
    """Of a miss: to be handed back with the answer that is loaded now. Equal ones mean that nothing
    was touched between the two look-ups."""

    kept: Kept | None
    layer: str
    """Where it was found, for the metrics."""


class Cache(Protocol):
    """Keeps answers."""

    def find_at_hand(self, scope: str, key: str) -> Kept | None:
        """Look a good answer up in memory; None when there is none, or it takes waiting."""
        ...

    async def read(self, scope: str, key: str) -> CacheRead | None:
        """Look an answer up; None when the cache is away."""
        ...

    async def write(self, scope: str, key: str, version: bytes, kept: Kept) -> None:
        """Keep an answer that was loaded at a version."""
        ...

    async def touch(self, scope: str) -> None:
        """Make every answer of a scope old."""
        ...

    async def recall(self, scope: str, key: str) -> Kept | None:
        """Return the answer kept last, good or old, if it is still there."""
        ...
