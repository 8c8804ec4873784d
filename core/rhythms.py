"""Rhythms: how regularly a series tells, and whether it says the same thing all the time.

    events of a series, in their order -> the longest gap, the longest run of one value
    a gap, or a run, far beyond the longest so far  ->  silence, flat line

Like novelties, this needs no setting: a series that always came every second is silent after half
a minute, one that comes every hour after hours. A sensor that rests at zero has long runs, and is
stuck only when it rests far longer.
"""

from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.compiled import compiled, inlined
from core.rows import Bools, Floats, Ints

LEARNT_EVENTS: Final = 30
LEARNT_US: Final = 600_000_000
"""A series of fewer events than these, or younger than ten minutes, may pause as it likes."""

BEYOND: Final = 3.0
"""A gap or a run of so many times the longest one is unusual."""

RUN_MIN: Final = 12
RUN_US_MIN: Final = 30_000_000
"""Fewer equal values, or shorter a time, are no flat line."""

_KEPT: Final = 0.9995
"""Of the longest gap and run from event to event: what never comes again is forgotten."""

_TAUGHT: Final = 0.1
"""Of a silence and of a flat line that are over: the next like it shall be found as well, and one
that comes every day shall be expected at last."""

STATE: Final = np.dtype(
    [
        ("began_at", np.int64),
        ("last_at", np.int64),
        ("events", np.int64),
        ("longest_us", np.float64),
        ("value", np.float64),
        ("run", np.int64),
        ("run_at", np.int64),
        ("longest_run", np.float64),
        ("is_flat", np.bool_),
    ]
)
"""What is known of a series; times in microseconds."""

States: TypeAlias = NDArray[np.void]
State: TypeAlias = Any
"""One of them; types cannot know its fields."""


class Told(NamedTuple):
    """Events of series, those of one in the order in which they came."""

    series: Ints
    at: Ints
    values: Floats
    """NaN where an event has none."""


class Breaks(NamedTuple):
    """What events ended or began, beside each of them; 0 for nothing."""

    silent_from: Ints
    """When the silence began that this event ended."""

    flat_from: Ints
    """When the flat line began that is one since this event."""

    flat_until: Ints
    """When the flat line that this event ended began."""


class Silences(NamedTuple):
    """Series that are silent."""

    series: Ints
    since: Ints
    """When each told last, in microseconds."""

    usual_s: Floats
    """The longest pause that each makes."""

    limit_s: Floats
    """How long a pause is a silence."""


class Rhythms:
    """The rhythms of many series, by their numbers."""

    def __init__(self) -> None:
        self._states: States = np.zeros(0, STATE)

    def follow(self, told: Told, least_us: Ints) -> Breaks:
        """Learn from events; return what they ended and began.

        Args:
            told: The events.
            least_us: How long each one's series must have paused at least to have been silent.
        """
        count = len(told.series)
        breaks = Breaks(*(np.zeros(count, np.int64) for _ in Breaks._fields))
        if count:
            self._grow(int(told.series.max()) + 1)
            follow_events(self._states, told, least_us, breaks)
        return breaks

    def find_silent(self, now_us: Ints, least_us: Ints, asked: Ints) -> Silences:
        """Return which series pause for too long.

        Args:
            now_us: What time it is for each series asked for.
            least_us: How long each must pause at least.
            asked: Which series, by number.
        """
        is_known = asked < len(self._states)
        asked, now_us, least_us = asked[is_known], now_us[is_known], least_us[is_known]
        known = self._states[asked]
        limit = np.maximum(BEYOND * known["longest_us"], least_us)
        silent = (now_us - known["last_at"] > limit) & self._is_learnt(known)
        return Silences(
            asked[silent],
            known["last_at"][silent],
            known["longest_us"][silent] / 1e6,
            limit[silent] / 1e6,
        )

    def find_runs(self, series: Ints) -> tuple[Floats, Ints]:
        """Return the value that each series repeats, and how often it did."""
        known = self._states[series]
        return known["value"], known["run"]

    def list_learnt(self) -> Ints:
        """Return the series whose silence would be noticed."""
        return np.flatnonzero(self._is_learnt(self._states))

    def forget(self, series: Ints) -> None:
        """Drop what is known of series."""
        self._states[series[series < len(self._states)]] = np.zeros(1, STATE)

    def _is_learnt(self, known: States) -> Bools:
        learnt: Bools = (known["events"] >= LEARNT_EVENTS) & (
            known["last_at"] - known["began_at"] >= LEARNT_US
        )
        return learnt

    def _grow(self, size: int) -> None:
        missing = size - len(self._states)
        if missing > 0:
            more = np.zeros(max(missing, len(self._states) // 2), STATE)
            self._states = np.concatenate([self._states, more])


@inlined
def _follow_gap(state: State, at: int, least_us: int) -> int:
    """Learn from the pause before an event; return when it began if it was a silence, else 0."""
    passed = float(at - state.last_at)
    is_learnt = state.events >= LEARNT_EVENTS and state.last_at - state.began_at >= LEARNT_US
    state.longest_us *= _KEPT
    if is_learnt and passed > max(BEYOND * state.longest_us, float(least_us)):
        state.longest_us += _TAUGHT * (passed - state.longest_us)
        return int(state.last_at)
    state.longest_us = max(state.longest_us, passed)
    return 0


@inlined
def _follow_run(state: State, at: int, value: float) -> tuple[int, int]:
    """Learn from a value; return when a flat line began that is one now, and that is over now."""
    began = over = 0
    if value == state.value:
        state.run += 1
        limit = max(BEYOND * state.longest_run, float(RUN_MIN))
        is_learnt = state.events >= 10 * RUN_MIN and at - state.began_at >= LEARNT_US
        is_long = state.run >= limit and at - state.run_at >= RUN_US_MIN
        if not state.is_flat and is_learnt and is_long:
            state.is_flat = True
            began = state.run_at
    else:
        state.longest_run *= _KEPT
        if state.is_flat:
            over = state.run_at
            state.longest_run += _TAUGHT * (state.run - state.longest_run)
        else:
            state.longest_run = max(state.longest_run, float(state.run))
        state.value, state.run, state.run_at, state.is_flat = value, 1, at, False
    return began, over


@compiled
def follow_events(states: States, told: Told, least_us: Ints, breaks: Breaks) -> None:
    """Follow events in their order; what comes in disorder makes no gap."""
    for index in range(len(told.series)):
        state, at, value = states[told.series[index]], told.at[index], told.values[index]
        if state.events == 0:
            state.began_at = state.last_at = state.run_at = at
            state.value, state.run = value, 1
        elif at >= state.last_at:
            breaks.silent_from[index] = _follow_gap(state, at, least_us[index])
            if not np.isnan(value):
                began, over = _follow_run(state, at, value)
                breaks.flat_from[index], breaks.flat_until[index] = began, over
        state.last_at = max(state.last_at, at)
        state.events += 1
