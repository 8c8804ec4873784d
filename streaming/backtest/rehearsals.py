"""Rehearsals: a shard of its own, told what once came, at the times at which it came.

    events, arrival -> Shard -> Changes -> moments, each with the time at which it was first shown

Nothing is stored and nobody is told. Where nothing comes, the clock goes on as that of the flow.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from core.batches import Decoded, make_offset
from core.changes import Changes
from core.moments import Moment
from core.times import EPOCH
from streaming.backtest.overrides import Rules
from streaming.flow.shards import Shard

CLOCK_STEP: Final = timedelta(seconds=1)
"""How often the clock of the flow looks at a shard for which nothing comes."""

CLOCK_STEP_LONG: Final = timedelta(seconds=10)
PATIENCE: Final = timedelta(seconds=30)
"""After so long without events, the clock looks less often: what is left ends minutes later."""

CLOSING: Final = timedelta(minutes=15)
"""The clock goes on for so long behind the last event; what was a spike is over by then."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A moment as it was last, and when it was first shown."""

    moment: Moment
    opened_at: datetime
    """When the batch arrived, or the clock struck, that showed it first."""

    @property
    def is_withdrawn(self) -> bool:
        """Whether the close of its minute did not confirm it."""
        return self.moment.is_withdrawn


class Rehearsal:
    """One shard under one set of rules."""

    def __init__(
        self,
        rules: Rules,
        watch: Callable[[Changes], None] | None = None,
        *,
        step: timedelta = CLOCK_STEP,
    ) -> None:
        """Begin with nothing known.

        Args:
            rules: What the shard judges by.
            watch: Told of all that changes.
            step: How often the clock looks; over so long came what arrives together.
        """
        self._step = step
        self._shard = Shard(0, rules.policy)
        self._shard.tune(rules.tunings)
        self._watch = watch
        self._now = EPOCH
        self._is_over = False
        self._sightings: dict[str, Sighting] = {}

    @property
    def sightings(self) -> list[Sighting]:
        """All that was found, in the order in which it was shown."""
        return list(self._sightings.values())

    def tell(self, at: datetime, events: pl.DataFrame) -> None:
        """Apply events that arrive together, after the clock has gone on until then.

        Args:
            at: When they arrive.
            events: With ``offset`` and ``arrived`` if they came over a bus.
        """
        self.wait_until(at)
        if "offset" not in events.columns:
            milliseconds = (at - EPOCH) // timedelta(milliseconds=1)
            events = events.with_columns(
                offset=pl.lit(make_offset(milliseconds, 0), pl.Int64),
                arrived=pl.lit(milliseconds * 1000, pl.Int64),
            )
        self._note(self._shard.apply_decoded(Decoded(events["offset"][-1], at, events)), at)
        self._now = at

    def wait_until(self, until: datetime) -> None:
        """Let the clock go on up to a time before which nothing comes."""
        at = since = self._now
        while self._shard.is_running(at):
            at += self._step if at - since < PATIENCE else max(self._step, CLOCK_STEP_LONG)
            if at >= until:
                break
            if (changes := self._shard.close(at)) is not None:
                self._note(changes, at)
            self._now = at

    def finish(self) -> None:
        """Let what was found be confirmed and end; that nothing comes any more is not told."""
        self._is_over = True
        self.wait_until(self._now + CLOSING)

    def _note(self, changes: Changes, at: datetime) -> None:
        for moment in changes.moments:
            known = self._sightings.get(moment.moment_id)
            if known is not None:
                self._sightings[moment.moment_id] = replace(known, moment=moment)
            elif not self._is_over:
                self._sightings[moment.moment_id] = Sighting(moment, at)
        if self._watch is not None:
            self._watch(changes)
