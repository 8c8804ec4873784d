"""Chat minutes: what happened in one stream in one minute, from chat messages and viewer counts.

    frame -> reduce_chat -> partial -> merge_chat -> open minutes -> build_chat_rows -> full rows

Sums are of whole numbers, so that any order and any cut of the events gives the same row; only
fractional viewer counts may differ in the last bit. No I/O.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from core.emotes import find_emotes
from core.events import TIMESTAMP
from core.sentiment import THOUSANDTHS, score_texts
from core.watermarks import MINUTE

TOP_EMOTES: Final = 10
"""How many emotes a row names; dashboards show five to seven."""

KEY: Final = ["stream_id", "minute"]

SUMS: Final = pl.Schema(
    {
        "stream_id": pl.String(),
        "minute": TIMESTAMP,
        "chat_count": pl.Int64(),
        "sentiment_sum": pl.Int64(),
        "viewers_sum": pl.Float64(),
        "viewers_count": pl.Int64(),
        "viewers_peak": pl.Float64(),
        "revision": pl.Int64(),
    }
)
CHATTERS: Final = pl.Schema({"stream_id": pl.String(), "chatter": pl.UInt64()})
EMOTES: Final = pl.Schema({"stream_id": pl.String(), "emote": pl.String(), "count": pl.Int64()})


@dataclass(frozen=True, slots=True)
class ChatMinutes:
    """Partial or open minutes: sums in one frame, chatters and emotes in one frame a minute.

    A batch touches one or two minutes; holding the sets by minute keeps the others out of its way.
    """

    sums: pl.DataFrame
    chatters: dict[datetime, pl.DataFrame]
    emotes: dict[datetime, pl.DataFrame]

    @classmethod
    def empty(cls) -> "ChatMinutes":
        """Return minutes in which nothing has happened."""
        return cls(sums=pl.DataFrame(schema=SUMS), chatters={}, emotes={})


def reduce_chat(frame: pl.DataFrame) -> ChatMinutes:
    """Reduce chat and viewers events, with ``minute`` and ``offset``, to partial minutes."""
    if not frame["type"].is_in(["chat", "viewers"]).any():
        return ChatMinutes.empty()
    chat = frame.filter(pl.col("type") == "chat")
    chat = chat.with_columns(
        score_texts(chat["text"]).alias("sentiment"),
        chatter=pl.col("user").hash(seed=0),
        emotes=pl.coalesce("emotes", find_emotes(pl.col("text"))),
    )
    said = chat.group_by(KEY).agg(
        chat_count=pl.len().cast(pl.Int64),
        sentiment_sum=pl.col("sentiment").sum(),
        revision=pl.col("offset").max(),
    )
    watched = (
        frame.filter(pl.col("type") == "viewers")
        .group_by(KEY)
        .agg(
            viewers_sum=pl.col("value").sum(),
            viewers_count=pl.len().cast(pl.Int64),
            viewers_peak=pl.col("value").max(),
            revision=pl.col("offset").max(),
        )
    )
    emotes = (
        chat.select(*KEY, emote=pl.col("emotes"))
        .explode("emote", empty_as_null=True)
        .drop_nulls("emote")
        .group_by(*KEY, "emote")
        .agg(count=pl.len().cast(pl.Int64))
    )
    return ChatMinutes(
        sums=_add(pl.concat([pl.DataFrame(schema=SUMS), said, watched], how="diagonal")),
        chatters=_by_minute(chat.select(*KEY, "chatter").unique()),
        emotes=_by_minute(emotes),
    )


def merge_chat(minutes: ChatMinutes, partial: ChatMinutes) -> ChatMinutes:
    """Return the minutes with a partial added."""
    if partial.sums.is_empty():
        return minutes
    return ChatMinutes(
        sums=_add(pl.concat([minutes.sums, partial.sums])),
        chatters=minutes.chatters
        | {
            minute: pl.concat([minutes.chatters.get(minute, frame.clear()), frame]).unique()
            for minute, frame in partial.chatters.items()
        },
        emotes=minutes.emotes
        | {
            minute: pl.concat([minutes.emotes.get(minute, frame.clear()), frame])
            .group_by("stream_id", "emote")
            .agg(pl.col("count").sum())
            for minute, frame in partial.emotes.items()
        },
    )


def forget_chat(minutes: ChatMinutes, forgotten: pl.DataFrame) -> ChatMinutes:
    """Return the minutes without the (stream_id, minute) rows named."""
    if forgotten.is_empty():
        return minutes
    sums = minutes.sums.join(forgotten, on=KEY, how="anti")
    return ChatMinutes(
        sums=sums,
        chatters=_drop_streams(minutes.chatters, forgotten),
        emotes=_drop_streams(minutes.emotes, forgotten),
    )


def build_chat_rows(minutes: ChatMinutes, wanted: pl.DataFrame) -> pl.DataFrame:
    """Return the full rows of the wanted minutes, as they are stored and sent.

    Args:
        minutes: The open minutes.
        wanted: ``stream_id``, ``minute``, ``watermark`` of the stream, and ``final``.
    """
    rows = wanted.join(minutes.sums, on=KEY, maintain_order="left")
    times = rows["minute"].unique().to_list()
    chatters = _with_minute(minutes.chatters, times, CHATTERS)
    counted = chatters.group_by(KEY).agg(unique_chatters=pl.len().cast(pl.Int64))
    emotes = (
        _with_minute(minutes.emotes, times, EMOTES)
        .sort(["count", "emote"], descending=[True, False])
        .group_by(KEY, maintain_order=True)
        .agg(top_emotes=pl.struct("emote", "count").head(TOP_EMOTES))
    )
    elapsed = (pl.col("watermark") - pl.col("minute")).dt.total_microseconds() / 1e6
    seconds = pl.when("final").then(60.0).otherwise(elapsed.clip(1.0, 60.0))
    no_emotes = pl.lit([], dtype=emotes.schema["top_emotes"])
    return (
        rows.join(counted, on=KEY, how="left", maintain_order="left")
        .join(emotes, on=KEY, how="left", maintain_order="left")
        .with_columns(
            pl.col("unique_chatters").fill_null(0),
            pl.col("top_emotes").fill_null(no_emotes),
            window_end=pl.col("minute") + MINUTE,
            avg_sentiment=pl.when(pl.col("chat_count") > 0).then(
                pl.col("sentiment_sum") / (THOUSANDTHS * pl.col("chat_count"))
            ),
            chat_rate=pl.col("chat_count") / seconds,
            avg_viewers=pl.when(pl.col("viewers_count") > 0).then(
                pl.col("viewers_sum") / pl.col("viewers_count")
            ),
        )
        .rename({"viewers_peak": "peak_viewers"})
    )


def _add(sums: pl.DataFrame) -> pl.DataFrame:
    return sums.group_by(KEY).agg(
        pl.col("chat_count", "sentiment_sum", "viewers_sum", "viewers_count").sum(),
        pl.col("viewers_peak").max(),
        pl.col("revision").max(),
    )


def _by_minute(frame: pl.DataFrame) -> dict[datetime, pl.DataFrame]:
    parts = frame.partition_by("minute", as_dict=True, include_key=False)
    return {key[0]: part for key, part in parts.items()}


def _drop_streams(
    frames: dict[datetime, pl.DataFrame], forgotten: pl.DataFrame
) -> dict[datetime, pl.DataFrame]:
    kept = dict(frames)
    for key, streams in forgotten.partition_by("minute", as_dict=True).items():
        if (frame := kept.pop(key[0], None)) is not None:
            left = frame.join(streams, on="stream_id", how="anti")
            if not left.is_empty():
                kept[key[0]] = left
    return kept


def _with_minute(
    frames: dict[datetime, pl.DataFrame], minutes: list[datetime], schema: pl.Schema
) -> pl.DataFrame:
    empty = pl.DataFrame(schema={**schema, "minute": TIMESTAMP})
    named = (
        frames[minute].with_columns(minute=pl.lit(minute, dtype=TIMESTAMP))
        for minute in minutes
        if minute in frames
    )
    return pl.concat([empty, *named])
