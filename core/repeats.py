"""Repeats: events with an id count once, however often they are sent.

An id is remembered as long as the minute of its event may change. A repeat that comes later changes
no minute; so that it leaves no second point either, as when a sender reads the past and starts
anew, the latest ids are remembered whatever their minutes.
"""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.rows import Bools, Ints, find_sorted

IDS_A_MINUTE_MAX: Final = 250_000
"""Ids remembered for one minute of a shard, two megabytes; the repeats of more are not seen."""

LATEST_IDS_MAX: Final = 65_536
"""Latest ids of a shard that are remembered, half a megabyte: more than senders have under way."""

Ids = NDArray[np.uint64]

_NO_IDS: Final[Ids] = np.empty(0, np.uint64)


class Repeats:
    """The ids of the open minutes of a shard, and its latest ones."""

    def __init__(self) -> None:
        self._seen: dict[int, Ids] = {}
        self._latest: Ids = _NO_IDS

    def find(self, events: pl.DataFrame) -> Bools | None:
        """Tell which events that are on time are repeats; None when none is."""
        if not _has_ids(events):
            return None
        ids = _hash(events)
        repeated = _find_again(ids)
        for seen in self._seen.values():
            repeated |= find_sorted(seen, ids)[1]
        return _spread(repeated, events) if repeated.any() else None

    def find_late(self, events: pl.DataFrame, is_late: Bools) -> Bools:
        """Tell which events came late and repeat another that came before, on time or not."""
        if not _has_ids(events):
            return np.zeros(events.height, np.bool_)
        ids = _hash(events)
        return is_late & _spread(_find_again(ids) | np.isin(ids, self._latest), events)

    def remember(self, on_time: pl.DataFrame, events: pl.DataFrame) -> int:
        """Remember the ids of events that counted; return how many there was no room for.

        Args:
            on_time: Those that changed their minutes.
            events: All of them, late ones too.
        """
        if not _has_ids(events):
            return 0
        latest = _hash(events)
        self._latest = np.concatenate([self._latest, latest])[-LATEST_IDS_MAX:]
        # Nearly always all of them are on time.
        ids = latest if on_time.height == events.height else _hash(on_time)
        minutes = on_time.filter(pl.col("id").is_not_null())["minute"].to_numpy()
        unremembered = 0
        for minute in np.unique(minutes).tolist():
            seen = self._seen.get(minute, _NO_IDS)
            new = ids[minutes == minute]
            room = max(0, IDS_A_MINUTE_MAX - len(seen))
            unremembered += max(0, len(new) - room)
            self._seen[minute] = np.sort(np.concatenate([seen, new[:room]]))
        return unremembered

    def keep(self, minutes: Ints) -> None:
        """Forget the ids of all other minutes, as far as they are not among the latest."""
        kept = set(minutes.tolist())
        self._seen = {minute: ids for minute, ids in self._seen.items() if minute in kept}


def _has_ids(events: pl.DataFrame) -> bool:
    return "id" in events.columns and events["id"].null_count() < events.height


def _hash(events: pl.DataFrame) -> Ids:
    """Return the ids of the events that have one."""
    name = pl.struct("stream_id", "id").hash(seed=0)
    return events.select(name.filter(pl.col("id").is_not_null())).to_series().to_numpy()


def _find_again(ids: Ids) -> Bools:
    """Tell which ids stand there for a second time."""
    repeated = np.ones(len(ids), np.bool_)
    repeated[np.unique(ids, return_index=True)[1]] = False
    return repeated


def _spread(repeated: Bools, events: pl.DataFrame) -> Bools:
    """Tell of all events what is known of those with an id."""
    spread = np.zeros(events.height, np.bool_)
    spread[events["id"].is_not_null().to_numpy()] = repeated
    return spread
