"""Restarts: how long to wait before a process that ended is started again.

Pure: the keeper says how long the process had lived, and gets the delay.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Doubles the delay at each death, up to a limit, and forgives after a stable time."""

    delay_first: timedelta = timedelta(seconds=0.2)
    delay_max: timedelta = timedelta(seconds=10)
    stable_after: timedelta = timedelta(minutes=1)
    early_deaths_max: int = 3
    """A process that ended this often and was never ready is given up: its settings are wrong."""


class RestartState:
    """Counts the deaths of one process."""

    def __init__(self, policy: RestartPolicy) -> None:
        self._policy = policy
        self._delay = policy.delay_first
        self._deaths = 0
        self._has_been_ready = False
        self._is_overdue = False

    @property
    def is_hopeless(self) -> bool:
        """Whether starting it once more makes no sense."""
        tried_enough = self._is_overdue or self._deaths >= self._policy.early_deaths_max
        return tried_enough and not self._has_been_ready

    def record_ready(self) -> None:
        """Note that the process has been ready; from now on it is never given up."""
        self._has_been_ready = True

    def record_death(self, uptime: timedelta, *, overdue: bool = False) -> timedelta:
        """Return how long to wait before the next start; overdue if it was never ready in time."""
        self._deaths += 1
        self._is_overdue = overdue
        if uptime >= self._policy.stable_after:
            self._delay = self._policy.delay_first
        delay = self._delay
        self._delay = min(delay * 2, self._policy.delay_max)
        return delay
