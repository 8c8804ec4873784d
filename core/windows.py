"""Windows in columns: what rows of metrics are made of, for files and for charts.

    rows -> to_frame -> CSV, Arrow
    curves -> pick -> the starts of so many rows that every peak is still there

``db.windows`` reads the rows, ``api.metrics`` sends them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import numpy as np
import polars as pl

from core.extremes import Floats, pick_extremes
from core.times import EPOCH

Row: TypeAlias = dict[str, Any]

_TIME: Final = pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True)
class WindowTable:
    """The columns of windows, and the curves of which a chart must show every peak."""

    schema: pl.Schema
    curves: tuple[tuple[str, int], ...]
    """Column and sign: 1 keeps its lowest values, -1 its highest. The first matter most."""

    def to_frame(self, rows: Sequence[Row]) -> pl.DataFrame:
        """Return rows in columns."""
        return pl.DataFrame(rows, schema=self.schema, orient="row")

    def pick(self, curves: Sequence[Mapping[str, Any]], points: int) -> tuple[datetime, ...]:
        """Return the starts of at most so many windows, every peak among them.

        Args:
            curves: Of each window its start in microseconds, ``at``, and the columns of curves.
            points: How many are wanted at most.
        """
        at = np.array([row["at"] for row in curves], dtype=np.int64)
        values = {name: _read_curve(curves, name) for name in dict(self.curves)}
        kept = pick_extremes(at, [values[name] * sign for name, sign in self.curves], points)
        return tuple(EPOCH + timedelta(microseconds=micros) for micros in at[kept].tolist())


def _read_curve(rows: Sequence[Mapping[str, Any]], name: str) -> Floats:
    return np.array([row[name] for row in rows], dtype=np.float64)


CHAT: Final = WindowTable(
    pl.Schema(
        {
            "stream_id": pl.String(),
            "window_start": _TIME,
            "window_end": _TIME,
            "chat_count": pl.Int64(),
            "unique_chatters": pl.Int64(),
            "top_emotes": pl.List(pl.Struct({"emote": pl.String(), "count": pl.Int64()})),
            "avg_sentiment": pl.Float64(),
            "chat_rate": pl.Float64(),
            "avg_viewers": pl.Float64(),
            "peak_viewers": pl.Float64(),
            "z_score": pl.Float64(),
            "is_anomaly": pl.Boolean(),
            "revision": pl.Int64(),
            "final": pl.Boolean(),
        }
    ),
    (
        ("chat_count", -1),
        ("chat_count", 1),
        ("peak_viewers", -1),
        ("avg_viewers", 1),
        ("avg_sentiment", -1),
        ("avg_sentiment", 1),
    ),
)

CHANNEL: Final = WindowTable(
    pl.Schema(
        {
            "stream_id": pl.String(),
            "channel": pl.String(),
            "window_start": _TIME,
            "window_end": _TIME,
            "unit": pl.String(),
            "count": pl.Int64(),
            "mean": pl.Float64(),
            "min": pl.Float64(),
            "max": pl.Float64(),
            "stddev": pl.Float64(),
            "p50": pl.Float64(),
            "p95": pl.Float64(),
            "last": pl.Float64(),
            "z_score": pl.Float64(),
            "is_anomaly": pl.Boolean(),
            "revision": pl.Int64(),
            "final": pl.Boolean(),
        }
    ),
    (("max", -1), ("min", 1)),
)
