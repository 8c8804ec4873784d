"""Paces: how many messages a second each stream may expect, all of them together as many as asked.

    share * day * drift of each stream, divided by their sum, times the rate

Each stream has its hours and its ups and downs; the sum has none, so that a rate is a rate.
"""

from typing import Final

import numpy as np

from streaming.simulator.blocks import BLOCK_S
from streaming.simulator.curves import DRIFT_PERIODS_S, find_phases, follow_day
from streaming.simulator.profiles import Profile
from streaming.simulator.rows import FloatArray
from streaming.simulator.transactions import GIFTS_PER_MESSAGE
from streaming.simulator.viewers import COUNT_INTERVAL_S

WANDER: Final = 0.3
"""How far the drift of a stream moves its chat."""


class Paces:
    """Knows the pace of every stream at any time."""

    def __init__(self, seed: int, profiles: tuple[Profile, ...], chat_rate: float) -> None:
        self._rate = chat_rate
        self._shares = np.array([each.chat_share for each in profiles])[:, None]
        self._hours = np.array([each.peak_hour for each in profiles])[:, None]
        phases = [find_phases(seed, each.stream_id, "chat") for each in profiles]
        self._phases = np.array(phases)[:, None, :]

    def find(self, start_ms: int) -> FloatArray:
        """Return the messages to be expected of each stream in each second of a block."""
        seconds = np.arange(BLOCK_S) + start_ms // 1000
        turns = np.divide.outer(seconds, np.array(DRIFT_PERIODS_S))
        wander = 1 + WANDER * np.sin(2 * np.pi * turns + self._phases).mean(axis=2)
        levels = self._shares * follow_day(seconds, self._hours) * wander
        together = levels.sum(axis=0)
        return np.asarray(self._rate * levels / np.where(together, together, 1))


def measure_fixed_rate(profiles: tuple[Profile, ...]) -> float:
    """Return the events per second that come however many messages there are."""
    viewers = sum(1 / COUNT_INTERVAL_S for each in profiles if each.chat_share)
    return viewers + sum(1 / one.interval_s for each in profiles for one in each.channels)


def find_chat_rate(profiles: tuple[Profile, ...], rate: float) -> float:
    """Return the messages per second with which all events together are as many as asked."""
    return (rate - measure_fixed_rate(profiles)) / (1 + GIFTS_PER_MESSAGE)
