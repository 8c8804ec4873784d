"""Clock: the one home of the wall clock.

Everything that needs the time takes a ``Clock``. Processes pass ``SystemClock``, tests move a
``ManualClock``.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the time as an aware datetime in UTC."""
        ...

    def now_ms(self) -> int:
        """Return the time in milliseconds since 1970."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the machine's time."""
        return datetime.now(UTC)

    def now_ms(self) -> int:
        """Return the machine's time in milliseconds since 1970."""
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that moves only when it is told to."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the time it was last moved to."""
        return self._now

    def now_ms(self) -> int:
        """Return the same in milliseconds since 1970."""
        return int(self._now.timestamp() * 1000)

    def advance(self, by: timedelta) -> None:
        """Move the clock forward."""
        self._now += by
