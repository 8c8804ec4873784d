"""Paces: how fast recorded events are sent again, as people write it and as waits.

RatePace       so many events a second, and no burst after a stall
RecordedPace   by the events' own times, so many times faster

Nothing here sleeps or reads a clock. Used by ``streaming.connectors.files``.
"""

import re
from dataclasses import dataclass
from typing import Final, Protocol

RATE_MAX: Final = 10_000_000.0
SPEED_MIN: Final = 0.01
SPEED_MAX: Final = 100_000.0

BURST_S: Final = 0.5
"""So much of what a stall held up may follow at once; the rest keeps to the rate."""

_RATE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(?:/\s*(s|min|h))?")
_SECONDS: Final = {None: 1, "s": 1, "min": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be sent next."""

    events: int
    first_at_us: int | None = None
    """The time of its first event, in microseconds."""


class Pace(Protocol):
    """Decides when a load may go."""

    def find_wait_s(self, load: Load, now_s: float) -> float:
        """Return the seconds that a load has to wait; it counts as sent then."""


class NoPace:
    """Everything goes at once."""

    def find_wait_s(self, load: Load, now_s: float) -> float:
        """Return nothing to wait."""
        del load, now_s
        return 0.0


class RatePace:
    """So many events a second."""

    def __init__(self, events_a_second: float) -> None:
        self._rate = events_a_second
        self._free_at_s = float("-inf")

    def find_wait_s(self, load: Load, now_s: float) -> float:
        """Return the seconds until what was sent before has had its time."""
        starts_at_s = max(self._free_at_s, now_s - BURST_S if self._has_begun else now_s)
        self._free_at_s = starts_at_s + load.events / self._rate
        return max(0.0, starts_at_s - now_s)

    @property
    def _has_begun(self) -> bool:
        return self._free_at_s != float("-inf")


class RecordedPace:
    """By the times of the events, counted from the first that is sent."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began: tuple[float, int] | None = None

    def find_wait_s(self, load: Load, now_s: float) -> float:
        """Return the seconds until the time of a load's first event has come."""
        if load.first_at_us is None:
            return 0.0
        if self._began is None:
            self._began = (now_s, load.first_at_us)
        began_s, first_us = self._began
        due_s = began_s + (load.first_at_us - first_us) / 1e6 / self._speed
        return max(0.0, due_s - now_s)


def read_rate(text: str) -> float:
    """Return the events a second that a text names: ``5000/s``, ``5000``, ``300/min``.

    Raises:
        ValueError: It names no rate.
    """
    match = _RATE.fullmatch(text.strip())
    rate = float(match[1]) / _SECONDS[match[2]] if match else 0.0
    if not 0 < rate <= RATE_MAX:
        raise ValueError(f"{text!r} is no rate like 5000/s or 300/min")
    return rate


def read_speed(text: str) -> float:
    """Return how many times faster a text asks for: ``60x``, ``0.5x``.

    Raises:
        ValueError: It names no speed.
    """
    try:
        speed = float(text.strip().removesuffix("x"))
    except ValueError:
        speed = float("nan")
    if not SPEED_MIN <= speed <= SPEED_MAX:
        raise ValueError(f"{text!r} is no speed from {SPEED_MIN:g}x to {SPEED_MAX:g}x")
    return speed
