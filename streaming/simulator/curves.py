"""Curves: how a level moves with the time of day, by itself, and through an incident.

Pure functions of the time: any moment can be asked for without what came before it.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import numpy as np

from streaming.simulator.incidents import Incident
from streaming.simulator.rows import FloatArray, IntArray
from streaming.simulator.seeds import make_rng

DAY_S: Final = 86_400
DAY_SWING: Final = 0.25

DRIFT_PERIODS_S: Final = (431.0, 1087.0, 2659.0, 6173.0)
"""Primes: their sum does not repeat within weeks."""


def follow_day(seconds: IntArray, peak_hour: float | FloatArray) -> FloatArray:
    """Return the daily rhythm: 1 on average, most at the peak hour."""
    since_peak = seconds % DAY_S - peak_hour * 3600
    return np.asarray(1 + DAY_SWING * np.cos(2 * np.pi * since_peak / DAY_S))


def drift(seconds: IntArray, *name: object) -> FloatArray:
    """Return the slow noise between -1 and 1 that belongs to a name."""
    turns = np.divide.outer(seconds, np.array(DRIFT_PERIODS_S))
    return np.asarray(np.sin(2 * np.pi * turns + find_phases(*name)).mean(axis=1))


def feel(seconds: IntArray, incident: Incident, fade_s: float) -> FloatArray:
    """Return how much of an incident is felt: 0 before it, 1 during it, then ever less."""
    since_start = seconds - incident.start_ms / 1000
    since_end = seconds - incident.end_ms / 1000
    rise_s = incident.effect.rise_s
    rise = np.clip((since_start + 1) / rise_s, 0, 1) if rise_s else np.ones(len(seconds))
    fade = np.exp(-np.maximum(since_end, 0) / fade_s) if fade_s else since_end < 0
    return np.asarray(np.where(since_start < 0, 0, rise * fade))


def multiply(seconds: IntArray, felt: Iterable[tuple[float, Incident, float]]) -> FloatArray:
    """Return by how much incidents, each with a factor and a time of fading, multiply a level."""
    level = np.ones(len(seconds))
    for factor, incident, fade_s in felt:
        level += (factor - 1) * feel(seconds, incident, fade_s)
    return np.maximum(level, 0)


@lru_cache(maxsize=16_384)
def find_phases(*name: object) -> FloatArray:
    """Return where the waves of a drift begin."""
    return make_rng("drift", *name).uniform(0, 2 * np.pi, len(DRIFT_PERIODS_S))
