"""Rehearsals: a shard of its own, told what once came, at the times at which it came.

    events, arrival -> Shard -> Changes -> moments, each with the time at which it was first shown

Nothing is stored and nobody is told. Where nothing comes, the clock goes on as that of the flow.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from core.batches import Decoded, make_offset
from core.changes import Changes
from core.moments import Moment
from core.times import EPOCH
from streaming.flow.shards import FlowPolicy, Shard

CLOCK_STEP: Final = timedelta(seconds=1)
"""How often the clock of the flow looks at a shard for which nothing comes."""

CLOCK_STEP_LONG: Final = timedelta(seconds=10)
PATIENCE: Final = timedelta(seconds=30)
"""After so long without events, the clock looks less often: what is left ends minutes later."""

CLOSING_MAX: Final = timedelta(hours=6)
"""The clock goes on for so long at most behind the last event; every moment is over by then."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A moment as it was last, and when it was first shown."""

    moment: Moment
    opened_at: datetime
    """When the batch arrived, or the clock struck, that showed it first."""

    @property
    def is_withdrawn(self) -> bool:
        """Whether the close of its minute did not confirm it."""
        return bool(getattr(self.moment, "metadata", {}).get("withdrawn", False))


class Rehearsal:
    """One shard under one policy."""

    def __init__(self, policy: FlowPolicy, shard: int = 0) -> None:
        self._shard = Shard(shard, policy)
        self._now = EPOCH
        self._sightings: dict[str, Sighting] = {}

    @property
    def sightings(self) -> list[Sighting]:
        """All that was found, in the order in which it was shown."""
        return list(self._sightings.values())

    def tell(self, at: datetime, events: pl.DataFrame) -> Changes:
        """Apply events that arrive together, and return what they change.

        Args:
            at: When they arrive.
            events: With ``offset`` and ``arrived`` if they came over a bus.
        """
        if "offset" not in events.columns:
            milliseconds = (at - EPOCH) // timedelta(milliseconds=1)
            events = events.with_columns(
                offset=pl.lit(make_offset(milliseconds, 0), pl.Int64),
                arrived=pl.lit(milliseconds * 1000, pl.Int64),
            )
        changes = self._shard.apply_decoded(Decoded(events["offset"][-1], at, events))
        self._note(changes, at)
        self._now = at
        return changes

    def wait_until(self, until: datetime) -> list[Changes]:
        """Let the clock go on up to a time at which nothing has come yet."""
        found, at, since = [], self._now, self._now
        while self._shard.is_running:
            at += CLOCK_STEP if at - since < PATIENCE else CLOCK_STEP_LONG
            if at >= until:
                break
            if (changes := self._shard.close(at)) is not None:
                self._note(changes, at)
                found.append(changes)
            self._now = at
        return found

    def finish(self) -> list[Changes]:
        """Let the clock go on until everything is over."""
        return self.wait_until(self._now + CLOSING_MAX)

    def _note(self, changes: Changes, at: datetime) -> None:
        for moment in changes.moments:
            known = self._sightings.get(moment.moment_id)
            self._sightings[moment.moment_id] = (
                Sighting(moment, at) if known is None else replace(known, moment=moment)
            )
