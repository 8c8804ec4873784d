"""Steps: the keyed state of the flow as Bytewax runs it.

Not the built-in windows: they drop a key's state when its window closes, and a late event then
replaces the whole minute by itself. ``docs/decisions`` tells the story.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from itertools import chain
from typing import Final, NamedTuple

from bytewax.operators import StatefulBatchLogic
from typing_extensions import override

from core.changes import Changes
from core.clock import Clock
from core.tunings import NO_TUNINGS, Tunings
from streaming.flow.lookaheads import Frame
from streaming.flow.shards import FlowPolicy, Shard
from streaming.flow.traces import FlowTraces

CLOCK_STEP: Final = timedelta(seconds=1)
WRITE_STEP: Final = timedelta(milliseconds=100)
"""How soon running minutes that changed are looked at again when it was not yet time for them."""
"""How often the wall clock is asked whether a silent stream's minute is over."""


class Asked(NamedTuple):
    """What people want of the flow, read anew for every batch."""

    read_tunings: Callable[[], Tunings]
    read_audiences: Callable[[], Collection[str]]
    """The streams whose chat they look at."""


NOTHING_ASKED: Final = Asked(lambda: NO_TUNINGS, lambda: ())


def key_by_shard(frame: Frame) -> tuple[str, Frame]:
    """Return the frame under the key whose state it changes."""
    return str(frame.batch.shard), frame


class ShardLogic(StatefulBatchLogic[Frame, Changes, bytes]):
    """Holds the state of one shard; never discarded, for the watermarks in it must stay."""

    def __init__(
        self,
        snapshot: bytes | None,
        clock: Clock,
        policy: FlowPolicy,
        traces: FlowTraces | None = None,
        asked: Asked = NOTHING_ASKED,
    ) -> None:
        self._shard = Shard.restore(snapshot, policy) if snapshot else None
        self._asked = asked
        self._clock = clock
        self._policy = policy
        self._traces = traces or FlowTraces(None)

    @override
    def on_batch(self, values: list[Frame]) -> tuple[list[Changes], bool]:
        if self._shard is None:
            self._shard = Shard(values[0].batch.shard, self._policy)
        self._shard.tune(self._asked.read_tunings())
        self._shard.show(self._asked.read_audiences())
        found = (self._traces.apply(self._shard, frame) for frame in values)
        return list(chain.from_iterable(found)), StatefulBatchLogic.RETAIN

    @override
    def on_notify(self) -> tuple[list[Changes], bool]:
        if self._shard is None:
            return [], StatefulBatchLogic.RETAIN
        self._shard.tune(self._asked.read_tunings())
        changes = self._shard.close(self._clock.now())
        return [changes] if changes else [], StatefulBatchLogic.RETAIN

    @override
    def notify_at(self) -> datetime | None:
        now = self._clock.now()
        if self._shard is None or not self._shard.is_running(now):
            return None
        return now + (WRITE_STEP if self._shard.is_unwritten else CLOCK_STEP)

    @override
    def snapshot(self) -> bytes:
        return self._shard.snapshot() if self._shard is not None else b""
