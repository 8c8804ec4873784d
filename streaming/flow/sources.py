"""Sources: the shards of the bus as a Bytewax input, one partition a shard.

Caught up, a partition looks once an interval and hands on all that came since as one frame.
Behind, it hands on large frames without a pause. Entries stay on the bus until a recovery snapshot
beyond them is surely stored.
"""

from collections import deque
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from typing_extensions import override

from core.batches import Batch, Entry
from core.clock import Clock
from core.errors import BusAwayError
from streaming.bus.base import BusReader

ENTRIES_A_READ: Final = 64
"""Entries fetched at once."""

EVENT_BYTES_A_FRAME: Final = 4_000_000
"""A frame is closed at this many bytes of entries, some 100 000 events: large enough to be fast,
small enough to be merged and committed in a moment."""

SNAPSHOTS_KEPT: Final = 30
"""Entries are let go of only so many snapshots later; the engine never has as many of them
unstored."""

RETRY_AFTER: Final = timedelta(seconds=1)

log = structlog.get_logger()


class Passed(NamedTuple):
    """How far a partition had come at a snapshot."""

    number: int
    offset: int
    arrived_ms: int


class ShardPartition(StatefulSourcePartition[Batch, int]):
    """Reads one shard from an offset on."""

    def __init__(
        self,
        shard: int,
        reader: BusReader,
        clock: Clock,
        *,
        after: int,
        interval: timedelta,
        retention: timedelta,
    ) -> None:
        self._shard = shard
        self._reader = reader
        self._clock = clock
        self._after = after
        self._interval = interval
        self._retention = retention
        self._wait = timedelta(0)
        self._arrived_ms = 0
        self._snapshots = 0
        self._passed: deque[Passed] = deque()

    @override
    def next_batch(self) -> list[Batch]:
        try:
            entries, is_behind = self._gather()
        except BusAwayError as error:
            log.warning("bus_away", shard=self._shard, detail=error.detail)
            self._wait = RETRY_AFTER
            return []
        self._wait = timedelta(0) if is_behind else self._interval
        if not entries:
            return []
        self._after, self._arrived_ms = entries[-1].offset, entries[-1].arrived_ms
        return [Batch(self._shard, tuple(entries))]

    @override
    def next_awake(self) -> datetime | None:
        return self._clock.now() + self._wait if self._wait else None

    @override
    def snapshot(self) -> int:
        self._snapshots += 1
        if self._arrived_ms and (not self._passed or self._passed[-1].offset != self._after):
            self._passed.append(Passed(self._snapshots, self._after, self._arrived_ms))
        self._release()
        return self._after

    def _gather(self) -> tuple[list[Entry], bool]:
        """Return entries up to the size of a frame, and whether more are waiting."""
        gathered: list[Entry] = []
        size = 0
        while True:
            after = gathered[-1].offset if gathered else self._after
            entries = self._reader.read(self._shard, after=after, limit=ENTRIES_A_READ)
            gathered += entries
            size += sum(len(entry.payload) for entry in entries)
            if len(entries) < ENTRIES_A_READ:
                return gathered, False
            if size >= EVENT_BYTES_A_FRAME:
                return gathered, True

    def _release(self) -> None:
        """Let go of entries that are both old and behind a snapshot that is surely stored."""
        kept_from_ms = self._clock.now_ms() - self._retention // timedelta(milliseconds=1)
        stored = self._snapshots - SNAPSHOTS_KEPT
        through = 0
        while self._passed and self._passed[0].number <= stored:
            if self._passed[0].arrived_ms > kept_from_ms:
                break
            through = self._passed.popleft().offset
        if not through:
            return
        try:
            self._reader.release(self._shard, through=through)
        except BusAwayError as error:
            # The next release covers what this one did not.
            log.warning("bus_away", shard=self._shard, detail=error.detail)


class BusSource(FixedPartitionedSource[Batch, int]):
    """All shards of a bus."""

    def __init__(
        self,
        reader: BusReader,
        clock: Clock,
        *,
        shards: int,
        interval: timedelta,
        retention: timedelta,
    ) -> None:
        self._reader = reader
        self._clock = clock
        self._shards = shards
        self._interval = interval
        self._retention = retention

    @override
    def list_parts(self) -> list[str]:
        return [str(shard) for shard in range(self._shards)]

    @override
    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> ShardPartition:
        log.info("shard_opened", shard=int(for_part), after=resume_state or 0)
        return ShardPartition(
            int(for_part),
            self._reader,
            self._clock,
            after=resume_state or 0,
            interval=self._interval,
            retention=self._retention,
        )
