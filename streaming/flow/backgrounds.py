"""Backgrounds: what a shard keeps so that a moment can say what else was different.

    sampled messages, announced events, the levels of all metrics -> the reasons of a moment

A sample of which nothing is decided: it is no part of a snapshot, and after a restart reasons name
no words until new ones were said.
"""

from collections import deque
from datetime import timedelta
from typing import Any, Final, NamedTuple

import polars as pl

from core.chat_minutes import ChatMinutes
from core.events import fill_columns
from core.minutes import MINUTE_US, number_of, to_micros
from core.moments import Moment
from core.reasons import (
    BEFORE_MIN,
    EVENTS_MAX,
    LONGER,
    Reason,
    Said,
    rank_counts,
    rank_metrics,
    rank_words,
    tell_event,
    tell_transactions,
)
from core.rows import Bools, Floats
from core.times import EPOCH, MINUTE
from streaming.detect.levels import Levels

SAMPLES_MAX: Final = 20_000
"""Messages that a shard keeps, some three a second and stream; a few megabytes."""

SAMPLED: Final = ("stream", "at", "user", "text")

PARTS_MAX: Final = 100
"""Batches after which samples are put together; of the samples of so many more a few are kept."""

SAMPLES_READ_MAX: Final = 2_000
"""Messages of a stream that are read for the reasons of one moment."""

EVENTS_KEPT_MAX: Final = 500
"""Announced events that a shard keeps."""

RAID_BEFORE: Final = timedelta(minutes=2)
"""So long before a moment an announced event may have caused it."""

TELLING: Final = ("raid", "title_change", "category_change", "stream_start", "stream_end")


class Compared(NamedTuple):
    """A metric of a stream that may have moved too."""

    name: str
    levels: Levels
    series: int


class Background:
    """What happened lately in the streams of a shard."""

    def __init__(self) -> None:
        self._samples: list[pl.DataFrame] = []
        self._events: deque[tuple[int, int, Reason]] = deque(maxlen=EVENTS_KEPT_MAX)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the samples out of a snapshot."""
        return {**self.__dict__, "_samples": []}

    def keep_samples(self, chat: pl.DataFrame, sampled: Bools) -> None:
        """Keep some of the messages of a batch: ``stream``, ``at``, ``user`` and ``text``."""
        if not sampled.any():
            return
        kept = fill_columns(chat, SAMPLED).select(SAMPLED).filter(pl.Series(sampled))
        self._samples.append(kept)
        if len(self._samples) >= PARTS_MAX:
            self._samples = [pl.concat(self._samples).tail(SAMPLES_MAX)]

    def keep_events(self, events: pl.DataFrame) -> None:
        """Keep what a batch announces."""
        if "event" not in events.columns:
            return
        told = events.filter(pl.col("event").is_in(TELLING))
        if told.is_empty():
            return
        columns = ["stream", "at", "event", "title", "viewers"]
        for stream, at, event, title, viewers in fill_columns(told, columns).select(columns).rows():
            when = EPOCH + timedelta(microseconds=at)
            reason = tell_event(event, when, title=title, viewers=viewers)
            self._events.append((stream, at, reason))

    def explain(
        self,
        moment: Moment,
        stream: int,
        compared: list[Compared],
        chat: ChatMinutes,
        money: list[tuple[str, str, int, float]],
    ) -> list[Reason]:
        """Return what was different while a moment went on.

        Args:
            moment: Which one.
            stream: The number of its stream.
            compared: The other metrics of the stream.
            chat: The minutes of the chat, for emotes.
            money: What was given meanwhile: kind, currency, how often and how much.
        """
        start = to_micros(moment.started_at)
        # A rush may begin in the last second of a minute: what was said in it comes afterwards.
        end = to_micros(max(moment.last_at, moment.started_at) + MINUTE)
        reasons = self._list_events(stream, start, end)
        reasons += _rank_compared(compared, moment)
        reasons += tell_transactions(money)
        emotes = _rank_emotes(chat, stream, moment)
        before, during = self._read_samples(stream, start, end)
        words = rank_words(before, during, known=[each["name"] for each in emotes])
        return reasons + emotes + words

    def _list_events(self, stream: int, start: int, end: int) -> list[Reason]:
        first = start - RAID_BEFORE // timedelta(microseconds=1)
        found = [
            reason for whose, at, reason in self._events if whose == stream and first <= at <= end
        ]
        return found[-EVENTS_MAX:]

    def _read_samples(self, stream: int, start: int, end: int) -> tuple[list[Said], list[Said]]:
        since = start - LONGER * max(end - start, MINUTE_US)
        parts = [
            part.filter(pl.col("stream") == stream, pl.col("at").is_between(since, end))
            for part in self._samples
        ]
        if not parts:
            return [], []
        found = pl.concat(parts).tail(SAMPLES_READ_MAX)
        is_before = found["at"] < start
        split = [
            [Said(user or "", text or "") for user, text in part.select("user", "text").iter_rows()]
            for part in (found.filter(is_before), found.filter(~is_before))
        ]
        return split[0], split[1]


def _rank_compared(compared: list[Compared], moment: Moment) -> list[Reason]:
    first, last = number_of(moment.timestamp), number_of(moment.last_at)
    back = max(LONGER * (last - first + 1), BEFORE_MIN)
    names: list[str] = []
    before: list[Floats] = []
    during: list[Floats] = []
    for each in compared:
        names.append(each.name)
        before.append(each.levels.list_values(each.series, first - back, first - 1))
        during.append(each.levels.list_values(each.series, first, last))
    return rank_metrics(names, before, during)


def _rank_emotes(chat: ChatMinutes, stream: int, moment: Moment) -> list[Reason]:
    first, last = number_of(moment.timestamp), number_of(moment.last_at)
    count = last - first + 1
    during = chat.count_emotes(stream, first, last)
    back = LONGER * count
    before = chat.count_emotes(stream, first - back, first - 1)
    # Not all of the time before need be in memory any more.
    known = max(chat.count_minutes(stream, first - back, first - 1), 1)
    return rank_counts(
        "emote",
        {name: value / known for name, value in before.items()},
        {name: value / count for name, value in during.items()},
    )
