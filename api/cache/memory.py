"""Memory cache: the reference, bounded, in one process."""

import secrets
from collections import OrderedDict

from api.cache.base import Answer, CacheRead
from core.clock import Clock

ENTRIES_MAX = 1000


class MemoryCache:
    """Keeps the answers used last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._versions: dict[str, bytes] = {}
        self._entries: OrderedDict[tuple[str, str], tuple[bytes, int, Answer]] = OrderedDict()

    async def touch(self, scope: str) -> None:
        """Make every answer of a scope old."""
        self._versions[scope] = secrets.token_bytes(8)

    async def read(self, scope: str, key: str) -> CacheRead | None:
        """Look an answer up."""
        version = self._versions.get(scope, b"")
        entry = self._entries.get((scope, key))
        if entry is None or entry[0] != version or entry[1] <= self._clock.now_ms():
            return CacheRead(version, None)
        self._entries.move_to_end((scope, key))
        return CacheRead(version, entry[2])

    async def write(
        self, scope: str, key: str, version: bytes, answer: Answer, *, ttl_s: int
    ) -> None:
        """Keep an answer, and let go of the one used longest ago when full."""
        self._entries[scope, key] = (version, self._clock.now_ms() + ttl_s * 1000, answer)
        if len(self._entries) > ENTRIES_MAX:
            self._entries.popitem(last=False)
