"""Breaker: stop asking a service that hangs, until it answers again.

    closed ─ so many time-outs in a row ─► open ─ a probe is answered ─► closed

A service that refuses costs nothing; one that takes the question and never answers costs everybody
who asks the whole time-out. ``db.pool`` asks it, and probes.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """Decides when a service counts as hanging."""

    time_outs_max: int = 3
    """In a row: one may be a single bad connection, three are the service."""


class Breaker:
    """Counts time-outs in a row."""

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self._time_outs = 0

    @property
    def is_open(self) -> bool:
        """Whether the service is not to be asked."""
        return self._time_outs >= self._policy.time_outs_max

    def note_time_out(self) -> None:
        """Count a question that was not answered in time."""
        self._time_outs += 1

    def note_answer(self) -> None:
        """Begin to count anew: the service answers."""
        self._time_outs = 0
