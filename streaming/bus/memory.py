"""Memory bus: the reference, in one process; passes the same contract as the real ones."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.batches import Entry, make_offset
from core.clock import Clock
from core.errors import BusFullError, ConflictError
from core.traces import read_context
from streaming.bus.base import CONSUMERS, Consumer, Offsets, Once


@dataclass(slots=True)
class MemoryLog:
    """What writers and readers share."""

    clock: Clock
    shards: defaultdict[int, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    once: dict[str, str] = field(default_factory=dict)
    newest: dict[int, int] = field(default_factory=dict)
    """The last offset of each shard, which outlives its entry."""

    released: dict[tuple[int, str], int] = field(default_factory=dict)

    def next_offset(self, shard: int) -> int:
        """Take the offset of the next entry of a shard."""
        first = make_offset(self.clock.now_ms(), 0)
        self.newest[shard] = max(first, self.newest.get(shard, -1) + 1)
        return self.newest[shard]


class MemoryBusWriter:
    """Appends entries to a log in memory."""

    def __init__(self, log: MemoryLog, *, max_entries: int) -> None:
        self._log = log
        self._max_entries = max_entries

    async def append(
        self, entries: Mapping[int, bytes], *, once: Once | None = None, trace: str | None = None
    ) -> Offsets | None:
        """Append one entry to each shard named, all or none; return None for a repeat."""
        if once is not None and (content := self._log.once.get(once.key)) is not None:
            if content != once.content:
                raise ConflictError("This Idempotency-Key was used for another body.")
            return None
        if any(len(self._log.shards[shard]) >= self._max_entries for shard in entries):
            raise BusFullError("The bus is full. Wait and send again.", retry_after_s=1)
        offsets: dict[int, int] = {}
        for shard, payload in entries.items():
            entry = Entry(
                self._log.next_offset(shard), self._log.clock.now_ms(), payload, read_context(trace)
            )
            self._log.shards[shard].append(entry)
            offsets[shard] = entry.offset
        if once is not None:
            self._log.once[once.key] = once.content
        return offsets

    async def close(self) -> None:
        """Do nothing: there is no connection."""


class MemoryBusReader:
    """Reads entries from a log in memory."""

    def __init__(
        self, log: MemoryLog, consumer: Consumer, *, consumers: Sequence[Consumer] = CONSUMERS
    ) -> None:
        self._log = log
        self._consumer = consumer
        self._consumers = consumers

    def read(self, shard: int, *, after: int, limit: int) -> list[Entry]:
        """Return up to ``limit`` entries after an offset, oldest first."""
        entries = self._log.shards[shard]
        start = bisect_right(entries, after, key=lambda entry: entry.offset)
        return entries[start : start + limit]

    def release(self, shard: int, *, through: int) -> None:
        """Say that this consumer needs no entry up to and including an offset any more."""
        self._log.released[shard, self._consumer] = through
        least = min(self._log.released.get((shard, name), 0) for name in self._consumers)
        entries = self._log.shards[shard]
        del entries[: bisect_right(entries, least, key=lambda entry: entry.offset)]

    def close(self) -> None:
        """Do nothing: there is no connection."""
