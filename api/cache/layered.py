"""Layered cache: a shelf of this process before the cache of all.

    read ─► shelf, while every touch is known to be heard ─► the cache behind ─► put on the shelf

What is on the shelf is good while its scope's mark is the one from before it was looked up or
loaded: a touch that arrives meanwhile makes it old before it is kept. What is old stays for
``recall`` until its place is needed.
"""

from dataclasses import replace

from api.cache.base import MEMORY, Cache, CacheRead, Kept
from api.cache.flights import Flights
from api.cache.shelves import Shelf, Shelved
from api.cache.touches import Touches
from core import metrics
from core.clock import Clock


class LayeredCache:
    """Keeps the answers used last at hand."""

    def __init__(self, behind: Cache, touches: Touches, clock: Clock) -> None:
        self._behind = behind
        self._touches = touches
        self._clock = clock
        self._shelf = Shelf()
        self._reads: Flights[CacheRead | None] = Flights()

    def find_at_hand(self, scope: str, key: str) -> Kept | None:
        """Look a good answer up in memory, while that can be trusted."""
        if not self._touches.is_trusted:
            return None
        mark = self._touches.mark(scope)
        return self._shelf.find_good((scope, key), mark, self._clock.now_ms())

    async def read(self, scope: str, key: str) -> CacheRead | None:
        """Look an answer up, at hand or behind; None when Redis is away."""
        if (kept := self.find_at_hand(scope, key)) is not None:
            return CacheRead(b"", kept, MEMORY)
        mark = self._touches.mark(scope)
        if not self._touches.is_trusted:
            found = await self._behind.read(scope, key)
        else:
            # Nobody touched the scope since whoever shares the mark began to look.
            found = await self._reads.join(
                (scope, key, mark), lambda: self._behind.read(scope, key)
            )
        if found is None:
            return None
        if found.kept is not None:
            self._put(scope, key, mark, found.kept)
        return replace(found, version=b"%d %b" % (mark, found.version))

    async def write(self, scope: str, key: str, version: bytes, kept: Kept) -> None:
        """Keep an answer at hand and in the cache behind."""
        mark, _, version_behind = version.partition(b" ")
        self._put(scope, key, int(mark), kept)
        await self._behind.write(scope, key, version_behind, kept)

    async def touch(self, scope: str) -> None:
        """Make every answer of a scope old, here at once and elsewhere when it is heard."""
        await self._behind.touch(scope)
        self._touches.touch(scope)

    async def recall(self, scope: str, key: str) -> Kept | None:
        """Return the answer kept last, good or old."""
        return self._shelf.find((scope, key)) or await self._behind.recall(scope, key)

    def _put(self, scope: str, key: str, mark: int, kept: Kept) -> None:
        gone = self._shelf.put((scope, key), Shelved(mark, kept))
        metrics.cache_answers_evicted_total.inc(gone)
        metrics.cache_bytes.set(self._shelf.bytes_count)
