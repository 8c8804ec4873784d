"""Shelf: answers in memory, bounded by number and bytes; what was used longest ago goes first."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, TypeAlias

from api.cache.base import Kept

ShelfKey: TypeAlias = tuple[str, str]
"""Scope and key."""

ENTRIES_MAX: Final = 10_000
"""Some views of each stream that people look at at once."""

BYTES_MAX: Final = 64 * 1024 * 1024
"""All entries, or a thousand of the longest usual pages: a process stays small beside its pool."""

ANSWER_BYTES_MAX: Final = BYTES_MAX // 16
"""A larger answer would push out too much else, and is not put here."""

OVERHEAD_BYTES: Final = 600
"""What an entry costs beside its body and key: objects, tag and slots."""


@dataclass(frozen=True, slots=True)
class Shelved:
    """An answer, and the mark of its scope from before it was loaded."""

    mark: int
    kept: Kept


class Shelf:
    """Keeps the answers used last."""

    def __init__(self) -> None:
        self._entries: OrderedDict[ShelfKey, Shelved] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        """Return how many answers there are."""
        return len(self._entries)

    @property
    def bytes_count(self) -> int:
        """About how much memory the answers take."""
        return self._bytes

    def find(self, key: ShelfKey) -> Kept | None:
        """Return an answer, good or old, and count it as used."""
        if (entry := self._entries.get(key)) is None:
            return None
        self._entries.move_to_end(key)
        return entry.kept

    def find_good(self, key: ShelfKey, mark: int, now_ms: int) -> Kept | None:
        """Return an answer whose scope shows the mark it came with, and whose time is not over."""
        entry = self._entries.get(key)
        if entry is None or entry.mark != mark or entry.kept.until_ms <= now_ms:
            return None
        self._entries.move_to_end(key)
        return entry.kept

    def put(self, key: ShelfKey, entry: Shelved) -> int:
        """Keep an answer unless a newer one is there; return how many had to go for it."""
        known = self._entries.get(key)
        if known is not None and known.mark > entry.mark:
            return 0
        self._drop(key)
        if len(entry.kept.answer.body) > ANSWER_BYTES_MAX:
            return 0
        self._entries[key] = entry
        self._bytes += _weigh(key, entry)
        gone = 0
        while len(self._entries) > ENTRIES_MAX or self._bytes > BYTES_MAX:
            self._drop(next(iter(self._entries)))
            gone += 1
        return gone

    def _drop(self, key: ShelfKey) -> None:
        if (entry := self._entries.pop(key, None)) is not None:
            self._bytes -= _weigh(key, entry)


def _weigh(key: ShelfKey, entry: Shelved) -> int:
    return OVERHEAD_BYTES + len(key[0]) + len(key[1]) + len(entry.kept.answer.body)
