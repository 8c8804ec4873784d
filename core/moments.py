"""Moments: something unusual in a stream, with a start, a peak and an end.

    judged minute, or what rose within seconds -> open -> peak moves -> ended
                                                    └─ not confirmed -> withdrawn

Pure: the same judgements in the same order give the same moments with the same ids, also in a
replay. ``streaming.flow.registers`` keeps the open ones, ``core.moment_texts`` words them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from core.ids import make_moment_id
from core.times import MINUTE
from core.tunings import Tuning

MomentState: TypeAlias = Literal["open", "acknowledged", "shelved", "resolved"]
MomentType: TypeAlias = Literal[
    "chat_spike",
    "viewer_spike",
    "sentiment_shift",
    "viewer_drop",
    "chat_drop",
    "reading_anomaly",
    "flatline",
    "silence",
    "transaction_spike",
]
Direction: TypeAlias = Literal["up", "down"]

SETTLED_AFTER: Final = timedelta(minutes=2, seconds=15)
"""When no calm minute ends a moment, it is over so long after neighbours would have joined it: a
minute that came would have been judged by then."""

CONFIRMED_WITHIN: Final = timedelta(minutes=1)
"""What rose within seconds is confirmed by its minute or by the next one."""


DEVIATION_MIN: Final[Mapping[MomentType, float]] = {
    "chat_spike": 10,
    "chat_drop": 10,
    "viewer_spike": 5,
    "viewer_drop": 5,
    "transaction_spike": 3,
    "sentiment_shift": 0.05,
}
"""What nobody would call a moment, however steady the series: a few messages, viewers or gifts more
than expected, a shade of mood."""


class Key(NamedTuple):
    """What has at most one open moment."""

    stream_id: str
    metric: str
    moment_type: MomentType


@dataclass(frozen=True, slots=True)
class Judged:
    """A value beside what was expected of it."""

    key: Key
    minute: datetime
    value: float
    expected: float
    spread: float
    """How far ordinary values stray; NaN where nothing is known of that."""

    z_score: float
    threshold: float
    score: float
    """1.0 and above is unusual."""

    direction: Direction
    final: bool
    revision: int
    told_by: str = "level"
    """What found it: a level, a novelty and its name, a rush, a rhythm."""

    at: datetime | None = None
    """When within the minute it began, where that is known."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something unusual, as it is stored and sent."""

    moment_id: str
    stream_id: str
    moment_type: MomentType
    metric_name: str
    timestamp: datetime
    """The minute of its start: with the id it is the key, so that it must not move."""

    started_at: datetime
    peak_at: datetime
    last_at: datetime
    """Start of the last minute that was unusual."""

    ended_at: datetime | None
    metric_value: float
    expected: float
    spread: float
    threshold: float
    z_score: float
    score: float
    direction: Direction
    state: MomentState
    """As the flow finds it: open. What people do with it is kept in ``core.moment_lives``."""

    revision: int
    told_by: str = "level"
    is_confirmed: bool = True
    """Whether a complete minute says the same, where it was opened before that."""

    is_withdrawn: bool = False
    """Whether complete minutes said otherwise: it was none."""

    reasons: tuple[Mapping[str, Any], ...] = ()

    @property
    def key(self) -> Key:
        """What no other open moment has."""
        return Key(self.stream_id, self.metric_name, self.moment_type)


def follow_moment(
    current: Moment | None, former: Moment | None, judged: Judged, tuning: Tuning
) -> Moment | None:
    """Return the moment after a judgement, or None when there is nothing unusual.

    A moment that comes back with ``ended_at`` is over; the caller stores it and lets go of it.

    Args:
        current: The open one.
        former: The last one that ended.
        judged: What is judged.
        tuning: What holds for this metric.
    """
    is_unusual = _is_unusual(judged, tuning)
    if current is None:
        return _open(judged, tuning) if is_unusual and _is_due(former, judged, tuning) else None
    if judged.minute < current.timestamp:
        # A late event revised a minute from before: a moment keeps its start, which is its name.
        return current
    if is_unusual and judged.minute <= current.last_at + tuning.merge + MINUTE:
        return _go_on(current, judged, tuning)
    return _calm_down(current, judged, tuning) if judged.final else current


