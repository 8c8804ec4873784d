"""Sources: the shards of the bus as a Bytewax input, one partition a shard.

Caught up, a partition looks once an interval and hands on all that came since as one frame.
Behind, it hands on large frames without a pause, in turn with the others. Entries stay on the bus
until a recovery snapshot beyond them is surely stored.
"""

from collections import deque
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from typing_extensions import override

from core import metrics
from core.clock import Clock
from core.errors import BusAwayError
from streaming.flow.lookaheads import Frame, Lookahead

SNAPSHOTS_KEPT: Final = 30
"""Entries are let go of only so many snapshots later; the engine never has as many of them
unstored."""

RETRY_AFTER: Final = timedelta(seconds=1)
ASK_AGAIN: Final = timedelta(milliseconds=5)
"""When the thread that reads is busy with others."""

log = structlog.get_logger()


class Passed(NamedTuple):
    """How far a partition had come at a snapshot."""

    number: int
    offset: int
    arrived_ms: int


class ShardPartition(StatefulSourcePartition[Frame, int]):
    """Reads one shard from an offset on."""

    def __init__(
        self,
        shard: int,
        lookahead: Lookahead,
        clock: Clock,
        *,
        after: int,
        interval: timedelta,
        retention: timedelta,
    ) -> None:
        self._shard = shard
        self._lookahead = lookahead
        self._clock = clock
        self._after = after
        self._interval = interval
        self._retention = retention
        self._wait = timedelta(0)
        self._arrived_ms = 0
        self._snapshots = 0
        self._passed: deque[Passed] = deque()
        self._read_through_ms = clock.now_ms()
        """Nothing that arrived before this is unread, as far as is known."""

        lookahead.open(shard, after)
        metrics.bus_read_lag_seconds.labels(str(shard)).set_function(self._measure_lag)

    @override
    def next_batch(self) -> list[Frame]:
        if not self._lookahead.has_turn(self._shard):
            return []
        asked_at_ms = self._clock.now_ms()
        try:
            found = self._lookahead.read(self._shard)
        except BusAwayError as error:
            log.warning("bus_away", shard=self._shard, detail=error.detail)
            self._wait = RETRY_AFTER
            return []
        if found is None:
            self._wait = ASK_AGAIN
            return []
        self._wait = timedelta(0) if found.is_behind else self._interval
        if not found.is_behind:
            self._read_through_ms = asked_at_ms
        if found.frame is None:
            return []
        last = found.frame.batch.entries[-1]
        self._after, self._arrived_ms = last.offset, last.arrived_ms
        if found.is_behind:
            self._read_through_ms = last.arrived_ms
        return [found.frame]

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

    @override
    def close(self) -> None:
        self._lookahead.close(self._shard)
        metrics.bus_read_lag_seconds.remove(str(self._shard))

    def _measure_lag(self) -> float:
        """Return how long what is read next may have waited; grows while nothing is read."""
        return max(0, self._clock.now_ms() - self._read_through_ms) / 1000

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
            self._lookahead.release(self._shard, through)
        except BusAwayError as error:
            # The next release covers what this one did not.
            log.warning("bus_away", shard=self._shard, detail=error.detail)


class BusSource(FixedPartitionedSource[Frame, int]):
    """All shards of a bus."""

    def __init__(
        self,
        lookahead: Lookahead,
        clock: Clock,
        *,
        shards: int,
        interval: timedelta,
        retention: timedelta,
    ) -> None:
        self._lookahead = lookahead
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
            self._lookahead,
            self._clock,
            after=resume_state or 0,
            interval=self._interval,
            retention=self._retention,
        )
