"""Chats: messages, viewers and mood of minutes, judged."""

from datetime import timedelta
from typing import Final

import numpy as np
import polars as pl

from core.baselines import BaselinePolicy
from core.open_minutes import Wanted
from core.rows import Bools, Floats, Ints, Rows
from core.watermarks import Watermarks
from core.words import THOUSANDTHS
from streaming.detect.levels import Levels, Minutes
from streaming.detect.novelties import Novelties
from streaming.flow.judges.base import (
    Judgements,
    Picked,
    combine,
    expect_counts,
    find_lived,
    find_news,
    pick,
)

SENTIMENT_STRAY: Final = 0.6
"""How far single messages stray in their mood."""

MESSAGES_MIN: Final = 8
"""Of fewer messages the mood says nothing."""

VIEWER_COUNTS_MIN: Final = 2
"""Of a running minute: one count alone may be a slip."""


def expect_viewers(expected: Floats) -> Floats:
    """Return the least spread of viewer counts: that of chance, or two in a hundred."""
    return np.maximum(expect_counts(expected), 0.02 * np.abs(expected))


def expect_moods(expected: Floats) -> Floats:
    """Return the least spread of moods; that of few messages is added to it."""
    return np.full(len(expected), 0.02)


class ChatJudge:
    """Judges messages, viewers and mood."""

    def __init__(self, policy: BaselinePolicy, *, reopened: timedelta) -> None:
        self.counts = Levels(policy, expect_counts, reopened=reopened)
        self.viewers = Levels(policy, expect_viewers, reopened=reopened)
        self.moods = Levels(policy, expect_moods, reopened=reopened)
        self._novel_counts = Novelties()
        self._novel_viewers = Novelties()

    @property
    def levels(self) -> tuple[Levels, ...]:
        """Everything that has a policy."""
        return self.counts, self.viewers, self.moods

    def judge(
        self, rows: Rows, wanted: Wanted, watermarks: Watermarks
    ) -> tuple[dict[str, pl.Series], list[Judgements]]:
        """Return what is stored beside the counts, and all judgements."""
        picked = pick(rows, wanted)
        row = rows.take(wanted.at)
        counts = row["chat_count"].astype(np.float64)
        lived = find_lived(picked, picked.series, watermarks, self.counts)
        stored, of_counts = self._judge_counts(picked, counts, lived)
        return stored, [of_counts, self._judge_viewers(picked, row), self._judge_moods(picked, row)]

    def forget(self, streams: Ints) -> None:
        """Drop what is known of streams."""
        for levels in self.levels:
            levels.forget(streams)
        self._novel_counts.forget(streams)
        self._novel_viewers.forget(streams)

    def _judge_counts(
        self, picked: Picked, counts: Floats, lived: Bools
    ) -> tuple[dict[str, pl.Series], Judgements]:
        minutes = Minutes(picked.series, picked.minutes, counts, picked.final)
        levelled = self.counts.judge(minutes)
        # A running minute is still filling up: that it lies below what is expected says nothing.
        is_less = levelled.z_scores < 0
        z_scores = np.where(is_less & ~picked.final, np.nan, levelled.z_scores)
        levelled = levelled._replace(z_scores=np.where(is_less & ~lived, np.nan, z_scores))
        whole = np.where(lived | ~is_less, np.sqrt(counts), np.nan)
        novel = find_news(self._novel_counts, picked, whole)
        judged = combine(picked, counts, levelled, novel._replace(usual=novel.usual**2))
        stored = {
            "z_score": pl.Series(z_scores).fill_nan(None),
            "is_anomaly": pl.Series(levelled.scores >= 1),
        }
        return stored, Judgements("chat_count", "chat_spike", "chat_drop", **judged)

    def _judge_viewers(self, picked: Picked, row: dict[str, Floats]) -> Judgements:
        enough = picked.final | (row["viewers_count"] >= VIEWER_COUNTS_MIN)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.where(enough, row["viewers_sum"] / row["viewers_count"], np.nan)
        minutes = Minutes(picked.series, picked.minutes, values, picked.final)
        levelled = self.viewers.judge(minutes)
        novel = find_news(self._novel_viewers, picked, values)
        judged = combine(picked, values, levelled, novel)
        return Judgements("avg_viewers", "viewer_spike", "viewer_drop", **judged)

    def _judge_moods(self, picked: Picked, row: dict[str, Floats]) -> Judgements:
        counts = row["chat_count"]
        enough = picked.final & (counts >= MESSAGES_MIN)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.where(enough, row["sentiment_sum"] / (THOUSANDTHS * counts), np.nan)
            chance = np.where(counts > 0, SENTIMENT_STRAY / np.sqrt(counts), np.nan)
        minutes = Minutes(picked.series, picked.minutes, values, picked.final)
        levelled = self.moods.judge(minutes, widened=chance)
        judged = combine(picked, values, levelled, None)
        return Judgements("avg_sentiment", "sentiment_shift", "sentiment_shift", **judged)
