"""Base: what all judges share.

    rows that are written -> level of the hour before, novelty of all that was -> stored z-scores
                                                                              └-> judgements

One judge a kind beside this one: it says what of a minute is judged, how far chance alone makes it
stray, and what a moment of it is called.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from core.minutes import MINUTE_US, find_minutes, find_series, start_minutes
from core.moments import MomentType
from core.novelties import TRAITS
from core.open_minutes import Wanted
from core.rows import Bools, Floats, Ints, Rows
from core.verdicts import NOTHING, Asked, Verdicts
from core.watermarks import Watermarks
from streaming.detect.levels import Levelled, Levels
from streaming.detect.novelties import Novelties

SCATTER: Final = -2
"""Stands for how far single values of a minute lie apart, where a trait would stand."""

RUNNING_SHARE: Final = 0.8
"""Of the score of a running minute: it is judged many times."""


@dataclass(frozen=True, slots=True)
class Judgements:
    """Columns of what was judged of one metric; those of one series in the order of time."""

    metric: str | None
    """None where each series is a channel of its own."""

    up: MomentType | None
    down: MomentType | None
    """What a moment is called; None where that is nothing unusual."""

    series: Ints
    minutes: Ints
    values: Floats
    expected: Floats
    spread: Floats
    z_scores: Floats
    thresholds: Floats
    scores: Floats
    telling: Ints
    """The trait that told, -1 for the level, ``SCATTER``."""

    higher: Bools
    """Of the trait."""

    final: Bools
    revised: Bools
    """Complete before already, and changed by late events."""

    revisions: Ints

    def tell(self, index: int) -> str:
        """Return in words what told of a row."""
        if self.telling[index] == NOTHING:
            return "level"
        if self.telling[index] == SCATTER:
            return "readings scatter more than usual"
        trait = TRAITS[self.telling[index]]
        return trait.higher if self.higher[index] else trait.lower


@dataclass(frozen=True, slots=True)
class Picked:
    """Rows of open minutes that are judged."""

    series: Ints
    minutes: Ints
    final: Bools
    fresh: Bools
    """Complete for the first time."""

    revisions: Ints


def pick(rows: Rows, wanted: Wanted) -> Picked:
    """Return what is known of the wanted rows of any kind."""
    keys = rows.keys[wanted.at]
    final = rows.bools("final")[wanted.at]
    return Picked(
        find_series(keys),
        find_minutes(keys),
        final,
        final & ~wanted.revised,
        rows.ints("revision")[wanted.at],
    )


def find_lived(picked: Picked, owners: Ints, watermarks: Watermarks, levels: Levels) -> Bools:
    """Tell which minutes their stream lived through, from the beginning to the end.

    In the minute in which it falls silent or comes back, less happens than usual, and that is
    nothing unusual.
    """
    end = start_minutes(picked.minutes) + MINUTE_US
    lived = watermarks.newest[owners] >= end
    doubtful = lived & picked.final
    if doubtful.any():
        before = picked.minutes[doubtful] - 1
        lived[doubtful] = levels.histories.knows(picked.series[doubtful], before)
    return lived


def expect_counts(expected: Floats) -> Floats:
    """Return the least spread of counts: that of chance."""
    return np.maximum(np.sqrt(np.abs(expected)), 1.0)


def find_news(novelties: Novelties, picked: Picked, values: Floats) -> Verdicts:
    """Return what minutes that are complete for the first time tell; nothing of all others."""
    fresh = picked.fresh
    times = start_minutes(picked.minutes) // 1_000_000
    asked = Asked(picked.series[fresh], times[fresh], values[fresh])
    said = novelties.update(asked)
    count = len(values)
    spread = Verdicts(
        np.zeros(count),
        np.full(count, NOTHING, np.int64),
        np.zeros(count, np.bool_),
        np.zeros(count, np.int64),
        np.full(count, np.nan),
    )
    for whole, part in zip(spread, said, strict=True):
        whole[fresh] = part
    return spread


def combine(
    picked: Picked, values: Floats, levelled: Levelled, novel: Verdicts | None
) -> dict[str, Any]:
    """Return the columns of judgements: the higher of two scores, and what told it."""
    scores = np.where(picked.final, 1.0, RUNNING_SHARE) * levelled.scores
    expected = levelled.expected
    telling = np.full(len(scores), NOTHING, np.int64)
    higher = np.zeros(len(scores), np.bool_)
    if novel is not None:
        is_news = novel.scores > scores
        scores = np.where(is_news, novel.scores, scores)
        telling = np.where(is_news, novel.telling, NOTHING)
        higher = novel.higher
        expected = np.where(np.isnan(expected), novel.usual, expected)
    return {
        "series": picked.series,
        "minutes": picked.minutes,
        "values": values,
        "expected": expected,
        "spread": levelled.spread,
        "z_scores": levelled.z_scores,
        "thresholds": levelled.thresholds,
        "scores": scores,
        "telling": telling,
        "higher": higher,
        "final": picked.final,
        "revised": picked.final & ~picked.fresh,
        "revisions": picked.revisions,
    }
