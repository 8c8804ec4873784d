"""Memory cache: the reference, bounded, in one process."""

from api.cache.base import MEMORY, CacheRead, Kept
from api.cache.shelves import Shelf, Shelved
from api.cache.touches import Touches
from core.clock import Clock


class MemoryCache:
    """Keeps the answers used last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._touches = Touches()
        self._shelf = Shelf()

    async def touch(self, scope: str) -> None:
        """Make every answer of a scope old."""
        self._touches.touch(scope)

    def find_at_hand(self, scope: str, key: str) -> Kept | None:
        """Look a good answer up."""
        mark = self._touches.mark(scope)
        return self._shelf.find_good((scope, key), mark, self._clock.now_ms())

    async def read(self, scope: str, key: str) -> CacheRead | None:
        """Look an answer up."""
        mark = self._touches.mark(scope)
        return CacheRead(b"%d" % mark, self.find_at_hand(scope, key), MEMORY)

    async def write(self, scope: str, key: str, version: bytes, kept: Kept) -> None:
        """Keep an answer, and let go of those used longest ago when full."""
        self._shelf.put((scope, key), Shelved(int(version), kept))

    async def recall(self, scope: str, key: str) -> Kept | None:
        """Return the answer kept last, good or old."""
        return self._shelf.find((scope, key))
