"""Registers: the open moments of a shard, moved on by what is judged, ended by their stream's time.

    judgements, rushes, breaks of rhythm -> open, go on, end, revise -> moments that changed

Only what is unusual or belongs to an open moment is looked at one by one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from core.minutes import start_minutes
from core.moments import (
    Judged,
    Key,
    Moment,
    MomentType,
    end_moment,
    follow_moment,
    is_over,
    revise_moment,
)
from core.reasons import Reason
from core.rows import Ints
from core.times import EPOCH, MINUTE
from core.tunings import NO_TUNINGS, STRICTNESS_MIN, Tunings
from streaming.flow.judges.base import Judgements

REMEMBERED: Final = timedelta(hours=24)
"""So long a moment that is over is known: the longest that a cool-down may last."""

FORMER_MAX: Final = 20_000
"""Moments that are over and still known, of a shard; the oldest are forgotten first."""

RHYTHMIC: Final[frozenset[MomentType]] = frozenset({"silence", "flatline"})
"""They end when events say so, and not by calm minutes."""

EXPLAIN_EVERY: Final = timedelta(seconds=10)
"""How often the reasons of a moment that goes on are looked for again."""

Names = Callable[[int], tuple[str, str]]
"""Tells the stream and the metric of a series."""


@dataclass(slots=True)
class Followed:
    """An open moment, and what is known beside it."""

    moment: Moment
    series: int
    """The number of what is judged; -1 for what is not judged by minutes."""

    explained_at: datetime = EPOCH


class Register:
    """Follows the moments of a shard."""

    def __init__(self) -> None:
        self.tunings: Tunings = NO_TUNINGS
        self._open: dict[Key, Followed] = {}
        self._former: dict[Key, Moment] = {}
        self._changed: dict[str, Moment] = {}

    @property
    def is_open(self) -> bool:
        """Whether anything goes on."""
        return bool(self._open)

    def find_open(self, key: Key) -> Moment | None:
        """Return the open moment of a key."""
        followed = self._open.get(key)
        return None if followed is None else followed.moment

    def list_open(self, *types: MomentType) -> list[Moment]:
        """Return the open moments of some types."""
        return [each.moment for key, each in self._open.items() if key.moment_type in types]

    def judge(self, judgements: Judgements, names: Names) -> None:
        """Move moments on by minutes."""
        # A rule may ask for less than usual.
        least = STRICTNESS_MIN if self.tunings.rules else 1.0
        is_relevant = (judgements.scores >= least) | judgements.revised
        if self._open:
            is_relevant |= np.isin(judgements.series, self._list_series(judgements))
        for index in np.flatnonzero(is_relevant).tolist():
            series = int(judgements.series[index])
            for judged in _read(judgements, index, *names(series)):
                self._move(judged, series)

    def open(self, judged: Judged, series: int = -1) -> None:
        """Open a moment that no minute tells of, or leave the one that goes on as it is."""
        if judged.key not in self._open:
            self._move(judged, series)

    def end(
        self, key: Key, ended_at: datetime, revision: int, *, metric_value: float | None = None
    ) -> None:
        """End a moment, if it goes on."""
        followed = self._open.pop(key, None)
        if followed is not None:
            self._keep(end_moment(followed.moment, revision, ended_at, metric_value=metric_value))

    def settle(self, tell_time: Callable[[str], datetime], revision: int) -> None:
        """End what is over by its stream's time."""
        for key, followed in list(self._open.items()):
            if key.moment_type in RHYTHMIC:
                continue
            tuning = self.tunings.find(key.stream_id, key.metric)
            if is_over(followed.moment, tuning, tell_time(key.stream_id)):
                self.end(key, followed.moment.last_at + MINUTE, revision)

    def take_changed(
        self, explain: Callable[[Moment], list[Reason]], now: datetime
    ) -> tuple[Moment, ...]:
        """Return what opened, changed or ended since the last time, with reasons."""
        told = tuple(self._explain(moment, explain, now) for moment in self._changed.values())
        self._changed.clear()
        return told

    def forget(self, now: datetime) -> None:
        """Drop moments that nothing can depend on any more."""
        while self._former:
            key = next(iter(self._former))
            ended_at = self._former[key].ended_at or now
            if now - ended_at < REMEMBERED and len(self._former) <= FORMER_MAX:
                return
            del self._former[key]

    def _list_series(self, judgements: Judgements) -> Ints:
        types = {judgements.up, judgements.down}
        return np.array(
            [each.series for key, each in self._open.items() if key.moment_type in types], np.int64
        )

    def _move(self, judged: Judged, series: int) -> None:
        tuning = self.tunings.find(judged.key.stream_id, judged.key.metric)
        current, former = self.find_open(judged.key), self._former.get(judged.key)
        if current is None and former is not None and judged.minute <= former.last_at:
            revised = revise_moment(former, judged, tuning)
            if revised != former:
                self._keep(revised)
            return
        after = follow_moment(current, former, judged, tuning)
        if after is None or after == current:
            return
        if after.ended_at is not None:
            del self._open[judged.key]
            self._keep(after)
            return
        if current is None:
            self._open[judged.key] = Followed(after, series)
        self._open[judged.key].moment = after
        self._changed[after.moment_id] = after

    def _keep(self, ended: Moment) -> None:
        self._former.pop(ended.key, None)
        self._former[ended.key] = ended
        self._changed[ended.moment_id] = ended

    def _explain(
        self, moment: Moment, explain: Callable[[Moment], list[Reason]], now: datetime
    ) -> Moment:
        """Return a moment with reasons: new ones when it ends, and once in a while."""
        followed = self._open.get(moment.key)
        is_current = followed is not None and followed.moment.moment_id == moment.moment_id
        if followed is not None and is_current and now - followed.explained_at < EXPLAIN_EVERY:
            return moment
        told = replace(moment, reasons=tuple(explain(moment)) or moment.reasons)
        if followed is not None and is_current:
            followed.moment, followed.explained_at = told, now
        elif self._former.get(moment.key) == moment:
            self._former[moment.key] = told
        return told


def _read(judgements: Judgements, index: int, stream_id: str, metric: str) -> Iterator[Judged]:
    """Return a minute as what it would be called, and as calm to what it is the contrary of."""
    value, expected = float(judgements.values[index]), float(judgements.expected[index])
    if not (np.isfinite(value) and np.isfinite(expected)):
        return
    is_up = value >= expected
    own = judgements.up if is_up else judgements.down
    start = timedelta(microseconds=int(start_minutes(judgements.minutes[index])))
    for moment_type in dict.fromkeys((judgements.up, judgements.down)):
        if moment_type is not None:
            yield Judged(
                key=Key(stream_id, metric, moment_type),
                minute=EPOCH + start,
                value=value,
                expected=expected,
                spread=float(judgements.spread[index]),
                z_score=float(np.nan_to_num(judgements.z_scores[index])),
                threshold=float(judgements.thresholds[index]),
                score=float(judgements.scores[index]) if moment_type == own else 0.0,
                direction="up" if is_up else "down",
                final=bool(judgements.final[index]),
                revision=int(judgements.revisions[index]),
                told_by=judgements.tell(index),
            )
