"""Moments: something unusual in a stream, with a start, a peak and an end.

    judged minute -> open -> peak moves -> ended

Pure: the same minutes in the same order give the same moments with the same ids, also in a replay.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from core.ids import make_moment_id

MomentState: TypeAlias = Literal["open", "acknowledged", "shelved", "resolved"]


@dataclass(frozen=True, slots=True)
class SpikePolicy:
    """Decides when a spike begins and when it is over."""

    threshold: float = 4.0
    """The z-score from which a minute is a spike; score 1.0."""

    least_count: int = 10
    """A minute with fewer messages is no spike, however quiet the stream was."""

    merge: timedelta = timedelta(minutes=2)
    """Spikes with no more calm between them than this are one."""

    @property
    def over_after(self) -> timedelta:
        """How long after the last minute of a spike it is over, when no calm minute says so.

        A calm minute would have been judged by then; a stream that fell silent has none.
        """
        return self.merge + timedelta(minutes=2, seconds=15)


@dataclass(frozen=True, slots=True)
class JudgedMinute:
    """A minute of chat beside what was expected of it."""

    stream_id: str
    minute: datetime
    count: int
    expected: float
    z_score: float
    final: bool
    revision: int


@dataclass(frozen=True, slots=True)
class Moment:
    """Something unusual, as it is stored and sent."""

    moment_id: str
    stream_id: str
    moment_type: str
    metric_name: str
    started_at: datetime
    peak_at: datetime
    last_at: datetime
    """Start of the last minute that was a spike."""

    ended_at: datetime | None
    metric_value: float
    expected: float
    threshold: float
    z_score: float
    score: float
    direction: Literal["up", "down"]
    state: MomentState
    """As the flow finds it: open. What people do with it is kept in ``core.moment_lives``."""

    revision: int

    @property
    def description(self) -> str:
        """One sentence for people: what, how much against what, since when."""
        value, expected = self.metric_value / 60, self.expected / 60
        since = self.started_at.strftime("%H:%M")
        return f"Chat spike: {value:.3g} messages/s, expected {expected:.3g}/s, since {since} UTC"


def follow_spike(
    current: Moment | None, judged: JudgedMinute, policy: SpikePolicy
) -> Moment | None:
    """Return the moment after a judged minute, or None when there is nothing unusual.

    A moment that comes back with ``ended_at`` is over; the caller stores it and lets go of it.
    """
    is_spike = judged.z_score >= policy.threshold and judged.count >= policy.least_count
    if current is None:
        return _open_spike(judged, policy) if is_spike else None
    if judged.minute < current.started_at:
        # A late event revised a minute from before: a moment keeps its start, which is its name.
        return current
    if is_spike and judged.minute <= current.last_at + policy.merge + timedelta(minutes=1):
        return _go_on(current, judged, policy)
    if judged.final and judged.minute > current.last_at + policy.merge:
        return end_spike(current, judged.revision)
    return current


def _open_spike(judged: JudgedMinute, policy: SpikePolicy) -> Moment:
    return Moment(
        moment_id=make_moment_id(
            judged.stream_id, "chat_spike", "chat_count", int(judged.minute.timestamp() * 1000)
        ),
        stream_id=judged.stream_id,
        moment_type="chat_spike",
        metric_name="chat_count",
        started_at=judged.minute,
        peak_at=judged.minute,
        last_at=judged.minute,
        ended_at=None,
        metric_value=judged.count,
        expected=judged.expected,
        threshold=policy.threshold,
        z_score=judged.z_score,
        score=judged.z_score / policy.threshold,
        direction="up",
        state="open",
        revision=judged.revision,
    )


def _go_on(current: Moment, judged: JudgedMinute, policy: SpikePolicy) -> Moment:
    moved = replace(
        current,
        last_at=max(current.last_at, judged.minute),
        revision=max(current.revision, judged.revision),
    )
    if judged.count < current.metric_value:
        return moved
    return replace(
        moved,
        peak_at=judged.minute,
        metric_value=judged.count,
        expected=judged.expected,
        z_score=judged.z_score,
        score=judged.z_score / policy.threshold,
    )


def end_spike(current: Moment, revision: int) -> Moment:
    """Return a spike that is over."""
    return replace(
        current,
        ended_at=current.last_at + timedelta(minutes=1),
        revision=max(current.revision, revision),
    )
