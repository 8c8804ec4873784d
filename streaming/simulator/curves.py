"""Curves: how a level moves with the time of day, by itself, and through a raid.

Pure functions of the time: any moment can be asked for without what came before it.
"""

from functools import lru_cache
from typing import Final

import numpy as np

from streaming.simulator.blocks import FloatArray, IntArray
from streaming.simulator.incidents import Incident
from streaming.simulator.seeds import make_rng

DAY_S: Final = 86_400
DAY_SWING: Final = 0.25

DRIFT_PERIODS_S: Final = (431.0, 1087.0, 2659.0, 6173.0)
"""Primes: their sum does not repeat within weeks."""

RAID_RISE_S: Final = 4.0


def follow_day(seconds: IntArray, peak_hour: float) -> FloatArray:
    """Return the daily rhythm: 1 on average, most at the peak hour."""
    since_peak = seconds % DAY_S - peak_hour * 3600
    return np.asarray(1 + DAY_SWING * np.cos(2 * np.pi * since_peak / DAY_S))


def drift(seconds: IntArray, *name: object) -> FloatArray:
    """Return the slow noise between -1 and 1 that belongs to a name."""
    turns = np.divide.outer(seconds, np.array(DRIFT_PERIODS_S))
    return np.asarray(np.sin(2 * np.pi * turns + _phases(*name)).mean(axis=1))


def feel_raid(seconds: IntArray, raid: Incident, fade_s: float) -> FloatArray:
    """Return how much of a raid is felt: 0 before it, 1 during it, then ever less."""
    since_start = seconds - raid.start_ms / 1000
    rise = np.clip((since_start + 1) / RAID_RISE_S, 0, 1)
    fade = np.exp(-np.maximum(seconds - raid.end_ms / 1000, 0) / fade_s)
    return np.asarray(np.where(since_start < 0, 0, rise * fade))


@lru_cache(maxsize=4096)
def _phases(*name: object) -> FloatArray:
    return make_rng("drift", *name).uniform(0, 2 * np.pi, len(DRIFT_PERIODS_S))
