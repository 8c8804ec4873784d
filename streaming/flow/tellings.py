"""Tellings: which streams the database must hear of, and when.

A stream is told when it is new, when it gets a title, when a minute of it is complete, and else
once in a while: its last event moves with every batch.
"""

from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from core.minutes import to_micros, to_times
from core.names import Names
from core.rows import Ints, Rows
from core.watermarks import NEVER, Arrival

TELL_EVERY: Final = timedelta(seconds=5)
"""A stream counts as live for a minute after its last event; that it is known five seconds late
changes nothing."""


class Tellings:
    """What was told of the streams of a shard, and what was not yet."""

    def __init__(self, streams: Names) -> None:
        self._streams = streams
        self._rows = Rows(last_at=np.int64(NEVER), told_at=np.int64(NEVER), is_untold=np.False_)
        self._titles: dict[int, str] = {}

    @property
    def is_due(self) -> bool:
        """Whether anything is untold."""
        return bool(self._rows.bools("is_untold").any())

    def note(self, arrival: Arrival, events: pl.DataFrame) -> None:
        """Remember what a batch says of its streams."""
        at = self._rows.place(arrival.streams)
        last_at = self._rows.ints("last_at")
        last_at[at] = np.maximum(last_at[at], arrival.last_at)
        self._rows.bools("is_untold")[at] = True
        if "title" in events.columns:
            titled = events.filter((pl.col("type") == "meta") & pl.col("title").is_not_null())
            self._titles.update(titled.select("stream", "title").iter_rows())

    def tell(self, completed: Ints, now: datetime) -> pl.DataFrame:
        """Return the streams that are due, those with completed minutes among them."""
        if not self.is_due:
            return pl.DataFrame()
        rows, now_us = self._rows, to_micros(now)
        due = rows.ints("told_at") + TELL_EVERY // timedelta(microseconds=1) <= now_us
        if len(completed):
            due |= np.isin(rows.keys, completed)
        if self._titles:
            due |= np.isin(rows.keys, list(self._titles))
        at = np.flatnonzero(due & rows.bools("is_untold"))
        if not len(at):
            return pl.DataFrame()
        rows.ints("told_at")[at] = now_us
        rows.bools("is_untold")[at] = False
        streams = rows.keys[at]
        titles = [self._titles.pop(stream, None) for stream in streams.tolist()]
        return pl.DataFrame(
            {
                "stream_id": self._streams.list_names(streams),
                "title": pl.Series(titles, dtype=pl.String),
                "last_event_at": to_times(rows.ints("last_at")[at]),
            }
        )
