"""Groups: changes of several shards, gathered into one frame a table.

    [changes of shard 3, of shard 5, of shard 3 again] -> Group -> one statement a table

What a shard has applied rises from changes to changes within a group, as if each had been committed
by itself. No I/O; ``db.commits`` writes what is gathered here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from core.changes import (
    CHAT_COLUMNS,
    POINT_COLUMNS,
    READING_COLUMNS,
    TRANSACTION_COLUMNS,
    Changes,
)
from core.dead_letters import DeadLetter
from core.moments import Moment

CHAT_KEY: Final = ("stream_id", "window_start")
READING_KEY: Final = ("stream_id", "channel", "window_start")
TRANSACTION_KEY: Final = ("stream_id", "kind", "currency", "window_start")

_NOTHING: Final = pl.DataFrame()


@dataclass(frozen=True, slots=True)
class Offer:
    """Changes, beside what their shard has applied before them."""

    changes: Changes
    applied: int

    @property
    def is_new(self) -> bool:
        """Whether they move the offset."""
        return self.changes.offset > self.applied

    @property
    def is_replay(self) -> bool:
        """Whether they were offered before; at the offset itself the clock may close minutes."""
        return self.changes.offset < self.applied

    def list_streams(self) -> set[str]:
        """Return the streams that they have minutes of."""
        minutes = (self.changes.chat, self.changes.readings, self.changes.transactions)
        return {name for rows in minutes for name in _list_ids(rows)}


@dataclass(frozen=True, slots=True)
class Group:
    """The changes of one transaction."""

    offers: tuple[Offer, ...]

    @classmethod
    def line_up(cls, changes: Sequence[Changes], applied: Mapping[int, int]) -> "Group":
        """Pair changes with the offset before them, given what each shard had applied."""
        reached = dict(applied)
        offers = []
        for item in changes:
            offers.append(Offer(item, reached[item.shard]))
            reached[item.shard] = max(reached[item.shard], item.offset)
        return cls(tuple(offers))

    def list_replayed_streams(self) -> list[str]:
        """Return the streams of changes that were offered before."""
        replays = (offer.list_streams() for offer in self.offers if offer.is_replay)
        return sorted(set().union(*replays))

    def gather_chat(self) -> pl.DataFrame:
        """Return the newest row of each chat minute."""
        rows = (offer.changes.chat for offer in self.offers)
        return _gather_minutes(rows, CHAT_COLUMNS, CHAT_KEY)

    def gather_readings(self) -> pl.DataFrame:
        """Return the newest row of each channel minute."""
        rows = (offer.changes.readings for offer in self.offers)
        return _gather_minutes(rows, READING_COLUMNS, READING_KEY)

    def gather_transactions(self) -> pl.DataFrame:
        """Return the newest row of each minute of transactions."""
        rows = (offer.changes.transactions for offer in self.offers)
        return _gather_minutes(rows, TRANSACTION_COLUMNS, TRANSACTION_KEY)

    def gather_points(self) -> pl.DataFrame:
        """Return the raw points that are not stored yet."""
        return _concat((_after(o.changes.points, o.applied) for o in self.offers), POINT_COLUMNS)

    def gather_late(self) -> pl.DataFrame:
        """Return what came too late and is not listed yet."""
        rows = (
            _after(offer.changes.late, offer.applied).rename(
                {"minute": "window_start", "offset": "batch_offset"}, strict=False
            )
            for offer in self.offers
        )
        return _concat(rows, ("stream_id", "window_start", "type", "events", "batch_offset"))

    def gather_streams(self) -> pl.DataFrame:
        """Return each stream that was heard of, once, with the last title it was given."""
        heard = (offer.changes.streams for offer in self.offers if offer.is_new)
        rows = _concat(heard, ("stream_id", "title", "last_event_at"))
        if rows.is_empty():
            return rows
        return (
            rows.group_by("stream_id")
            .agg(pl.col("title").drop_nulls().last(), pl.col("last_event_at").max())
            .sort("stream_id")
        )

    def gather_moments(self) -> list[Moment]:
        """Return the newest state of each moment."""
        newest: dict[str, Moment] = {}
        for moment in (moment for offer in self.offers for moment in offer.changes.moments):
            known = newest.get(moment.moment_id)
            if known is None or moment.revision >= known.revision:
                newest[moment.moment_id] = moment
        return list(newest.values())

    def gather_dead(self) -> list[tuple[int, DeadLetter]]:
        """Return the dead letters that are not listed yet, with their shards."""
        return [
            (offer.changes.shard, letter)
            for offer in self.offers
            for letter in offer.changes.dead
            if letter.offset > offer.applied
        ]

    def list_moves(self) -> dict[int, int]:
        """Return the new offset of each shard that moves."""
        return {o.changes.shard: o.changes.offset for o in self.offers if o.is_new}


def _gather_minutes(
    frames: Iterable[pl.DataFrame], columns: Sequence[str], key: Sequence[str]
) -> pl.DataFrame:
    """Return the rows of all frames; of one key the newest revision, final before running."""
    renamed = (frame.rename({"minute": "window_start"}, strict=False) for frame in frames)
    rows = _concat(renamed, columns)
    if rows.is_empty():
        return rows
    # In the order of the index, which the database then fills page by page.
    ordered = rows.sort(*key, "revision", "final")
    return ordered.unique(key, keep="last", maintain_order=True)


def _concat(frames: Iterable[pl.DataFrame], columns: Sequence[str]) -> pl.DataFrame:
    filled = [frame.select(columns) for frame in frames if not frame.is_empty()]
    return pl.concat(filled, how="vertical_relaxed") if filled else _NOTHING


def _after(rows: pl.DataFrame, applied: int) -> pl.DataFrame:
    return rows if rows.is_empty() else rows.filter(pl.col("offset") > applied)


def _list_ids(rows: pl.DataFrame) -> list[str]:
    return [] if rows.is_empty() else rows["stream_id"].unique().to_list()
