"""Last chats: the newest messages of streams in a batch, for those who look at a chat.

    said -> the last few rows of each stream that has an audience -> live message ``chat``

They are shown and forgotten: nothing keeps them, and nothing is counted from them.
"""

from typing import Final

import numpy as np
import polars as pl

from core.compiled import compiled
from core.rows import Ints

TEXT_MAX: Final = 300
"""Characters of a message that are shown: a few lines of a page."""

COLUMNS: Final = ("stream_id", "timestamp", "user", "text")


def take_last_chats(said: pl.DataFrame | None, streams: Ints, count: int) -> pl.DataFrame:
    """Return the last messages of some streams, in the order in which they came.

    Args:
        said: Chat messages, with the numbers of their streams.
        streams: Those of which they are taken.
        count: How many of each.
    """
    if said is None or said.is_empty() or not len(streams):
        return pl.DataFrame()
    told_by = said["stream"].to_numpy()
    left = np.zeros(max(told_by.max(), streams.max()) + 1, np.int64)
    left[streams] = count
    taken = np.empty(min(len(told_by), count * len(streams)), np.int64)
    rows = taken[_take_last(told_by, left, taken) :]
    return said.select(COLUMNS)[rows].with_columns(pl.col("text").str.head(TEXT_MAX))


@compiled
def _take_last(told_by: Ints, left: Ints, taken: Ints) -> int:
    """Fill an array from its end with the last rows of streams; return where they begin."""
    first = len(taken)
    row = len(told_by)
    while row and first:
        row -= 1
        stream = told_by[row]
        if left[stream]:
            left[stream] -= 1
            first -= 1
            taken[first] = row
    return first
