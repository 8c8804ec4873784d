"""Boards: what all users of one generator share: the plan, the phase of the run, and counts."""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from loadtest.load.findings import Plan
from loadtest.scenarios.sequences import Told, Watch

RAID_FROM: Final = 0.4
RAID_TO: Final = 0.7
"""The raid is in the middle of the run, as shares of its length: there is a before and an after."""


@dataclass(slots=True)
class Board:
    """The state of one run."""

    plan: Plan
    facts: Counter[str] = field(default_factory=Counter)
    acknowledged: Counter[str] = field(default_factory=Counter)
    """Messages that the door took, for each stream."""

    unsure: Counter[str] = field(default_factory=Counter)
    """Messages of requests whose outcome nobody knows."""

    watches: list[Watch] = field(default_factory=list)
    told: Told = field(default_factory=Told)
    began_s: float = field(default_factory=time.monotonic)
    heard_s: float = field(default_factory=time.monotonic)
    """When any watcher was last told anything."""

    ended_s: float | None = None
    """When users were told to begin nothing new."""

    busy: int = 0
    """Bodies on their way, whose outcome is still to come."""

    away: int = 0
    """Watchers that are between two connections."""

    def begin(self) -> None:
        """Start the clock of the run."""
        self.began_s = time.monotonic()

    def end(self) -> None:
        """Let nobody begin anything new."""
        self.ended_s = time.monotonic()

    @property
    def is_sending(self) -> bool:
        """Whether users still begin something new."""
        return self.ended_s is None

    @property
    def is_raid_on(self) -> bool:
        """Whether the crowd is there."""
        passed = (time.monotonic() - self.began_s) / self.plan.seconds
        return RAID_FROM <= passed < RAID_TO
