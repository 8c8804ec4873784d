"""Touches: which scopes were touched since a subscription began, and up to when that is known.

    begin ─► touch a ─► heard ─► touch b ─► … ─► lost ─► begin

Every touch has a number. The mark of a scope is the number of its last touch: an answer that was
looked up at a mark is good while the scope still shows it. Marks only rise, so none comes back.
"""

import math
import time
from collections.abc import Callable
from typing import Final

SCOPES_KNOWN_MAX: Final = 50_000
"""Scopes whose last touch is remembered, some 10 MB; beyond, the ones touched longest ago are
forgotten, and answers of all scopes that are not remembered are looked up again once."""

TRUSTED_S_MAX: Final = 0.09
"""Silence after which touches may have been missed: no commit stays unseen for 100 ms."""


class Touches:
    """Remembers touches."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._marks: dict[str, int] = {}
        self._count = 0
        self._floor = 0
        self._heard_at = -math.inf

    @property
    def heard_at(self) -> float:
        """The monotonic time until which everything told has been heard."""
        return self._heard_at

    @property
    def is_trusted(self) -> bool:
        """Whether everything told until just now has been heard."""
        return self._monotonic() - self._heard_at <= TRUSTED_S_MAX

    def begin(self) -> None:
        """Begin anew: anything may have been touched while nobody listened."""
        self._marks.clear()
        self._count += 1
        self._floor = self._count
        self._heard_at = -math.inf

    def hear(self, until: float) -> None:
        """Note that everything told until a time, by the monotonic clock, has been heard."""
        self._heard_at = max(self._heard_at, until)

    def touch(self, scope: str) -> None:
        """Note that answers of a scope are old."""
        self._count += 1
        # Taken out and put in again, so that the first is the one touched longest ago.
        self._marks.pop(scope, None)
        self._marks[scope] = self._count
        if len(self._marks) > SCOPES_KNOWN_MAX:
            self._floor = self._marks.pop(next(iter(self._marks)))

    def mark(self, scope: str) -> int:
        """Return the number of a scope's last touch, or a later one where it is forgotten."""
        return self._marks.get(scope, self._floor)
