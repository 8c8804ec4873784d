"""Event times: what senders write for a time, read in columns.

    ISO 8601, with or without a zone ─┐
    an epoch in s, ms, µs or ns      ─┼─► microseconds, UTC; null where it is none of these
    a time of Arrow, of any unit     ─┘

Used by ``core.events``. A time without a zone is one in UTC; epochs are told apart by their size.
"""

from datetime import datetime
from typing import Final

import polars as pl

TIME: Final = pl.Datetime("us", "UTC")

_SECONDS_END: Final = 1e11
_MILLIS_END: Final = 1e14
_MICROS_END: Final = 1e17
_NANOS_END: Final = 1e20
"""Epochs of this size and more are of the next smaller unit: in seconds it is the year 5138, in
milliseconds of it 1973."""

_ZONELESS: Final = (
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%MZ",
    "%Y-%m-%d",
)

_HOURLY: Final = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z")
"""With a zone of whole hours, as PostgreSQL writes them."""


def read_times(given: pl.Series, now: datetime) -> pl.Series:
    """Return when events were; those that do not say were now."""
    absent = given.is_null()
    times = _read(given)
    if not absent.any():
        return times
    return times.zip_with(~absent, pl.Series([now], dtype=TIME))


def _read(given: pl.Series) -> pl.Series:
    if given.dtype == TIME:
        return given
    if given.dtype == pl.String():
        return _read_texts(given)
    if given.dtype.is_numeric():
        return _read_epochs(given)
    if given.dtype == pl.Date() or getattr(given.dtype, "time_zone", None) is None:
        return given.cast(pl.Datetime("us"), strict=False).dt.replace_time_zone("UTC")
    return given.dt.convert_time_zone("UTC").dt.cast_time_unit("us")


def _read_texts(text: pl.Series) -> pl.Series:
    times = text.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    if not times.null_count():
        return times
    zoneless = [
        pl.col("t").str.to_datetime(form, time_unit="us", strict=False).dt.replace_time_zone("UTC")
        for form in _ZONELESS
    ]
    hourly = [
        pl.col("t").str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
        for form in _HOURLY
    ]
    # Whole numbers are read as such: a float holds no nanoseconds of our time.
    whole = _read_epochs(text.cast(pl.Int64, strict=False))
    parts = _read_epochs(text.cast(pl.Float64, strict=False))
    frame = pl.DataFrame({"t": text, "known": times, "whole": whole, "parts": parts})
    return frame.select(t=pl.coalesce("known", *zoneless, *hourly, "whole", "parts"))["t"]


def _read_epochs(given: pl.Series) -> pl.Series:
    number = pl.col("n")
    if given.dtype.is_integer():
        given, nanos = given.cast(pl.Int64, strict=False), number // 1000
    else:
        given, nanos = given.cast(pl.Float64, strict=False), number / 1000
    micros = (
        pl.when(_is_within(number, _SECONDS_END))
        .then(number * 1_000_000)
        .when(_is_within(number, _MILLIS_END))
        .then(number * 1000)
        .when(_is_within(number, _MICROS_END))
        .then(number)
        .when(_is_within(number, _NANOS_END))
        .then(nanos)
    )
    epochs = micros.round().cast(pl.Int64, strict=False).cast(TIME)
    return pl.DataFrame({"n": given}).select(epochs).to_series()


def _is_within(number: pl.Expr, end: float) -> pl.Expr:
    # Not by its absolute value: the least of all whole numbers has none.
    return (number > -end) & (number < end)
