"""Pauses: how long a connector waits before it asks its source again.

    failed -> 0..1 s -> failed -> 0..2 s -> failed -> 0..4 s … 0..60 s -> healthy a while -> 0..1 s

Each pause is drawn from nothing to its limit, so that many connectors that lost the same source do
not come back at the same instant.
"""

from dataclasses import dataclass
from random import Random

from core.clock import Clock
from core.doublings import double


@dataclass(frozen=True, slots=True)
class BackOffPolicy:
    """Decides how long pauses may become."""

    first_s: float = 1.0
    max_s: float = 60.0
    healthy_s: float = 60.0
    """A connection that held so long was good: what comes after it is a new trouble."""


class BackOff:
    """The pauses of one source."""

    def __init__(
        self, clock: Clock, policy: BackOffPolicy | None = None, random: Random | None = None
    ) -> None:
        self._clock = clock
        self._policy = policy or BackOffPolicy()
        self._random = random or Random()  # noqa: S311 - it spreads load and guards nothing.
        self._failures = 0
        self._tried_at_ms = clock.now_ms()

    def note_try(self) -> None:
        """Note that the source is asked now."""
        self._tried_at_ms = self._clock.now_ms()

    def draw_pause_s(self) -> float:
        """Return the seconds to wait after the try that just failed."""
        if self._clock.now_ms() - self._tried_at_ms >= self._policy.healthy_s * 1000:
            self._failures = 0
        limit_s = double(self._policy.first_s, self._policy.max_s, self._failures)
        self._failures += 1
        return self._random.uniform(0.0, limit_s)
