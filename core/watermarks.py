"""Watermarks: how far the time of each stream has come, and which events come too late.

Decided for each bus entry against all earlier ones, from what the bus remembers alone: however a
replay cuts the same entries into batches, the same events are late.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from core.groups import group_rows
from core.minutes import MINUTE_US, number_minute, number_minutes, start_minutes, to_micros
from core.rows import Bools, Ints
from core.times import EPOCH

NEVER: Final = np.iinfo(np.int64).min // 4
"""The watermark of a stream that nothing is known of; sums with it stay in range."""


@dataclass(frozen=True, slots=True)
class LatenessPolicy:
    """Decides how long a minute may still change and when it is complete."""

    allowed: timedelta = timedelta(minutes=5)
    """Later events are listed as late and do not change the minute."""

    disorder: timedelta = timedelta(seconds=2)
    """A minute is complete once its stream is this far past the end; events in flight get so much
    time."""

    silence: timedelta = timedelta(seconds=10)
    """A stream without events for so long has its minute completed by the wall clock."""

    forgotten: timedelta = timedelta(hours=1)
    """A stream without events for so long has its open minutes dropped from memory."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a batch does to the watermarks of its streams."""

    streams: Ints
    newest: Ints
    arrived: Ints
    last_at: Ints
    """The newest event time as the events have it, however far ahead."""

    open_from: Ints
    """The first minute that a long silence has left open."""

    late: pl.Series | None
    """Which events come too late; None when none does."""


class Watermarks:
    """The newest event time of each stream and when its last event arrived, in microseconds."""

    def __init__(self, policy: LatenessPolicy) -> None:
        self.policy = policy
        self.newest: Ints = np.empty(0, np.int64)
        self.arrived: Ints = np.empty(0, np.int64)
        self._open_from: Ints = np.empty(0, np.int64)
        """What was dropped in a silence stays closed, or the next event would begin it anew."""

    def judge(self, events: pl.DataFrame, streams: int) -> Arrival:
        """Find out what events do, and change nothing yet.

        Args:
            events: Columns ``stream``, ``minute``, ``at``, ``arrived`` and ``offset``.
            streams: How many streams are known by now.
        """
        self._grow(streams)
        groups = group_rows(events["stream"].to_numpy())
        at, arrived_at = events["at"].to_numpy(), events["arrived"].to_numpy()
        numbers = groups.keys
        first_at, last_at = groups.bound(at)
        first_arrived, arrived = groups.bound(arrived_at)
        # A sender whose clock runs ahead must not make the others late.
        _, newest = groups.bound(np.minimum(at, arrived_at))
        newest = np.maximum(newest, self.newest[numbers])
        # The watermark of the end is the strictest: what passes it passes at its own entry too.
        open_from = np.maximum(
            number_minutes(newest - _micros(self.policy.allowed)), self._open_from[numbers]
        )
        before = np.where(self.arrived[numbers] == NEVER, first_arrived, self.arrived[numbers])
        rested = np.maximum(first_arrived - before, arrived - first_arrived)
        suspect = (number_minutes(first_at) < open_from) | (rested > _micros(self.policy.forgotten))
        late, kept_from = None, self._open_from[numbers]
        if suspect.any():
            late, kept_from = self._find_late(events)
        arrived = np.maximum(arrived, self.arrived[numbers])
        return Arrival(numbers, newest, arrived, last_at, kept_from, late)

    def move(self, arrival: Arrival) -> None:
        """Let the time of streams go on."""
        self.newest[arrival.streams] = arrival.newest
        self.arrived[arrival.streams] = arrival.arrived
        self._open_from[arrival.streams] = arrival.open_from

    def is_complete(self, streams: Ints, minutes: Ints, now: datetime) -> Bools:
        """Tell which minutes are over, by their stream's events or by the clock."""
        end = start_minutes(minutes) + MINUTE_US
        now_us = to_micros(now)
        # Never later than it is forgotten.
        disorder = _micros(min(self.policy.disorder, self.policy.allowed))
        silence = _micros(self.policy.silence)
        by_events = self.newest[streams] >= end + disorder
        silent = self.arrived[streams] + silence <= now_us
        closed = minutes < self._open_from[streams]
        return closed | by_events | (silent & (end + silence <= now_us))

    def is_forgotten(self, streams: Ints, minutes: Ints, arrived_at: datetime) -> Bools:
        """Tell which minutes an entry arriving at a time could no longer change."""
        newest = self.newest[streams]
        rested = to_micros(arrived_at) - self.arrived[streams] > _micros(self.policy.forgotten)
        by_events = number_minutes(newest - _micros(self.policy.allowed))
        open_from = np.where(rested, number_minutes(newest) + 1, by_events)
        return minutes < np.maximum(open_from, self._open_from[streams])

    def tell_time(self, stream: int, now: datetime) -> datetime:
        """Return what time it is in a stream: its watermark, moved on by the silence since."""
        silence = max(0, to_micros(now) - int(self.arrived[stream]))
        return EPOCH + timedelta(microseconds=int(self.newest[stream]) + silence)

    def list_idle(self, now: datetime, span: timedelta) -> Ints:
        """Return the streams that nothing came for in a span."""
        return np.flatnonzero(self.arrived < to_micros(now) - _micros(span))

    def _find_late(self, events: pl.DataFrame) -> tuple[pl.Series | None, Ints]:
        """Judge entry by entry, each against what was known before it.

        Returns:
            Which events are late, and the first minute of each stream left open by its silences.
        """
        entries = (
            events.group_by("stream", "offset")
            .agg(newest=pl.col("at").max(), arrived=pl.col("arrived").max())
            .with_columns(newest=pl.min_horizontal("newest", "arrived"))
            .sort("offset")
        )
        numbers = entries["stream"].to_numpy()
        earlier = pl.col("newest").cum_max().shift(1).over("stream")
        rested = pl.col("arrived") - pl.col("arrived_before") > _micros(self.policy.forgotten)
        by_silence = pl.when(rested).then(number_minute(pl.col("newest_before")) + 1)
        by_events = number_minute(pl.col("newest_before") - _micros(self.policy.allowed))
        judged = (
            entries.with_columns(
                newest_before=pl.max_horizontal(pl.Series(self.newest[numbers]), earlier),
                arrived_before=pl.coalesce(
                    pl.col("arrived").shift(1).over("stream"), pl.Series(self.arrived[numbers])
                ),
            )
            .with_columns(kept=pl.max_horizontal(pl.Series(self._open_from[numbers]), by_silence))
            .with_columns(kept_from=pl.col("kept").cum_max().over("stream"))
            .with_columns(open_from=pl.max_horizontal("kept_from", by_events))
        )
        verdicts = events.select("stream", "offset", "minute").join(
            judged, on=["stream", "offset"], how="left", maintain_order="left"
        )
        late = verdicts.select(pl.col("minute") < pl.col("open_from")).to_series()
        kept_from = judged.group_by("stream").agg(pl.col("kept_from").max()).sort("stream")
        return late if late.any() else None, kept_from["kept_from"].to_numpy()

    def _grow(self, streams: int) -> None:
        missing = streams - len(self.newest)
        if missing > 0:
            unknown = np.full(missing, NEVER, np.int64)
            self.newest = np.concatenate([self.newest, unknown])
            self.arrived = np.concatenate([self.arrived, unknown])
            self._open_from = np.concatenate([self._open_from, unknown])


def _micros(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
