"""Minutes: numbers for minutes, and keys for what one series did in one minute.

    series 7, 10:32 -> 7 << 32 | minute -> sorted keys: a series' minutes stand together

A series is a stream, a channel of a stream, or a kind of transaction in it, numbered by
``core.names``.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from core.events import TIMESTAMP
from core.rows import Ints
from core.times import EPOCH

MINUTE_US: Final = 60_000_000

_BITS: Final = 32
_ZERO: Final = 1 << 31
"""The number of the minute of 1970: what lies before it must not be negative in a key."""


def number_minute(at: pl.Expr) -> pl.Expr:
    """Build the number of the minute of a time in microseconds."""
    return at // MINUTE_US + _ZERO


def number_minutes(at: Ints) -> Ints:
    """Return the number of the minute of each time in microseconds."""
    return at // MINUTE_US + _ZERO


def make_key(series: str = "series", minute: str = "minute") -> pl.Expr:
    """Build the key of a series and a minute."""
    return pl.col(series) * (1 << _BITS) + pl.col(minute)


def join_key(series: int, minute: int) -> int:
    """Return the key of a series and a minute."""
    return series << _BITS | minute


def join_keys(series: Ints, minutes: Ints) -> Ints:
    """Return the keys of series and minutes."""
    return series << _BITS | minutes


def find_series(keys: Ints) -> Ints:
    """Return the series of keys."""
    return keys >> _BITS


def find_minutes(keys: Ints) -> Ints:
    """Return the minutes of keys."""
    return keys & ((1 << _BITS) - 1)


def number_of(at: datetime) -> int:
    """Return the number of the minute of a time."""
    return to_micros(at) // MINUTE_US + _ZERO


def start_minutes(minutes: Ints) -> Ints:
    """Return when minutes begin, in microseconds."""
    return (minutes - _ZERO) * MINUTE_US


def to_times(micros: Ints) -> pl.Series:
    """Return microseconds as a column of times."""
    return pl.Series(micros, dtype=pl.Int64).cast(TIMESTAMP)


def to_micros(at: datetime) -> int:
    """Return a time in microseconds."""
    return (at - EPOCH) // timedelta(microseconds=1)


def split_minutes(partial: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    """Take a frame with the column ``key`` apart by its minutes."""
    minutes = find_minutes(partial["key"].to_numpy())
    different = np.unique(minutes).tolist()
    if len(different) == 1:
        yield different[0], partial
        return
    for minute in different:
        yield minute, partial.filter(pl.Series(minutes == minute))


def start_minute(minute: pl.Expr) -> pl.Expr:
    """Build when a minute begins, in microseconds."""
    return (minute - _ZERO) * MINUTE_US
