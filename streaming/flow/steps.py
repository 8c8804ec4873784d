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
from streaming.flow.shards import FlowPolicy, ShardState, apply_batch, close_minutes

CLOCK_STEP: Final = timedelta(seconds=1)
"""How often the wall clock is asked whether a silent stream's minute is over."""


def key_by_shard(batch: Batch) -> tuple[str, Batch]:
    """Return the batch under the key whose state it changes."""
    return str(batch.shard), batch


class ShardLogic(StatefulBatchLogic[Batch, Changes, ShardState]):
    """Holds the state of one shard; never discarded, for the watermarks in it must stay."""

    def __init__(self, state: ShardState | None, clock: Clock, policy: FlowPolicy) -> None:
        self._state = state
        self._clock = clock
        self._policy = policy

    @override
    def on_batch(self, values: list[Batch]) -> tuple[list[Changes], bool]:
        changes = [self._apply(batch) for batch in values]
        return changes, StatefulBatchLogic.RETAIN

    @override
    def on_notify(self) -> tuple[list[Changes], bool]:
        if self._state is None:
            return [], StatefulBatchLogic.RETAIN
        self._state, changes = close_minutes(
            self._state, now=self._clock.now(), policy=self._policy
        )
        return [changes] if changes else [], StatefulBatchLogic.RETAIN

    @override
    def notify_at(self) -> datetime | None:
        if self._state is None or not self._state.has_running_minutes:
            return None
        return self._clock.now() + CLOCK_STEP

    @override
    def snapshot(self) -> ShardState:
        return self._state if self._state is not None else ShardState.empty(0)

    def _apply(self, batch: Batch) -> Changes:
        state = self._state if self._state is not None else ShardState.empty(batch.shard)
        # The time of arrival, not the wall clock: behind a backlog every stream looks silent by
        # the clock, and a replay must decide the same.
        self._state, changes = apply_batch(state, batch, now=batch.arrived_at, policy=self._policy)
        return changes
