"""Sleepers: pauses that pass at once, and move the clock as if they had not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from core.clock import ManualClock

START = datetime(2026, 3, 4, 18, 0, tzinfo=UTC)


class Sleeper:
    """A clock and the pauses that were asked of it."""

    def __init__(self, during: Callable[[float], None] | None = None) -> None:
        self.clock = ManualClock(START)
        self.pauses_s: list[float] = []
        self._during = during

    def sleep(self, seconds: float) -> None:
        """Note a pause and move the clock by it."""
        self.pauses_s.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))
        if self._during:
            self._during(seconds)
