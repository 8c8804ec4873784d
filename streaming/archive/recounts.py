"""Recounts: minutes worked out anew from archived events, in columns.

    events of one shard -> without late ones -> without repeats -> rows as the database should hold
    them

Shares nothing with the merging code of the flow, which it is there to check; only what a text
means is read by the same function.
"""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from core.archives import ARCHIVE_SCHEMA
from core.emote_counts import TOP as TOP_EMOTES
from core.events import TIMESTAMP
from core.transaction_minutes import CURRENCY_LENGTH_MAX
from core.watermarks import LatenessPolicy
from core.words import THOUSANDTHS, read_texts
from streaming.archive.repeats import drop_repeats

MINUTE: Final = ["stream_id", "minute"]
CHANNEL: Final = ["stream_id", "channel", "minute"]
MONEY: Final = ["stream_id", "kind", "currency", "minute"]
LISTING: Final = ["stream_id", "minute", "type", "offset"]
"""What ``late_events`` names: all events of a stream, minute and type in one entry."""

LATE: Final = pl.Schema(
    {
        "stream_id": pl.String(),
        "minute": TIMESTAMP,
        "type": pl.String(),
        "offset": pl.Int64(),
        "applied_at": TIMESTAMP,
    }
)
"""Listings of late events, and since when they count; null when they do not."""

COLUMNS: Final = (
    *("stream_id", "type", "timestamp", "id", "user", "text", "emotes", "value", "channel"),
    *("unit", "kind", "amount", "currency", "offset", "row", "arrived_at"),
)

MARGIN: Final = timedelta(minutes=10)
"""An event that was sent twice may carry two times, if the door gave it them: so far around a span
repeats are looked for."""

POLICY: Final = LatenessPolicy()

RANK_ERROR_PERCENT: Final = 2
"""Quantiles of many values are estimates; so far their rank may be off."""


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
    doubtful: pl.DataFrame
    """Stream and minute of events that the flow may have taken for repeats or not."""


def recount(
    events: pl.LazyFrame, late: pl.DataFrame, span: Span, policy: LatenessPolicy = POLICY
) -> Recount:
    """Recount the minutes of a span.

    Args:
        events: Archived events of the span and ``MARGIN`` around it.
        late: ``LATE`` events.
        span: Which minutes are wanted.
        policy: How long the flow remembered an id.
    """
    rows = (
        events.select(COLUMNS).with_columns(minute=pl.col("timestamp").dt.truncate("1m")).collect()
    )
    counted, doubtful = drop_repeats(rows, _drop_late(rows, late), policy)
    wanted = _within(counted, span)
    return Recount(
        chat=_count_chat(wanted),
        readings=_count_readings(wanted.filter(pl.col("type") == "reading")),
        transactions=_count_transactions(wanted.filter(pl.col("type") == "transaction")),
        doubtful=_within(doubtful, span),
    )


def join_recounts(parts: list[Recount]) -> Recount:
    """Return the recounts of several shards as one."""
    names = [field.name for field in fields(Recount)]
    return Recount(*(pl.concat([getattr(part, name) for part in parts]) for name in names))


def empty_recount() -> Recount:
    """Return the recount of no events."""
    at = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    return recount(pl.LazyFrame(schema=ARCHIVE_SCHEMA), pl.DataFrame(schema=LATE), Span(at, at))


def keep_span(rows: Recount, span: Span) -> Recount:
    """Return the minutes of a part of a span."""
    return Recount(*(_within(getattr(rows, field.name), span) for field in fields(Recount)))


def pick_top(emotes: pl.Expr) -> pl.Expr:
    """Return the most frequent of a list of (emote, count); of equals the first by name."""
    ranked = emotes.list.eval(
        pl.element().sort_by(
            -pl.element().struct.field("count"), pl.element().struct.field("emote")
        )
    )
    return ranked.list.head(TOP_EMOTES)


def _drop_late(rows: pl.DataFrame, late: pl.DataFrame) -> pl.DataFrame:
    """Return the events that count, with ``applied_at`` when they came late and count since."""
    if late.is_empty():
        return rows.with_columns(applied_at=pl.lit(None, dtype=TIMESTAMP))
    listed = rows.join(late.with_columns(is_late=True), on=LISTING, how="left")
    return listed.filter(pl.col("is_late").is_null() | pl.col("applied_at").is_not_null())


def _within(rows: pl.DataFrame, span: Span) -> pl.DataFrame:
    start, end = (pl.lit(at, dtype=TIMESTAMP) for at in (span.start, span.end))
    return rows.filter(pl.col("minute") >= start, pl.col("minute") < end)


def _count_chat(events: pl.DataFrame) -> pl.DataFrame:
    chat = events.filter(pl.col("type") == "chat").select(
        *MINUTE, "user", "text", "emotes", "offset"
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
    value = pl.col("value")
    watched = (
        events.filter(pl.col("type") == "viewers")
        .group_by(MINUTE)
        .agg(
            avg_viewers=value.mean(),
            peak_viewers=value.max(),
            viewers_size=value.abs().max(),
            watched=pl.col("offset").max(),
        )
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
            viewers_size="viewers_size",
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


def _count_readings(readings: pl.DataFrame) -> pl.DataFrame:
    value = pl.col("value")
    spread = ((value - value.mean()) ** 2).sum() / (pl.len() - 1)
    rows = (
        readings.sort("timestamp", "offset", "row")
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
            values=value.sort(),
        )
    )
    return rows.with_columns(**_find_quantiles()).drop("values")


def _find_quantiles() -> dict[str, pl.Expr]:
    """Build the quantiles, and the values between which estimates of them may lie."""
    return {
        name + suffix: _find_rank(percent + error)
        for name, percent in (("p50", 50), ("p95", 95))
        for suffix, error in (("", 0), ("_low", -RANK_ERROR_PERCENT), ("_high", RANK_ERROR_PERCENT))
    }


def _find_rank(percent: int) -> pl.Expr:
    """Build the least of the sorted values that so many percent of all are not above."""
    rank = -(-pl.col("count") * percent // 100)
    return pl.col("values").list.get(rank.clip(lower_bound=1) - 1)


def _count_transactions(transactions: pl.DataFrame) -> pl.DataFrame:
    named = pl.col("currency").str.slice(0, CURRENCY_LENGTH_MAX).fill_null("")
    return (
        transactions.with_columns(named)
        .group_by(MONEY)
        .agg(
            count=pl.len().cast(pl.Int64),
            sum=pl.col("amount").sum(),
            size=pl.col("amount").abs().max().fill_null(0.0),
            revision=pl.col("offset").max(),
        )
    )
