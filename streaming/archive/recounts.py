"""Recounts: minutes worked out anew from archived events, in columns.

    events of one shard -> without repeats and late ones -> rows as the database should hold them

Shares nothing with the merging code of the flow, which it is there to check; only what a text
means is read by the same function.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from core.emote_counts import TOP as TOP_EMOTES
from core.events import TIMESTAMP
from core.words import THOUSANDTHS, read_texts

MINUTE: Final = ["stream_id", "minute"]
CHANNEL: Final = ["stream_id", "channel", "minute"]
MONEY: Final = ["stream_id", "kind", "currency", "minute"]
LISTING: Final = ["stream_id", "minute", "type", "offset"]
"""What ``late_events`` names: all events of a stream, minute and type in one entry."""

MARGIN: Final = timedelta(minutes=5)
"""A message that was sent twice may carry two times, if the door gave it them: so far around a
span repeats are looked for."""


@dataclass(frozen=True, slots=True)
class Span:
    """The minutes that are recounted."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Recount:
    """Minutes as the archive tells them; ``revision`` is the newest offset that counts."""

    chat: pl.DataFrame
    readings: pl.DataFrame
    transactions: pl.DataFrame


def recount(events: pl.LazyFrame, late: pl.DataFrame, span: Span) -> Recount:
    """Recount the minutes of a span.

    Args:
        events: Archived events of the span and ``MARGIN`` around it.
        late: ``LISTING`` of what does not count.
        span: Which minutes are wanted.
    """
    dated = events.with_columns(minute=pl.col("timestamp").dt.truncate("1m"))
    counted = dated.join(late.lazy().select(LISTING), on=LISTING, how="anti")
    return Recount(
        chat=_count_chat(_within(_drop_repeats(counted), span)),
        readings=_count_readings(_within(_drop_repeats(counted), span)),
        # A transaction is stored however late it comes.
        transactions=_count_transactions(_within(_drop_repeats(dated), span)),
    )


def join_recounts(parts: list[Recount]) -> Recount:
    """Return the recounts of several shards as one."""
    return Recount(
        chat=pl.concat([part.chat for part in parts]),
        readings=pl.concat([part.readings for part in parts]),
        transactions=pl.concat([part.transactions for part in parts]),
    )


def empty_recount() -> Recount:
    """Return the recount of no events."""
    nothing = pl.LazyFrame(
        schema={
            "stream_id": pl.String(),
            "type": pl.String(),
            "timestamp": TIMESTAMP,
            **dict.fromkeys(
                ("id", "user", "text", "channel", "unit", "kind", "currency"), pl.String()
            ),
            "emotes": pl.List(pl.String),
            **dict.fromkeys(("value", "amount"), pl.Float64()),
            "offset": pl.Int64(),
            "row": pl.Int32(),
        }
    )
    late = pl.DataFrame(
        schema={
            "stream_id": pl.String(),
            "minute": TIMESTAMP,
            "type": pl.String(),
            "offset": pl.Int64(),
        }
    )
    at = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    return recount(nothing, late, Span(at, at))


def pick_top(emotes: pl.Expr) -> pl.Expr:
    """Return the most frequent of a list of (emote, count); of equals the first by name."""
    ranked = emotes.list.eval(
        pl.element().sort_by(
            -pl.element().struct.field("count"), pl.element().struct.field("emote")
        )
    )
    return ranked.list.head(TOP_EMOTES)


def _drop_repeats(events: pl.LazyFrame) -> pl.LazyFrame:
    named = events.filter(pl.col("id").is_not_null())
    first = named.sort("offset", "row").unique(subset=["stream_id", "id"], keep="first")
    return pl.concat([events.filter(pl.col("id").is_null()), first])


def _within(events: pl.LazyFrame, span: Span) -> pl.LazyFrame:
    start, end = (pl.lit(at, dtype=TIMESTAMP) for at in (span.start, span.end))
    return events.filter(pl.col("minute") >= start, pl.col("minute") < end)


def _count_chat(events: pl.LazyFrame) -> pl.DataFrame:
    chat = (
        events.filter(pl.col("type") == "chat")
        .select(*MINUTE, "user", "text", "emotes", "offset")
        .collect()
    )
    words = read_texts(chat["text"])
    said = (
        chat.with_columns(words.sentiment.alias("sentiment"))
        .group_by(MINUTE)
        .agg(
            chat_count=pl.len().cast(pl.Int64),
            unique_chatters=pl.col("user").n_unique().cast(pl.Int64),
            sentiment=pl.col("sentiment").sum(),
            said=pl.col("offset").max(),
        )
    )
    watched = (
        events.filter(pl.col("type") == "viewers")
        .group_by(MINUTE)
        .agg(
            avg_viewers=pl.col("value").mean(),
            peak_viewers=pl.col("value").max(),
            watched=pl.col("offset").max(),
        )
        .collect()
    )
    emotes = _count_emotes(chat, words.emotes)
    return (
        said.join(watched, on=MINUTE, how="full", coalesce=True)
        .join(emotes, on=MINUTE, how="left")
        .select(
            *MINUTE,
            pl.col("chat_count", "unique_chatters").fill_null(0),
            avg_sentiment=pl.col("sentiment") / (THOUSANDTHS * pl.col("chat_count")),
            avg_viewers="avg_viewers",
            peak_viewers="peak_viewers",
            emotes=pl.col("emotes").fill_null(pl.lit([], dtype=emotes.schema["emotes"])),
            revision=pl.max_horizontal("said", "watched"),
        )
    )


def _count_emotes(chat: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Count every emote of a minute: those that the sender named, else those in the text."""
    rows = chat.select(*MINUTE, "emotes").with_row_index("row")
    named = (
        rows.filter(pl.col("emotes").is_not_null())
        .select(*MINUTE, emote=pl.col("emotes"))
        .explode("emote", empty_as_null=True)
    )
    in_text = rows.filter(pl.col("emotes").is_null()).join(
        found.with_columns(pl.col("row").cast(pl.get_index_type())), on="row"
    )
    return (
        pl.concat([named, in_text.select(*MINUTE, "emote")])
        .drop_nulls("emote")
        .group_by(*MINUTE, "emote")
        .agg(count=pl.len().cast(pl.Int64))
        .group_by(MINUTE)
        .agg(emotes=pl.struct("emote", "count"))
    )


def _count_readings(events: pl.LazyFrame) -> pl.DataFrame:
    value = pl.col("value")
    spread = ((value - value.mean()) ** 2).sum() / (pl.len() - 1)
    return (
        events.filter(pl.col("type") == "reading")
        .sort("timestamp", "offset", "row")
        .group_by(CHANNEL, maintain_order=True)
        .agg(
            count=pl.len().cast(pl.Int64),
            mean=value.mean(),
            min=value.min(),
            max=value.max(),
            stddev=pl.when(pl.len() > 1).then(spread.sqrt()).otherwise(0.0),
            last=value.last(),
            last_at=pl.col("timestamp").last(),
            unit=pl.col("unit").drop_nulls().last(),
            revision=pl.col("offset").max(),
        )
        .collect()
    )


def _count_transactions(events: pl.LazyFrame) -> pl.DataFrame:
    return (
        events.filter(pl.col("type") == "transaction")
        .group_by(MONEY)
        .agg(
            count=pl.len().cast(pl.Int64),
            # As SQL has it: the sum of nothing is nothing.
            amount=pl.when(pl.col("amount").count() > 0).then(pl.col("amount").sum()),
            revision=pl.col("offset").max(),
        )
        .collect()
    )