def revise_moment(former: Moment, judged: Judged, tuning: Tuning) -> Moment:
    """Return a moment that is over after late events changed one of its minutes."""
    if not (judged.final and former.timestamp <= judged.minute <= former.last_at):
        return former
    if judged.minute != former.peak_at and not _is_unusual(judged, tuning):
        return former
    return _go_on(former, judged, tuning)


def end_moment(
    current: Moment,
    revision: int,
    ended_at: datetime | None = None,
    *,
    metric_value: float | None = None,
) -> Moment:
    """Return a moment that is over, at the end of its last minute unless told otherwise."""
    return replace(
        current,
        ended_at=ended_at or current.last_at + MINUTE,
        revision=max(current.revision, revision),
        metric_value=current.metric_value if metric_value is None else metric_value,
    )


def withdraw_moment(current: Moment, revision: int) -> Moment:
    """Return a moment that complete minutes do not confirm; it is over and was none."""
    return replace(end_moment(current, revision), is_withdrawn=True)


def is_over(current: Moment, tuning: Tuning, now: datetime) -> bool:
    """Tell whether a moment is over by its stream's time, though no calm minute came."""
    return now >= current.last_at + tuning.merge + SETTLED_AFTER


def find_band(moment: Moment) -> tuple[float, float] | None:
    """Return between which values nothing would have been unusual; None where that is not known."""
    if not math.isfinite(moment.spread):
        return None
    reach = moment.spread * moment.threshold
    return moment.expected - reach, moment.expected + reach


def _is_unusual(judged: Judged, tuning: Tuning) -> bool:
    least = max(tuning.deviation_min, DEVIATION_MIN.get(judged.key.moment_type, 0.0))
    return (
        tuning.is_watched
        and judged.score >= tuning.strictness
        and abs(judged.value - judged.expected) >= least
        and tuning.direction in {"both", judged.direction}
    )


def _is_due(former: Moment | None, judged: Judged, tuning: Tuning) -> bool:
    """Tell whether another moment may open after the one before it."""
    if former is None or former.ended_at is None:
        return True
    if judged.minute <= former.last_at:
        # What is over does not begin again because of a late event.
        return False
    if former.is_withdrawn or judged.minute >= former.ended_at + tuning.cool_down:
        return True
    return judged.score / tuning.strictness > former.score


def _open(judged: Judged, tuning: Tuning) -> Moment:
    key, minute = judged.key, judged.minute
    return Moment(
        moment_id=make_moment_id(
            key.stream_id, key.moment_type, key.metric, int(minute.timestamp() * 1000)
        ),
        stream_id=key.stream_id,
        moment_type=key.moment_type,
        metric_name=key.metric,
        timestamp=minute,
        started_at=judged.at or minute,
        peak_at=judged.at or minute,
        last_at=minute,
        ended_at=None,
        metric_value=judged.value,
        expected=judged.expected,
        spread=judged.spread,
        threshold=judged.threshold,
        z_score=judged.z_score,
        score=judged.score / tuning.strictness,
        direction=judged.direction,
        state="open",
        revision=judged.revision,
        told_by=judged.told_by,
        is_confirmed=judged.final,
    )


def _calm_down(current: Moment, judged: Judged, tuning: Tuning) -> Moment:
    """Return a moment after a complete minute in which nothing was unusual."""
    if not current.is_confirmed and judged.minute >= current.timestamp + CONFIRMED_WITHIN:
        return withdraw_moment(current, judged.revision)
    if judged.minute > current.last_at + tuning.merge:
        return end_moment(current, judged.revision)
    return current


def _go_on(current: Moment, judged: Judged, tuning: Tuning) -> Moment:
    moved = replace(
        current,
        last_at=max(current.last_at, judged.minute),
        revision=max(current.revision, judged.revision),
        is_confirmed=current.is_confirmed or judged.final,
    )
    score = judged.score / tuning.strictness
    is_first_confirmed = judged.final and not current.is_confirmed
    is_higher = score >= current.score
    is_revised_peak = judged.final and judged.minute == current.peak_at
    if not (is_first_confirmed or is_higher or is_revised_peak):
        return moved
    return replace(
        moved,
        peak_at=judged.minute,
        metric_value=judged.value,
        expected=judged.expected,
        spread=judged.spread,
        threshold=judged.threshold,
        z_score=judged.z_score,
        score=score,
        direction=judged.direction,
        told_by=judged.told_by,
    )
