"""Steps: the keyed state of the flow as Bytewax runs it.

Not the built-in windows: they drop a key's state when its window closes, and a late event then
replaces the whole minute by itself. ``docs/decisions`` tells the story.
"""

from datetime import datetime, timedelta
from typing import Final

from bytewax.operators import StatefulBatchLogic
from typing_extensions import override

from core.batches import Batch
from core.changes import Changes
from core.clock import Clock
from streaming.flow.shards import FlowPolicy, Shard

CLOCK_STEP: Final = timedelta(seconds=1)
"""How often the wall clock is asked whether a silent stream's minute is over."""


def key_by_shard(batch: Batch) -> tuple[str, Batch]:
    """Return the batch under the key whose state it changes."""
    return str(batch.shard), batch


class ShardLogic(StatefulBatchLogic[Batch, Changes, bytes]):
    """Holds the state of one shard; never discarded, for the watermarks in it must stay."""

    def __init__(self, snapshot: bytes | None, clock: Clock, policy: FlowPolicy) -> None:
        self._shard = Shard.restore(snapshot, policy) if snapshot else None
        self._clock = clock
        self._policy = policy

    @override
    def on_batch(self, values: list[Batch]) -> tuple[list[Changes], bool]:
        if self._shard is None:
            self._shard = Shard(values[0].shard, self._policy)
        changes = [changes for batch in values for changes in self._shard.apply(batch)]
        return changes, StatefulBatchLogic.RETAIN

    @override
    def on_notify(self) -> tuple[list[Changes], bool]:
        changes = None if self._shard is None else self._shard.close(self._clock.now())
        return [changes] if changes else [], StatefulBatchLogic.RETAIN

    @override
    def notify_at(self) -> datetime | None:
        if self._shard is None or not self._shard.is_running:
            return None
        return self._clock.now() + CLOCK_STEP

    @override
    def snapshot(self) -> bytes:
        return self._shard.snapshot() if self._shard is not None else b""
