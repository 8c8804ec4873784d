"""Open minutes: the minutes of one kind that may still change, whatever is counted in them.

    partial -> touch -> dirty -> settle -> wanted rows -> full rows
                          silence or events beyond the end ─► final ─► forgotten

A running minute that changed is dirty until it is written. Dirty marks are part of the state, so
that a crash between the two writes it later.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import numpy as np

from core.minutes import find_minutes
from core.rows import Bools, Ints, Rows
from core.watermarks import Watermarks

BOOKKEEPING: Final = {
    "revision": np.int64(0),
    "dirty": np.False_,
    "final": np.False_,
}
"""What is known of every minute: the offset of the last entry that touched it, whether it must be
written, and whether it is complete."""


class Minutes(Protocol):
    """The open minutes of one kind."""

    @property
    def rows(self) -> Rows:
        """What is known of each."""
        ...

    @property
    def owners(self) -> Ints:
        """The stream of each row."""
        ...

    def forget(self, forgotten: Bools) -> None:
        """Drop minutes that nothing can change any more."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rows to be written."""

    at: Ints
    revised: Bools
    """Which of them had been complete before."""


def drop_rows(rows: Rows, dropped: Bools, *parts_by_minute: MutableMapping[int, Any]) -> None:
    """Drop rows, and what else is kept of them: sets of one minute each, which ``keep`` keys."""
    minutes = set(find_minutes(rows.keys[dropped]).tolist())
    rows.keep(~dropped)
    for minute in minutes:
        keys = rows.keys[find_minutes(rows.keys) == minute]
        for parts in parts_by_minute:
            if minute in parts and len(keys):
                parts[minute].keep(keys)
            else:
                parts.pop(minute, None)


def touch(rows: Rows, at: Ints, revisions: Ints) -> None:
    """Mark rows as changed by the entries at these offsets."""
    revision = rows.ints("revision")
    revision[at] = np.maximum(revision[at], revisions)
    rows.bools("dirty")[at] = True


def settle(
    rows: Rows, owners: Ints, watermarks: Watermarks, now: datetime, *, with_running: bool
) -> Wanted:
    """Find out which rows are complete by now, and take those that must be written.

    Args:
        rows: The open minutes.
        owners: The stream of each row.
        watermarks: The times of the streams.
        now: The time of arrival, or the wall clock when nothing arrives.
        with_running: Whether minutes that are not complete are due to be written too.
    """
    was_final = rows.bools("final")
    over = ~was_final & watermarks.is_complete(owners, find_minutes(rows.keys), now)
    due = rows.bools("dirty") & (was_final if not with_running else True)
    at = np.flatnonzero(over | due)
    wanted = Wanted(at, was_final[at])
    was_final[over] = True
    rows.bools("dirty")[at] = False
    return wanted


def has_running(rows: Rows) -> bool:
    """Tell whether the clock may still have something to complete or to write."""
    return not rows.bools("final").all() or bool(rows.bools("dirty").any())
