"""Reading minutes: what one numeric channel of one stream did in one minute.

    frame -> reduce_readings -> partial -> ReadingMinutes.add -> ReadingMinutes.build -> full rows

Spread is merged from counts, means and squared distances, never from sums of squares: a sensor
that reads 1 000 000 ± 0.1 keeps its ± 0.1. No I/O.
"""

from typing import Final

import numpy as np
import polars as pl

from core.minutes import (
    MINUTE_US,
    find_minutes,
    find_series,
    split_minutes,
    start_minutes,
    to_times,
)
from core.names import Series
from core.open_minutes import BOOKKEEPING, Wanted, drop_rows, touch
from core.quantiles import Values
from core.rows import Bools, Floats, Ints, Rows
from core.watermarks import NEVER

PLAIN: Final = ("count", "mean", "min", "max", "last", "revision", "final")
"""Columns that a stored row has just as they are."""

UNITS: Final = ("unit", "unit_at")
"""Columns of a partial that belong to the channel and not to the minute."""


def reduce_readings(readings: pl.DataFrame) -> pl.DataFrame:
    """Reduce readings, with ``key``, ``at`` and ``offset``, to one row a key."""
    value, at = pl.col("value"), pl.col("at")
    unit = pl.col("unit") if "unit" in readings.columns else pl.lit(None, dtype=pl.String)
    newest = at == at.max()
    named_at = at.filter(pl.col("unit").is_not_null())
    return (
        readings.with_columns(unit=unit)
        .group_by("key")
        .agg(
            count=pl.len().cast(pl.Int64),
            mean=value.mean(),
            m2=((value - value.mean()) ** 2).sum(),
            min=value.min(),
            max=value.max(),
            # Of equal times the later arrival is the last.
            last=value.filter(newest).last(),
            last_at=at.max(),
            unit=pl.col("unit").drop_nulls().filter(named_at == named_at.max()).last(),
            unit_at=named_at.max(),
            revision=pl.col("offset").max(),
        )
        .sort("key")
    )


class ReadingMinutes:
    """The open minutes of the channels of a shard."""

    def __init__(self, series: Series) -> None:
        self.rows = Rows(
            count=np.int64(0),
            mean=np.float64(0),
            m2=np.float64(0),
            min=np.float64(np.inf),
            max=np.float64(-np.inf),
            last=np.float64(np.nan),
            last_at=np.int64(NEVER),
            **BOOKKEEPING,
        )
        self._series = series
        self._values: dict[int, Values] = {}
        self._units: dict[int, tuple[int, str]] = {}

    @property
    def owners(self) -> Ints:
        """The stream of each row."""
        return self._series.find_owners(find_series(self.rows.keys))

    def add(self, partial: pl.DataFrame, values: pl.DataFrame) -> None:
        """Add the sums of a batch, and its single values with their ``key``."""
        at = self.rows.place(partial["key"].to_numpy())
        new = {name: partial[name].to_numpy() for name in partial.columns if name not in UNITS}
        self._add_spread(at, new["count"], new["mean"], new["m2"])
        for name, pick in (("min", np.fmin), ("max", np.fmax)):
            column = self.rows.floats(name)
            column[at] = pick(column[at], new[name])
        last_at = self.rows.ints("last_at")
        later = new["last_at"] >= last_at[at]
        self.rows.floats("last")[at[later]] = new["last"][later]
        last_at[at[later]] = new["last_at"][later]
        touch(self.rows, at, new["revision"])
        self._keep_units(partial)
        for minute, part in split_minutes(values.select("key", "value")):
            here = self._values.setdefault(minute, Values())
            here.add(part["key"].to_numpy(), part["value"].to_numpy())

    def build(self, wanted: Wanted) -> pl.DataFrame:
        """Return the full rows of the wanted minutes, as they are stored and sent."""
        keys = self.rows.keys[wanted.at]
        row = self.rows.take(wanted.at)
        begin = start_minutes(find_minutes(keys))
        series = find_series(keys)
        spread = np.sqrt(row["m2"] / np.maximum(row["count"] - 1, 1))
        middle, high = self._find_quantiles(keys)
        return self._series.split_names(series, ["channel"]).with_columns(
            minute=to_times(begin),
            window_end=to_times(begin + MINUTE_US),
            unit=pl.Series(
                [self._find_unit(number) for number in series.tolist()], dtype=pl.String
            ),
            stddev=spread,
            p50=middle,
            p95=high,
            last_at=to_times(row["last_at"]),
            revised=wanted.revised,
            **{name: row[name] for name in PLAIN},
        )

    def forget(self, forgotten: Bools) -> None:
        """Drop minutes that nothing can change any more."""
        drop_rows(self.rows, forgotten, self._values)

    def _add_spread(self, at: Ints, count: Ints, mean: Floats, m2: Floats) -> None:
        counts, means = self.rows.ints("count"), self.rows.floats("mean")
        together = counts[at] + count
        apart = mean - means[at]
        self.rows.floats("m2")[at] += m2 + apart**2 * (counts[at] * (count / together))
        means[at] += apart * (count / together)
        counts[at] = together

    def _find_quantiles(self, keys: Ints) -> tuple[Floats, Floats]:
        found = np.full((len(keys), 2), np.nan)
        minutes = find_minutes(keys)
        for minute in np.unique(minutes).tolist():
            here = minutes == minute
            found[here] = self._values[minute].find_quantiles(keys[here])
        return found[:, 0], found[:, 1]

    def _find_unit(self, series: int) -> str | None:
        return self._units[series][1] if series in self._units else None

    def _keep_units(self, partial: pl.DataFrame) -> None:
        """Remember the unit of each channel's newest reading that named one."""
        named = partial.filter(pl.col("unit").is_not_null())
        if named.height:
            series = find_series(named["key"].to_numpy()).tolist()
            units = zip(named["unit_at"].to_list(), named["unit"].to_list(), strict=True)
            for number, unit in zip(series, units, strict=True):
                known = self._units.get(number)
                if known is None or unit[0] >= known[0]:
                    self._units[number] = unit
