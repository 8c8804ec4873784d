"""Matches: moments beside truths, and what the two say of each other.

moment hits truth     same stream, metric or channel, overlapping, not the other way
truth found           hit by a moment that was confirmed
moment right          it hits a truth, or is about something else that the same incident moved
moment wrong          it does neither, where all that happened is known, or somebody said so
moment unjudged       nobody knows
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from streaming.backtest.rehearsals import Sighting
from streaming.backtest.truths import Truth


@dataclass(frozen=True, slots=True)
class Found:
    """A truth, and the moments that told of it, the first shown first."""

    truth: Truth
    sightings: tuple[Sighting, ...]

    @property
    def is_found(self) -> bool:
        """Whether any did."""
        return bool(self.sightings)

    @property
    def delay(self) -> timedelta | None:
        """From its start until it was shown; None if it was not, or something was shown before."""
        if not self.sightings:
            return None
        delay = self.sightings[0].opened_at - self.truth.started_at
        return delay if delay >= timedelta(0) else None


@dataclass(frozen=True, slots=True)
class Judged:
    """A moment, and whether it was right; None when nobody knows."""

    sighting: Sighting
    is_right: bool | None


def find_truths(sightings: Iterable[Sighting], truths: Sequence[Truth]) -> list[Found]:
    """Return each truth with the confirmed moments that told of it."""
    by_stream = _group(each for each in sightings if not each.is_withdrawn)
    return [_find(truth, by_stream.get(truth.stream_id, ())) for truth in truths if truth.is_true]


def judge_sightings(
    sightings: Iterable[Sighting], truths: Sequence[Truth], *, is_all_known: bool
) -> list[Judged]:
    """Judge each moment.

    Args:
        sightings: The moments.
        truths: What happened.
        is_all_known: Whether what no truth tells of did not happen.
    """
    by_stream: dict[str, list[Truth]] = defaultdict(list)
    for truth in truths:
        by_stream[truth.stream_id].append(truth)
    return [
        Judged(each, _judge(each, by_stream.get(each.moment.stream_id, ()), is_all_known))
        for each in sightings
    ]


def _find(truth: Truth, sightings: Iterable[Sighting]) -> Found:
    hits = [
        each for each in sightings if truth.overlaps(each.moment) and truth.is_told_by(each.moment)
    ]
    return Found(truth, tuple(sorted(hits, key=lambda each: each.opened_at)))


def _judge(sighting: Sighting, truths: Iterable[Truth], is_all_known: bool) -> bool | None:
    moment = sighting.moment
    near = [truth for truth in truths if truth.overlaps(moment) and truth.is_near(moment)]
    if any(truth.is_true and truth.is_told_by(moment) for truth in near):
        return True
    # What somebody said of this very type weighs more than what else was going on.
    if any(not truth.is_true for truth in near) or any(truth.contradicts(moment) for truth in near):
        return False
    if near:
        return True
    return False if is_all_known else None


def _group(sightings: Iterable[Sighting]) -> dict[str, list[Sighting]]:
    by_stream: dict[str, list[Sighting]] = defaultdict(list)
    for each in sightings:
        by_stream[each.moment.stream_id].append(each)
    return by_stream
