"""Blocks: ten seconds of one stream, the unit in which the world is generated.

However an interval is cut, its blocks are the same, each from random generators of its own; that is
why the same seed always gives the same events. ``chats``, ``viewers``, ``readings``, ``raids`` and
``transactions`` each turn a block into rows.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from streaming.simulator.curves import multiply
from streaming.simulator.incidents import FAULT_KINDS, Incident
from streaming.simulator.profiles import Profile
from streaming.simulator.rows import FloatArray, IntArray
from streaming.simulator.seeds import make_rng, make_seed

BLOCK_S: Final = 10
BLOCK_MS: Final = BLOCK_S * 1000


@dataclass(frozen=True)
class Block:
    """What the generators of all event types are given."""

    seed: int
    profile: Profile
    chat_share: float
    """Messages per second of this stream, as a mean over days; a part of the block's name."""

    start_ms: int
    pace: FloatArray
    """Messages to be expected in each second if nothing happens."""

    incidents: tuple[Incident, ...]
    """Of this stream; those just over included, because their effect fades."""

    @cached_property
    def seconds(self) -> IntArray:
        """Seconds since 1970 at which the seconds of the block begin."""
        return np.arange(BLOCK_S, dtype=np.int64) + self.start_ms // 1000

    @cached_property
    def stream_incidents(self) -> list[Incident]:
        """Those of the incidents that befall the people of the stream, and no channel."""
        return [each for each in self.incidents if each.kind not in FAULT_KINDS]

    @cached_property
    def chat_boost(self) -> FloatArray:
        """By how much incidents multiply the messages of each second."""
        felt = [(each.chat_factor, each, each.effect.chat_fade_s) for each in self.stream_incidents]
        return multiply(self.seconds, felt)

    @cached_property
    def gifts_boost(self) -> FloatArray:
        """By how much incidents multiply what is given with each message."""
        felt = [
            (each.gifts_factor, each, each.effect.chat_fade_s) for each in self.stream_incidents
        ]
        return multiply(self.seconds, felt)

    def make_rng(self, purpose: str) -> np.random.Generator:
        """Return the random generator of this block for one purpose."""
        return make_rng(*self._name(), purpose)

    def make_id_stem(self) -> str:
        """Return what all ids of this block begin with, and those of no other block or world."""
        return f"{make_seed(*self._name()):016x}"

    def spread(self, counts: IntArray, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Return a time for each of the events counted in each second, and which second it is."""
        second = np.repeat(np.arange(BLOCK_S), counts)
        return self.start_ms + second * 1000 + rng.integers(1000, size=len(second)), second

    def _name(self) -> tuple[object, ...]:
        return self.seed, self.profile.stream_id, self.chat_share, self.start_ms
