"""Chat minutes: what happened in one stream in one minute, from chat messages and viewer counts.

    frame -> reduce_chat -> partial -> ChatMinutes.add_chat -> ChatMinutes.build -> full rows

Sums are of whole numbers, so that any order and any cut of the events gives the same row; only
fractional viewer counts may differ in the last bit. No I/O.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from core.chatters import EXACT_MAX as CHATTERS_EXACT_MAX
from core.chatters import Chatters, Pairs, hash_users, pair_chatters
from core.emote_counts import EmoteCounts, list_top
from core.groups import group_rows
from core.minutes import (
    MINUTE_US,
    find_minutes,
    find_series,
    join_key,
    split_minutes,
    start_minutes,
    to_times,
)
from core.names import Names
from core.open_minutes import BOOKKEEPING, Wanted, drop_rows, touch
from core.rows import Bools, Ints, Rows
from core.words import THOUSANDTHS

NO_EMOTES: Final = pl.lit([], dtype=pl.List(pl.Struct({"emote": pl.String(), "count": pl.Int64()})))

ABSENT: Final = -1


@dataclass(frozen=True, slots=True)
class ChatPartial:
    """What the chat messages of one batch add."""

    sums: pl.DataFrame
    """``key``, ``chat_count``, ``sentiment_sum`` and ``revision``."""

    chatters: Pairs
    """Keys and chatters, each pair once."""

    emotes: pl.DataFrame
    """``key``, ``emote`` and ``count``, each pair once."""


def reduce_chat(chat: pl.DataFrame, emotes: pl.DataFrame) -> ChatPartial:
    """Reduce chat messages.

    Args:
        chat: The messages with ``key``, ``offset``, ``sentiment`` in thousandths and ``row``.
        emotes: ``row`` and ``emote``: every emote in the text of a row.
    """
    keys = chat["key"].to_numpy()
    groups = group_rows(keys)
    sums = pl.DataFrame(
        {
            "key": groups.keys,
            "chat_count": groups.count_rows(),
            "sentiment_sum": groups.add(chat["sentiment"].to_numpy()),
            "revision": groups.bound(chat["offset"].to_numpy())[1],
        }
    )
    chatters = pair_chatters(keys, chat.select(hash_users(pl.col("user"))).to_series().to_numpy())
    return ChatPartial(sums, chatters, _count_emotes(chat, emotes))


def reduce_viewers(viewers: pl.DataFrame) -> pl.DataFrame:
    """Reduce viewer counts, with ``key`` and ``offset``."""
    return (
        viewers.group_by("key")
        .agg(
            viewers_sum=pl.col("value").sum(),
            viewers_count=pl.len().cast(pl.Int64),
            viewers_peak=pl.col("value").max(),
            revision=pl.col("offset").max(),
        )
        .sort("key")
    )


def _count_emotes(chat: pl.DataFrame, emotes: pl.DataFrame) -> pl.DataFrame:
    """Count the emotes that events name, and where they name none those found in the text."""
    messages = chat.select("row", "key")
    if "emotes" in chat.columns:
        unnamed = chat["emotes"].is_null()
        messages = messages.filter(unnamed)
        named = (
            chat.select("key", emote="emotes")
            .filter(~unnamed)
            .explode("emote", empty_as_null=True)
            .drop_nulls("emote")
        )
    else:
        named = pl.DataFrame(schema={"key": pl.Int64(), "emote": pl.String()})
    found = _find_messages(messages, emotes)
    if named.height:
        found = pl.concat([found, named])
    return found.group_by("key", "emote").agg(count=pl.len().cast(pl.Int64))


def _find_messages(messages: pl.DataFrame, emotes: pl.DataFrame) -> pl.DataFrame:
    """Return ``key`` and ``emote`` of the emotes whose messages are here."""
    rows, wanted = messages["row"].to_numpy(), emotes["row"].to_numpy()
    place = np.full(max(rows.max(initial=0), wanted.max(initial=0)) + 1, ABSENT)
    place[rows] = np.arange(len(rows))
    at = place[wanted]
    if (is_absent := at == ABSENT).any():
        at, emotes = at[~is_absent], emotes.filter(pl.Series(~is_absent))
    return pl.DataFrame({"key": messages["key"].gather(at), "emote": emotes["emote"]})


class ChatMinutes:
    """The open chat minutes of a shard."""

    def __init__(self) -> None:
        self.rows = Rows(
            chat_count=np.int64(0),
            sentiment_sum=np.int64(0),
            unique_chatters=np.int64(0),
            viewers_sum=np.float64(0),
            viewers_count=np.int64(0),
            viewers_peak=np.float64(np.nan),
            **BOOKKEEPING,
        )
        self._chatters: dict[int, Chatters] = {}
        self._emotes: dict[int, EmoteCounts] = {}

    @property
    def owners(self) -> Ints:
        """The stream of each row."""
        return find_series(self.rows.keys)

    def add_chat(self, partial: ChatPartial) -> None:
        """Add the messages of a batch."""
        self._add_sums(partial.sums, ["chat_count", "sentiment_sum"])
        self._add_chatters(partial.chatters)
        for minute, counts in split_minutes(partial.emotes):
            self._emotes.setdefault(minute, EmoteCounts()).add(counts)

    def add_viewers(self, partial: pl.DataFrame) -> None:
        """Add the viewer counts of a batch."""
        at = self._add_sums(partial, ["viewers_sum", "viewers_count"])
        peak = self.rows.floats("viewers_peak")
        peak[at] = np.fmax(peak[at], partial["viewers_peak"].to_numpy())

    def build(self, wanted: Wanted, watermarks: Ints, streams: Names) -> pl.DataFrame:
        """Return the full rows of the wanted minutes, as they are stored and sent."""
        keys = self.rows.keys[wanted.at]
        row = self.rows.take(wanted.at)
        begin = start_minutes(find_minutes(keys))
        series = find_series(keys)
        elapsed = np.clip((watermarks[series] - begin) / 1e6, 1.0, 60.0)
        count = row["chat_count"]
        with np.errstate(invalid="ignore", divide="ignore"):
            sentiment = row["sentiment_sum"] / (THOUSANDTHS * count)
            viewers = row["viewers_sum"] / row["viewers_count"]
        rows = pl.DataFrame(
            {
                "key": keys,
                "stream_id": streams.list_names(series),
                "minute": to_times(begin),
                "window_end": to_times(begin + MINUTE_US),
                "chat_count": count,
                "unique_chatters": row["unique_chatters"],
                "avg_sentiment": sentiment,
                "chat_rate": count / np.where(row["final"], 60.0, elapsed),
                "avg_viewers": viewers,
                "peak_viewers": row["viewers_peak"],
                "revision": row["revision"],
                "final": row["final"],
                "revised": wanted.revised,
                "watermark": to_times(watermarks[series]),
            }
        )
        return self._name_emotes(rows).with_columns(
            pl.col("avg_sentiment", "avg_viewers", "peak_viewers").fill_nan(None)
        )

    def count_minutes(self, stream: int, first: int, last: int) -> int:
        """Return how many minutes of a stream, from the first to the last, are in memory."""
        start, end = np.searchsorted(self.rows.keys, _span_keys(stream, first, last))
        return int(end - start)

    def count_emotes(self, stream: int, first: int, last: int) -> dict[str, int]:
        """Return how often each emote was used from the first to the last minute in memory."""
        counts: Counter[str] = Counter()
        for minute, known in self._emotes.items():
            if first <= minute <= last:
                counts.update(known.list_counts(*_span_keys(stream, minute, minute)[:1]))
        return dict(counts)

    def forget(self, forgotten: Bools) -> None:
        """Drop minutes that nothing can change any more."""
        drop_rows(self.rows, forgotten, self._chatters, self._emotes)

    def _add_sums(self, partial: pl.DataFrame, names: list[str]) -> Ints:
        at = self.rows.place(partial["key"].to_numpy())
        for name in names:
            self.rows[name][at] += partial[name].to_numpy()
        touch(self.rows, at, partial["revision"].to_numpy())
        return at

    def _add_chatters(self, pairs: Pairs) -> None:
        unique = self.rows.ints("unique_chatters")
        for minute, keys, users in pairs.split():
            chatters = self._chatters.setdefault(minute, Chatters())
            grown, more = chatters.add(keys, users)
            at = self.rows.place(grown)
            unique[at] += more
            for key in grown[unique[at] > CHATTERS_EXACT_MAX].tolist():
                chatters.sketch(key)
            for key, estimate in chatters.estimate().items():
                unique[self.rows.place(np.array([key]))] = estimate

    def _name_emotes(self, rows: pl.DataFrame) -> pl.DataFrame:
        minutes = np.unique(find_minutes(rows["key"].to_numpy())).tolist()
        known = [self._emotes[minute] for minute in minutes if minute in self._emotes]
        if not known:
            return rows.with_columns(top_emotes=NO_EMOTES)
        tops = list_top(known, rows["key"])
        return rows.join(tops, on="key", how="left", maintain_order="left").with_columns(
            pl.col("top_emotes").fill_null(NO_EMOTES)
        )


def _span_keys(stream: int, first: int, last: int) -> tuple[int, int]:
    """Return the key of a stream's first minute, and one beyond that of its last."""
    return join_key(stream, first), join_key(stream, last) + 1
