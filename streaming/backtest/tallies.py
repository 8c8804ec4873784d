"""Tallies: what was found, by type of moment, as numbers.

moments, truths -> how many, how many of them right, how many truths found, how soon
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Final

from streaming.archive.recounts import Span
from streaming.backtest.matches import Found, Judged, find_truths, judge_sightings
from streaming.backtest.rehearsals import Sighting
from streaming.backtest.truths import PEOPLE, Truth

ALL: Final = "all"

OF_TYPE: Final = {
    "chat_spike": "chat_count",
    "chat_drop": "chat_count",
    "viewer_spike": "avg_viewers",
    "viewer_drop": "avg_viewers",
    "sentiment_shift": "avg_sentiment",
    "transaction_spike": "transaction_count",
}
"""The metric that a type is about; the others are about any series, or about channels."""

OF_CHANNELS: Final = frozenset({"reading_anomaly", "flatline"})


@dataclass(frozen=True, slots=True)
class Ground:
    """What moments are held against."""

    truths: Sequence[Truth]
    is_all_known: bool
    """Whether what no truth tells of did not happen."""

    series: frozenset[tuple[str, str]]
    span: Span
    """What began before it is no miss."""

    @property
    def days(self) -> float:
        """How long it is."""
        return (self.span.end - self.span.start) / timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Tally:
    """The moments of one type under one set of rules."""

    moment_type: str
    moments: int
    """Those that were not withdrawn."""

    withdrawn: int
    right: int
    wrong: int
    """Of the others nobody knows."""

    truths: int
    found: int
    delay_s: float | None
    """From the start of what was found until it was shown, as the median."""

    series_days: float

    @property
    def precision(self) -> float | None:
        """The share that was right of what is known to be right or wrong."""
        judged = self.right + self.wrong
        return self.right / judged if judged else None

    @property
    def recall(self) -> float | None:
        """The share of what happened that was found."""
        return self.found / self.truths if self.truths else None

    @property
    def a_day(self) -> float:
        """Moments for each day of a series."""
        return self.moments / self.series_days if self.series_days else 0.0


def tally_types(sightings: Sequence[Sighting], ground: Ground, types: Iterable[str]) -> list[Tally]:
    """Return a tally for each type, and one of all at the end."""
    judged = judge_sightings(sightings, ground.truths, is_all_known=ground.is_all_known)
    within = [each for each in ground.truths if each.started_at >= ground.span.start]
    found = find_truths(sightings, within)
    return [_tally(judged, found, ground, each) for each in (*types, ALL)]


def list_types(courses: Iterable[Sequence[Sighting]], truths: Iterable[Truth]) -> list[str]:
    """Return the types that were found, or should have been."""
    types = {each.moment.moment_type for sightings in courses for each in sightings}
    return sorted(types | {truth.types[0] for truth in truths if truth.is_true})


def _tally(judged: Iterable[Judged], found: Iterable[Found], ground: Ground, kind: str) -> Tally:
    of_type = [each for each in judged if kind in (ALL, each.sighting.moment.moment_type)]
    confirmed = [each for each in of_type if not each.sighting.is_withdrawn]
    wanted = [each for each in found if kind in (ALL, each.truth.types[0])]
    delays = [each.delay / timedelta(seconds=1) for each in wanted if each.delay is not None]
    return Tally(
        moment_type=kind,
        moments=len(confirmed),
        withdrawn=len(of_type) - len(confirmed),
        right=sum(each.is_right is True for each in confirmed),
        wrong=sum(each.is_right is False for each in confirmed),
        truths=len(wanted),
        found=sum(each.is_found for each in wanted),
        delay_s=median(delays) if delays else None,
        series_days=_count_series(ground.series, kind) * ground.days,
    )


def _count_series(series: frozenset[tuple[str, str]], kind: str) -> int:
    if kind in OF_TYPE:
        return sum(metric == OF_TYPE[kind] for _, metric in series)
    if kind in OF_CHANNELS:
        return sum(metric not in PEOPLE for _, metric in series)
    return len(series)
