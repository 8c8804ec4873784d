"""Tallies: plays as numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from loadtest.bench.detection.injections import BASES
from loadtest.bench.moments.feeds import name_kind
from loadtest.bench.moments.plays import Play
from loadtest.bench.spreads import find_percentile
from streaming.backtest.matches import Found, Judged

SHARP: Final = 3.0
"""A chat spike by this factor and more is one that nobody should wait for."""


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds from the start of what happened until it was shown."""

    count: int
    p50: float
    p90: float


@dataclass(frozen=True, slots=True)
class TruthTally:
    """What was found of one kind of incident in one metric."""

    scenario: str
    kind: str
    metric: str
    labels: int
    found: int
    delays: Delays | None

    @property
    def recall(self) -> float:
        """The share that was found."""
        return self.found / self.labels


@dataclass(frozen=True, slots=True)
class MomentTally:
    """The moments of one type, or of one kind of series."""

    scenario: str
    moment_type: str
    """Or the kind of series."""

    shown: int
    withdrawn: int
    right: int
    """Of those that were not withdrawn."""

    series_weeks: float

    @property
    def confirmed(self) -> int:
        """Those that were not withdrawn."""
        return self.shown - self.withdrawn

    @property
    def precision(self) -> float | None:
        """The share of the confirmed that was right."""
        return self.right / self.confirmed if self.confirmed else None

    @property
    def false_a_week(self) -> float:
        """Confirmed ones that were wrong, for each week of a series."""
        return (self.confirmed - self.right) / self.series_weeks


@dataclass(frozen=True, slots=True)
class PlayTally:
    """A whole play."""

    scenario: str
    incidents: int
    incidents_found: int
    """By any of what they move."""

    labels: int
    labels_found: int
    moments: MomentTally
    sharp: Delays | None
    """Of chat spikes by three and more."""

    sharp_labels: int
    sharp_found: int


def tally_truths(play: Play) -> list[TruthTally]:
    """Return a line for each kind of incident and each metric that it moves."""
    groups: dict[tuple[str, str], list[Found]] = {}
    for each in play.found:
        metric = "channel" if each.truth.is_channel else each.truth.metric
        groups.setdefault((each.truth.kind, metric), []).append(each)
    return [
        TruthTally(play.name, kind, metric, len(group), _count_found(group), measure_delays(group))
        for (kind, metric), group in sorted(groups.items())
    ]


def tally_moments(play: Play) -> list[MomentTally]:
    """Return a line for each type of moment."""
    types = sorted({each.sighting.moment.moment_type for each in play.judged})
    return [_tally_type(play, each) for each in types]


def tally_kinds(play: Play) -> list[MomentTally]:
    """Return a line for each kind of ordinary series, which is the name of a channel."""
    weeks = play.series_weeks / len(BASES)
    kinds = (name_kind(base) for base in BASES)
    return [_tally(play, kind, _list_of_kind(play, kind), weeks) for kind in kinds]


def tally_play(play: Play) -> PlayTally:
    """Return the line of a play."""
    incidents = {each.truth.incident_id for each in play.found}
    found = {each.truth.incident_id for each in play.found if each.is_found}
    sharp = [each for each in play.found if _is_sharp(each)]
    return PlayTally(
        scenario=play.name,
        incidents=len(incidents),
        incidents_found=len(found),
        labels=len(play.found),
        labels_found=_count_found(play.found),
        moments=_tally_type(play, None),
        sharp=measure_delays(sharp),
        sharp_labels=len(sharp),
        sharp_found=_count_found(sharp),
    )


def measure_delays(found: Iterable[Found]) -> Delays | None:
    """Return the delays of what was found; None when nothing was."""
    seconds = [each.delay / timedelta(seconds=1) for each in found if each.delay is not None]
    if not seconds:
        return None
    return Delays(len(seconds), find_percentile(seconds, 50), find_percentile(seconds, 90))


def _tally_type(play: Play, moment_type: str | None) -> MomentTally:
    wanted = [
        each
        for each in play.judged
        if moment_type is None or each.sighting.moment.moment_type == moment_type
    ]
    return _tally(play, moment_type or "all", wanted, play.series_weeks)


def _list_of_kind(play: Play, kind: str) -> list[Judged]:
    return [each for each in play.judged if each.sighting.moment.metric_name == kind]


def _tally(play: Play, name: str, wanted: Sequence[Judged], weeks: float) -> MomentTally:
    withdrawn = sum(each.sighting.is_withdrawn for each in wanted)
    return MomentTally(play.name, name, len(wanted), withdrawn, _count_right(wanted), weeks)


def _count_found(found: Sequence[Found]) -> int:
    return sum(each.is_found for each in found)


def _count_right(judged: Sequence[Judged]) -> int:
    return sum(bool(each.is_right) and not each.sighting.is_withdrawn for each in judged)


def _is_sharp(found: Found) -> bool:
    truth = found.truth
    is_up = truth.metric == "chat_count" and truth.direction == "up"
    return is_up and truth.magnitude is not None and truth.magnitude >= SHARP
