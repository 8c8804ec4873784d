"""Partials: what one batch brings, before anything is changed by it.

    prepared -> number -> late ones apart -> repeats out -> one partial a kind of minute

Everything that touches single events happens here, in columns. ``streaming.flow.shards`` merges.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from core.batches import Batch, bury_entry
from core.changes import POINT_COLUMNS
from core.chat_minutes import ChatPartial, reduce_chat, reduce_viewers
from core.dead_letters import DeadLetter
from core.events import TIMESTAMP, fill_columns
from core.minutes import make_key, number_minute, start_minute
from core.names import Names, Series
from core.reading_minutes import reduce_readings
from core.repeats import Repeats
from core.times import EPOCH
from core.transaction_minutes import name_currency, reduce_transactions
from core.watermarks import Arrival, Watermarks
from core.words import feel_texts
from streaming.flow.preparations import Prepared

NOTHING: Final = pl.DataFrame()
"""Stands for rows of any kind: most batches have no more than two kinds."""

POINT_TYPES: Final = ("viewers", "reading", "transaction")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The numbers of everything that has minutes."""

    streams: Names
    channels: Series
    ledgers: Series
    """The transactions of one kind and currency."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What the readings of one batch add."""

    sums: pl.DataFrame
    values: pl.DataFrame
    """``key``, ``series``, ``at``, ``arrived`` and ``value`` of each."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What one batch brings; nothing at all, unless told."""

    offset: int
    arrived_at: datetime
    events: pl.DataFrame = field(default_factory=pl.DataFrame)
    """All but repeats."""

    on_time: pl.DataFrame = field(default_factory=pl.DataFrame)
    late: pl.DataFrame = field(default_factory=pl.DataFrame)
    arrival: Arrival | None = None
    chat: ChatPartial | None = None
    viewers: pl.DataFrame | None = None
    readings: Readings | None = None
    transactions: pl.DataFrame | None = None
    said: pl.DataFrame | None = None
    """The chat messages as they came."""

    watched: pl.DataFrame | None = None
    """The viewer counts as they came."""

    dead: tuple[DeadLetter, ...] = ()

    @property
    def newest_at(self) -> datetime | None:
        """The time of the newest event, by its own clock."""
        if self.arrival is None:
            return None
        return EPOCH + timedelta(microseconds=int(self.arrival.last_at.max()))


def reduce_events(
    prepared: Prepared, catalogue: Catalogue, repeats: Repeats, watermarks: Watermarks
) -> Partial:
    """Reduce events against what is known; nothing but new numbers for names is changed."""
    decoded = prepared.decoded
    if not decoded.events.height:
        return Partial(decoded.offset, decoded.arrived_at, dead=decoded.dead)
    events = decoded.events.with_columns(
        stream=catalogue.streams.number(decoded.events["stream_id"]),
        at=pl.col("timestamp").to_physical(),
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
    ).with_columns(minute=number_minute(pl.col("at")))
    emotes = NOTHING
    if prepared.texts is not None:
        sentiment, emotes = feel_texts(prepared.texts)
        events = events.with_columns(sentiment)
    arrival = watermarks.judge(events, len(catalogue.streams))
    late = None if arrival.late is None else events.filter(arrival.late)
    on_time = events if arrival.late is None else events.filter(~arrival.late)
    if (repeated := repeats.find(on_time)) is not None:
        on_time = on_time.filter(~pl.Series(repeated))
    events, listed = on_time, NOTHING
    if late is not None:
        marked = [on_time.with_columns(is_late=False), late.with_columns(is_late=True)]
        events = pl.concat(marked).sort("row")
        is_late = events["is_late"].to_numpy()
        is_repeat = pl.Series("is_repeat", repeats.find_late(events, is_late))
        listed = _count_late(events.with_columns(is_repeat).filter("is_late"))
        events = events.filter(~is_repeat).drop("is_late")
    parts = _split_types(on_time)
    chat, viewers = (_add_key(parts.get(name)) for name in ("chat", "viewers"))
    return Partial(
        offset=decoded.offset,
        arrived_at=decoded.arrived_at,
        events=events,
        on_time=on_time,
        late=listed,
        arrival=arrival,
        chat=None if chat is None else reduce_chat(chat, emotes),
        viewers=None if viewers is None else reduce_viewers(viewers),
        readings=_reduce_readings(parts.get("reading"), catalogue.channels),
        transactions=_reduce_transactions(parts.get("transaction"), catalogue.ledgers),
        said=parts.get("chat"),
        watched=parts.get("viewers"),
        dead=decoded.dead,
    )


def bury_batch(batch: Batch, error: BaseException) -> Partial:
    """Return what is left of a batch of one entry that cannot be reduced."""
    entry = batch.entries[0]
    reason = f"{type(error).__name__}: {error}"
    return Partial(batch.offset, batch.arrived_at, dead=(bury_entry(entry, reason),))


def list_points(events: pl.DataFrame) -> pl.DataFrame:
    """Return the events that have a table of their own."""
    if not events.height:
        return NOTHING
    points = events.filter(pl.col("type").is_in(POINT_TYPES))
    if not points.height:
        return NOTHING
    return fill_columns(points, POINT_COLUMNS).select(*POINT_COLUMNS, "offset")


def _add_key(part: pl.DataFrame | None) -> pl.DataFrame | None:
    return None if part is None else part.with_columns(key=make_key("stream"))


def _split_types(events: pl.DataFrame) -> dict[str, pl.DataFrame]:
    types = events["type"].unique().to_list()
    if len(types) == 1:
        return {types[0]: events}
    return {name: events.filter(pl.col("type") == name) for name in types}


def _reduce_readings(part: pl.DataFrame | None, channels: Series) -> Readings | None:
    if part is None:
        return None
    numbered = part.with_columns(series=channels.number(part, ["channel"]))
    keyed = numbered.with_columns(key=make_key())
    return Readings(reduce_readings(keyed), keyed.select("key", "series", "at", "arrived", "value"))


def _reduce_transactions(part: pl.DataFrame | None, ledgers: Series) -> pl.DataFrame | None:
    if part is None:
        return None
    filled = fill_columns(part, ["amount", "currency"]).with_columns(
        name_currency(pl.col("currency"))
    )
    numbered = filled.with_columns(series=ledgers.number(filled, ["kind", "currency"]))
    return reduce_transactions(numbered.with_columns(key=make_key()))


def _count_late(late: pl.DataFrame) -> pl.DataFrame:
    """Return how many late events came in which entry for which minute of which stream.

    Repeats are not counted. Where there is nothing else the place is listed all the same: the
    archive has them, and must not take them for events on time.
    """
    return (
        late.group_by("stream_id", "minute", "type", "offset")
        .agg(events=(~pl.col("is_repeat")).sum().cast(pl.Int64))
        .with_columns(minute=start_minute(pl.col("minute")).cast(TIMESTAMP))
    )
