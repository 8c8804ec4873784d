"""Comparisons: curves of several streams and channels on one axis of time.

"bench-07/channel:cell_3_temp/max" -> Curve
rows of each curve -> line_up -> one axis, and a value or NaN for each curve at each time
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from core.extremes import Floats, pick_extremes
from core.ids import NAME_PATTERN
from core.minutes import to_micros
from core.rows import Ints

CHAT_COLUMNS: Final = (
    "chat_count",
    "unique_chatters",
    "avg_sentiment",
    "chat_rate",
    "avg_viewers",
    "peak_viewers",
    "z_score",
)
CHANNEL_COLUMNS: Final = (
    "mean",
    "min",
    "max",
    "last",
    "count",
    "stddev",
    "p50",
    "p95",
    "z_score",
)
"""What can be drawn; the first is drawn when no column is named."""

_NAME: Final = NAME_PATTERN.strip("^$")
CURVE_PATTERN: Final = (
    rf"^{_NAME}(/({'|'.join(CHAT_COLUMNS)}))?$"
    rf"|^{_NAME}/channel:{_NAME}(/({'|'.join(CHANNEL_COLUMNS)}))?$"
)
"""The same for clients, who are told beforehand what they may ask for."""

_CURVE: Final = re.compile(rf"({_NAME})(?:/channel:({_NAME}))?(?:/([a-z0-9_]+))?")


@dataclass(frozen=True, slots=True)
class Curve:
    """One column of the windows of a stream or of one of its channels."""

    stream_id: str
    channel: str | None
    column: str

    @classmethod
    def parse(cls, text: str) -> "Curve":
        """Return the curve that a text names.

        Raises:
            ValueError: It names none.
        """
        match = _CURVE.fullmatch(text)
        if match is None:
            message = "a series is STREAM, STREAM/channel:NAME, and perhaps /COLUMN after it"
            raise ValueError(message)
        stream_id, channel, column = match.groups()
        columns = CHAT_COLUMNS if channel is None else CHANNEL_COLUMNS
        if column is not None and column not in columns:
            message = f"there is no column {column}; there are {', '.join(columns)}"
            raise ValueError(message)
        return cls(stream_id, channel, column or columns[0])

    def __str__(self) -> str:
        channel = "" if self.channel is None else f"/channel:{self.channel}"
        return f"{self.stream_id}{channel}/{self.column}"


def line_up(
    rows: Mapping[Curve, Sequence[Mapping[str, Any]]], points: int
) -> tuple[Ints, dict[Curve, Floats]]:
    """Return the times at which any curve has a value, and the values of each; NaN is a gap.

    Args:
        rows: The windows of each curve, in any order.
        points: How many times are wanted at most; the peaks of the first curves survive.
    """
    times = {curve: _read_times(windows) for curve, windows in rows.items()}
    axis = np.unique(np.concatenate(list(times.values())))
    curves = {
        curve: _place(axis, times[curve], [row[curve.column] for row in windows])
        for curve, windows in rows.items()
    }
    sides = [side for values in curves.values() for side in (-values, values)]
    kept = pick_extremes(axis, sides, points)
    return axis[kept], {curve: values[kept] for curve, values in curves.items()}


def _read_times(windows: Sequence[Mapping[str, Any]]) -> Ints:
    return np.array([to_micros(row["window_start"]) for row in windows], dtype=np.int64)


def _place(axis: Ints, at: Ints, column: Sequence[float | None]) -> Floats:
    values = np.full(len(axis), np.nan)
    values[np.searchsorted(axis, at)] = np.array(column, dtype=np.float64)
    return values
