"""Messages: what producers of the original system send, into columns of raw events.

    chat         {"channel": "ada", "username": "bob", "message": "hi", "ts": 1760000000}
    viewer       {"channel_id": "ada", "viewer_count": 120}
    transactions {"channel": "ada", "type": "donation", "amount": 5, "currency": "EUR"}
    stream_meta  {"channel": "ada", "event": "title_change", "title": "Hello"}

Producers differ in how they name things, so the names are data: each of our columns lists those it
goes by, and the first that a message fills is taken. Pure; the rules for events stay in
``core.events``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import polars as pl

from core.events import META_EVENTS, RAW_SCHEMA, TRANSACTION_KINDS, RejectedRow
from streaming.connectors.kafka.fields import read_fields
from streaming.connectors.rows import decode_texts

Names: TypeAlias = Mapping[str, tuple[str, ...]]
"""Our columns, and the names that each goes by in messages."""

EMPTY: Final = "empty"

OF_ALL: Final[Names] = {
    "stream_id": ("stream_id", "channel", "channel_id", "stream", "channel_name"),
    "timestamp": ("timestamp", "ts", "time", "event_time", "created_at"),
}

_USER: Final = ("username", "user", "user_name", "display_name", "author", "user_id")

KINDS: Final[Mapping[str, str]] = {
    **{kind: kind for kind in TRANSACTION_KINDS},
    "tip": "donation",
    "donate": "donation",
    "sub": "subscription",
    "subscribe": "subscription",
    "new_sub": "subscription",
    "cheer": "bits",
    "bit": "bits",
    "gift": "gift_sub",
    "subgift": "gift_sub",
    "sub_gift": "gift_sub",
    "gifted_sub": "gift_sub",
    "resub": "renewal",
}
"""What producers call kinds of transactions; what stands here under no name is ``other``."""

HAPPENINGS: Final[Mapping[str, str]] = {
    **{event: event for event in META_EVENTS},
    "start": "stream_start",
    "online": "stream_start",
    "stream_online": "stream_start",
    "live": "stream_start",
    "end": "stream_end",
    "stop": "stream_end",
    "offline": "stream_end",
    "stream_offline": "stream_end",
    "title": "title_change",
    "title_update": "title_change",
    "title_changed": "title_change",
    "category": "category_change",
    "category_update": "category_change",
    "game_change": "category_change",
    "game_changed": "category_change",
}
"""What producers call happenings; what stands here under no name is handed on for the rules."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the messages of a topic look like."""

    type: str
    """Of the events that they become."""

    names: Names


SHAPES: Final[Mapping[str, Shape]] = {
    "chat": Shape(
        "chat",
        {
            "user": _USER,
            "text": ("message", "text", "content", "body"),
            "emotes": ("emotes",),
            "badges": ("badges",),
            "bits": ("bits",),
        },
    ),
    "viewer": Shape(
        "viewers", {"value": ("viewer_count", "viewers", "value", "count", "viewer_total")}
    ),
    "transactions": Shape(
        "transaction",
        {
            "kind": ("kind", "type", "transaction_type", "event_type"),
            "amount": ("amount", "value", "total"),
            "currency": ("currency",),
            "user": _USER,
        },
    ),
    "stream_meta": Shape(
        "meta",
        {
            "event": ("event", "event_type", "type"),
            "title": ("title", "stream_title"),
            "category": ("category", "category_name", "game", "game_name"),
            "viewers": ("viewers", "viewer_count"),
        },
    ),
}


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages of one topic, as columns."""

    topic: str
    partitions: Sequence[int]
    offsets: Sequence[int]
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    times_ms: Sequence[int]
    """When the producer or the broker says that they were sent; not above 0 where unknown."""


def read_messages(messages: Messages, shape: Shape) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Return messages as raw events with ``index``, and those that are none.

    An event's id is the place of its message, so that reading it twice counts it once.
    """
    names = {**OF_ALL, **shape.names}
    texts = [value or b"" for value in messages.values]
    fields = read_fields(texts, (name for known in names.values() for name in known))
    rejected = [
        RejectedRow(row.index, row.reason if texts[row.index] else EMPTY) for row in fields.rejected
    ]
    found = fields.fields.select(**{ours: pl.coalesce(known) for ours, known in names.items()})
    places = _read_places(messages)[fields.indexes]
    events = pl.concat([found, places], how="horizontal").with_columns(
        type=pl.lit(shape.type),
        stream_id=pl.coalesce(_filled("stream_id"), _filled("key")),
        timestamp=pl.coalesce(_filled("timestamp"), "sent"),
        **_read_words(shape.type),
    )
    events, unread = _read_numbers(events)
    known_columns = [name for name in RAW_SCHEMA if name in events.columns]
    return events.select("index", *known_columns).sort("index"), [*rejected, *unread]


def _filled(name: str) -> pl.Expr:
    """Build a column without texts that say nothing."""
    return pl.when(pl.col(name) != "").then(pl.col(name))


def _read_places(messages: Messages) -> pl.DataFrame:
    places = pl.DataFrame(
        {
            "index": pl.int_range(len(messages.values), dtype=pl.get_index_type(), eager=True),
            "key": decode_texts(messages.keys),
            "sent_ms": pl.Series(messages.times_ms, dtype=pl.Int64),
            "partition": pl.Series(messages.partitions, dtype=pl.Int32),
            "offset": pl.Series(messages.offsets, dtype=pl.Int64),
        }
    )
    return places.with_columns(
        id=pl.format("{}/{}/{}", pl.lit(messages.topic), "partition", "offset"),
        sent=pl.when(pl.col("sent_ms") > 0).then(pl.col("sent_ms").cast(pl.String)),
    )


def _read_words(event_type: str) -> dict[str, pl.Expr]:
    """Build the columns whose words are ours and theirs."""
    if event_type == "transaction":
        word = pl.col("kind").str.to_lowercase()
        other = pl.when(word.is_not_null()).then(pl.lit("other"))
        return {"kind": word.replace_strict(KINDS, default=other)}
    if event_type == "meta":
        word = pl.col("event").str.to_lowercase()
        guessed = (
            pl.when(pl.col("title").is_not_null())
            .then(pl.lit("title_change"))
            .when(pl.col("category").is_not_null())
            .then(pl.lit("category_change"))
        )
        return {"event": pl.coalesce(word.replace(HAPPENINGS), guessed)}
    return {}


def _read_numbers(events: pl.DataFrame) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Cast the columns of numbers; a row with a text that is none is named, and left out."""
    numbers = [name for name in events.columns if RAW_SCHEMA.get(name, pl.String()).is_numeric()]
    if not numbers:
        return events, []
    cast = events.with_columns(_cast(name) for name in numbers)
    wrong = [cast[name].is_null() & events[name].is_not_null() for name in numbers]
    reason = pl.coalesce(
        pl.when(is_wrong).then(pl.lit(f"{name} is not a number"))
        for name, is_wrong in zip(numbers, wrong, strict=True)
    )
    named = cast.select("index", reason=reason)
    rejected = [RejectedRow(*row) for row in named.drop_nulls("reason").iter_rows()]
    return cast.filter(named["reason"].is_null()), rejected


def _cast(name: str) -> pl.Expr:
    number = pl.col(name).str.strip_chars().cast(pl.Float64, strict=False)
    if RAW_SCHEMA[name] != pl.Int64():
        return number
    return pl.when(number == number.floor()).then(number).cast(pl.Int64, strict=False)
