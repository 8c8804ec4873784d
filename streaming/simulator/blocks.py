"""Blocks: ten seconds of one stream, the unit in which the world is generated.

However an interval is cut, its blocks are the same, each from random generators of its own; that is
why the same seed always gives the same events. ``chats``, ``viewers``, ``readings``, ``raids`` and
``transactions`` each turn a block into rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from streaming.simulator.incidents import Incident
from streaming.simulator.profiles import Profile
from streaming.simulator.seeds import make_rng, make_seed

BLOCK_S: Final = 10
BLOCK_MS: Final = BLOCK_S * 1000

Event: TypeAlias = dict[str, object]
IntArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float64]
ObjectArray: TypeAlias = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Block:
    """What the generators of all event types are given."""

    seed: int
    profile: Profile
    chat_rate: float
    """Messages per second at a usual hour without a raid."""

    start_ms: int
    incidents: tuple[Incident, ...]
    """Of this stream; those just over included, because their effect fades."""

    @property
    def seconds(self) -> IntArray:
        """Seconds since 1970 at which the seconds of the block begin."""
        return np.arange(BLOCK_S, dtype=np.int64) + self.start_ms // 1000

    @property
    def raids(self) -> list[Incident]:
        """Those of the incidents that are raids."""
        return [incident for incident in self.incidents if incident.kind == "raid"]

    def make_rng(self, purpose: str) -> np.random.Generator:
        """Return the random generator of this block for one purpose."""
        return make_rng(*self._name(), purpose)

    def make_id_stem(self) -> str:
        """Return what all ids of this block begin with, and those of no other block or world."""
        return f"{make_seed(*self._name()):016x}"

    def _name(self) -> tuple[object, ...]:
        return self.seed, self.profile.stream_id, self.chat_rate, self.start_ms


@dataclass(frozen=True, slots=True)
class Rows:
    """Events in the order of their times."""

    times_ms: IntArray
    events: list[Event]

    @classmethod
    def merge(cls, parts: Sequence[Self]) -> Self:
        """Return all rows in the order of time; what is simultaneous stays in the order given."""
        none = np.empty(0, dtype=np.int64)
        times_ms = np.concatenate([none, *(part.times_ms for part in parts)])
        events = [event for part in parts for event in part.events]
        order = np.argsort(times_ms, kind="stable")
        return cls(times_ms[order], [events[place] for place in order.tolist()])

    def cut(self, start_ms: int, end_ms: int) -> "Rows":
        """Return the rows from one time until before another."""
        first, end = np.searchsorted(self.times_ms, (start_ms, end_ms)).tolist()
        return Rows(self.times_ms[first:end], self.events[first:end])


def make_rows(block: Block, event_type: str, times_ms: IntArray, **columns: object) -> Rows:
    """Return rows of one type.

    Args:
        block: Where they belong.
        event_type: Their type.
        times_ms: Their times in milliseconds since 1970, rising.
        columns: The fields that this type has: a list of values, or one value for all rows.
    """
    fields = {
        "stream_id": block.profile.stream_id,
        "type": event_type,
        "timestamp": format_times(times_ms),
        **columns,
    }
    values = (
        value if isinstance(value, list) else repeat(value, len(times_ms))
        for value in fields.values()
    )
    return Rows(
        times_ms, [dict(zip(fields, row, strict=True)) for row in zip(*values, strict=True)]
    )


def format_times(times_ms: IntArray) -> list[str]:
    """Return times as ISO 8601 in UTC, to the millisecond."""
    times = times_ms.astype("datetime64[ms]")
    texts: list[str] = np.datetime_as_string(times, unit="ms", timezone="UTC").tolist()
    return texts
