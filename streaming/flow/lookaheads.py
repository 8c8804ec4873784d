"""Lookaheads: the bus is read in a thread of its own, ahead of whose turn is next.

Of the shards that are behind, one at a time hands on a frame, in turn. While that is merged and
then committed, the next shard's frame is fetched, decoded and its texts are read, which leaves
other threads free to run: two cores share the work of one process. A shard that is not behind is
read when it asks, and asks again when the thread is busy.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, NamedTuple

import polars as pl

from core.batches import Batch, Entry
from streaming.bus.base import BusReader
from streaming.flow.preparations import Prepared

ENTRIES_A_READ: Final = 64
"""Entries fetched at once."""

EVENT_BYTES_A_FRAME: Final = 4_000_000
"""A frame is closed at this many bytes of entries, some 100 000 events: large enough to be fast,
small enough to be merged and committed in a moment."""

Prepare = Callable[[Batch], Prepared]


class Frame:
    """A batch on its way to its shard. To another process only the batch itself travels."""

    __slots__ = ("batch", "prepared")

    def __init__(self, batch: Batch, prepared: Prepared | None = None) -> None:
        self.batch = batch
        self.prepared = prepared

    def __reduce__(self) -> tuple[type["Frame"], tuple[Batch]]:
        return Frame, (self.batch,)


class Found(NamedTuple):
    """What the bus has of a shard."""

    frame: Frame | None
    is_behind: bool
    """Whether more is waiting."""


class Lookahead:
    """Reads shards for the partitions of one process."""

    def __init__(self, reader: BusReader, prepare: Prepare | None) -> None:
        """Take a reader, and what is done with batches ahead; nothing where they go elsewhere."""
        self._reader = reader
        self._prepare = prepare
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lookahead")
        self._after: dict[int, int] = {}
        self._ahead: dict[int, Future[Found]] = {}
        self._turns: deque[int] = deque()
        """Shards that are behind, the next first."""

        self._asked: set[int] = set()
        self._has_given = False

    def stop(self) -> None:
        """Wait for what is being read and read no more."""
        self._thread.shutdown(cancel_futures=True)

    def open(self, shard: int, after: int) -> None:
        """Begin to read a shard after an offset; it may be behind."""
        self._after[shard] = after
        self._turns.append(shard)

    def close(self, shard: int) -> None:
        """Read a shard no more."""
        if shard in self._turns:
            self._turns.remove(shard)
        self._ahead.pop(shard, None)

    def has_turn(self, shard: int) -> bool:
        """Tell whether a shard may read now; whoever asks a second time begins a new round."""
        if shard in self._asked:
            self._asked.clear()
            self._has_given = False
        self._asked.add(shard)
        return shard not in self._turns or (not self._has_given and self._turns[0] == shard)

    def read(self, shard: int) -> Found | None:
        """Return what waits for a shard, as far as a frame holds it; None if it must ask again.

        Raises:
            BusAwayError: The bus did not answer.
        """
        reading = self._begin(shard)
        if shard not in self._turns:
            if self._is_reading_for_others(shard) and not reading.done():
                return None
            return self._take(shard)
        self._turns.remove(shard)
        try:
            found = self._take(shard)
        except BaseException:
            self._turns.append(shard)
            raise
        self._has_given = found.frame is not None
        if self._has_given and self._turns:
            self._begin(self._turns[0])
        return found

    def release(self, shard: int, through: int) -> None:
        """Let go of the entries of a shard up to an offset.

        Raises:
            BusAwayError: The bus did not answer.
        """
        self._thread.submit(self._reader.release, shard, through=through).result()

    def _begin(self, shard: int) -> Future[Found]:
        """Have a shard read, if it is not being read already."""
        if shard not in self._ahead:
            reading = self._thread.submit(self._fetch, shard, self._after[shard])
            self._ahead[shard] = reading
        return self._ahead[shard]

    def _take(self, shard: int) -> Found:
        """Wait for what is being read of a shard; if more is waiting it takes a turn again."""
        found = self._ahead.pop(shard).result()
        if found.frame is not None:
            self._after[shard] = found.frame.batch.offset
        if found.is_behind:
            self._turns.append(shard)
        return found

    def _is_reading_for_others(self, shard: int) -> bool:
        return any(not reading.done() for other, reading in self._ahead.items() if other != shard)

    def _fetch(self, shard: int, after: int) -> Found:
        entries, is_behind = self._gather(shard, after)
        if not entries:
            return Found(None, is_behind)
        batch = Batch(shard, tuple(entries))
        return Found(Frame(batch, self._try_to_prepare(batch)), is_behind)

    def _try_to_prepare(self, batch: Batch) -> Prepared | None:
        """Prepare a batch; what cannot be is left to the shard, which finds the bad entry."""
        if self._prepare is None:
            return None
        try:
            return self._prepare(batch)
        except (Exception, pl.exceptions.PanicException):  # noqa: BLE001 - told by the shard.
            return None

    def _gather(self, shard: int, after: int) -> tuple[list[Entry], bool]:
        """Return entries up to the size of a frame, and whether more are waiting."""
        gathered: list[Entry] = []
        size = 0
        while True:
            entries = self._reader.read(shard, after=after, limit=ENTRIES_A_READ)
            gathered += entries
            size += sum(len(entry.payload) for entry in entries)
            if len(entries) < ENTRIES_A_READ:
                return gathered, False
            if size >= EVENT_BYTES_A_FRAME:
                return gathered, True
            after = entries[-1].offset
