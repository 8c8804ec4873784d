"""Repeats: events with an id count once, however often they are sent.

An id is remembered as long as the minute of its event may change; after that a repeat is late and
changes nothing anyway.
"""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.rows import Bools, Ints, find_sorted

IDS_A_MINUTE_MAX: Final = 250_000
"""Ids remembered for one minute of a shard, two megabytes; the repeats of more are not seen."""


class Repeats:
    """The ids of the open minutes of a shard."""

    def __init__(self) -> None:
        self._seen: dict[int, NDArray[np.uint64]] = {}

    def find(self, events: pl.DataFrame) -> Bools | None:
        """Tell which events are repeats; None when none is."""
        if "id" not in events.columns or events["id"].null_count() == events.height:
            return None
        known = events["id"].is_not_null().to_numpy()
        ids = _hash(events)[known]
        repeated = np.ones(len(ids), np.bool_)
        repeated[np.unique(ids, return_index=True)[1]] = False
        for seen in self._seen.values():
            repeated |= find_sorted(seen, ids)[1]
        if not repeated.any():
            return None
        repeats = np.zeros(events.height, np.bool_)
        repeats[known] = repeated
        return repeats

    def remember(self, events: pl.DataFrame) -> int:
        """Remember the ids of events that counted; return how many there was no room for."""
        if "id" not in events.columns:
            return 0
        named = events.filter(pl.col("id").is_not_null())
        ids, minutes = _hash(named), named["minute"].to_numpy()
        unremembered = 0
        for minute in np.unique(minutes).tolist():
            seen = self._seen.get(minute, np.empty(0, np.uint64))
            new = ids[minutes == minute]
            room = max(0, IDS_A_MINUTE_MAX - len(seen))
            unremembered += max(0, len(new) - room)
            self._seen[minute] = np.sort(np.concatenate([seen, new[:room]]))
        return unremembered

    def keep(self, minutes: Ints) -> None:
        """Forget the ids of all other minutes."""
        kept = set(minutes.tolist())
        self._seen = {minute: ids for minute, ids in self._seen.items() if minute in kept}


def _hash(events: pl.DataFrame) -> NDArray[np.uint64]:
    return events.select(pl.struct("stream_id", "id").hash(seed=0)).to_series().to_numpy()
