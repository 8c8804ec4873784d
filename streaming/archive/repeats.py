"""Repeats: events whose id has counted before, found among archived events.

The flow remembers an id while the minute of its event may change. That is certain up to a point in
the time of its stream, and by chance for a while after it: such events are told to be doubtful.
"""

from datetime import timedelta
from typing import Final

import polars as pl

from core.watermarks import LatenessPolicy

NAME: Final = ["stream_id", "id"]
ENTRY: Final = ["stream_id", "offset"]
PLACE: Final = ["offset", "row"]
MINUTE: Final = timedelta(minutes=1)

REACH: Final = timedelta(minutes=9)
"""So far apart a late event is known to repeat another one; both then lie within the margin that is
read around a span, whichever span that is."""


def drop_repeats(
    rows: pl.DataFrame, counted: pl.DataFrame, policy: LatenessPolicy
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return events without repeats, and the stream and minute of each that may be one or not.

    Args:
        rows: All events, which move the time of their streams.
        counted: Those that are on time, or late and applied.
        policy: How long an id is remembered.
    """
    suspects = counted.filter(pl.col("id").is_not_null() & pl.struct(NAME).is_duplicated())
    if suspects.is_empty():
        return counted, suspects.select("stream_id", "minute")
    suspects = suspects.sort(PLACE)
    on_time = suspects.filter(pl.col("applied_at").is_null())
    first = on_time.unique(NAME, keep="first", maintain_order=True)
    later = on_time.join(first, on=PLACE, how="anti").join(
        first.select(*NAME, first_minute="minute"), on=NAME
    )
    open_from = _find_open(rows.join(later, on="stream_id", how="semi"), policy)
    is_doubtful = (pl.col("first_minute") < pl.col("open_from")).fill_null(value=False)
    judged = later.join(open_from, on=ENTRY, how="left").with_columns(is_doubtful=is_doubtful)
    repeats = [judged.filter(~pl.col("is_doubtful")), _find_late(suspects, on_time)]
    places = pl.concat([part.select(PLACE) for part in repeats])
    doubtful = judged.filter("is_doubtful").select("stream_id", "minute")
    return counted.join(places, on=PLACE, how="anti"), doubtful


def _find_late(suspects: pl.DataFrame, on_time: pl.DataFrame) -> pl.DataFrame:
    """Return late events that repeat one on time, or a late one of their minute.

    The ids of late events are not remembered: an event on time never repeats one of them.
    """
    late = suspects.filter(pl.col("applied_at").is_not_null()).sort("minute", *PLACE)
    others = on_time.sort("minute").select(*NAME, "minute", is_known=pl.lit(value=True))
    known = late.join_asof(others, on="minute", by=NAME, strategy="nearest", tolerance=REACH)
    return known.filter(
        pl.col("is_known").is_not_null() | ~pl.struct(*NAME, "minute").is_first_distinct()
    )


def _find_open(rows: pl.DataFrame, policy: LatenessPolicy) -> pl.DataFrame:
    """Return the oldest minute that each entry could still change, of each of its streams."""
    before = (
        rows.group_by(ENTRY)
        .agg(newest=pl.col("timestamp").max(), arrived=pl.col("arrived_at").max())
        .with_columns(newest=pl.min_horizontal("newest", "arrived"))
        .sort("offset")
        .with_columns(
            newest=pl.col("newest").cum_max().shift(1).over("stream_id"),
            rested=pl.col("arrived") - pl.col("arrived").shift(1).over("stream_id"),
        )
    )
    return before.select(
        *ENTRY,
        open_from=pl.when(pl.col("rested") > policy.forgotten)
        .then(pl.col("newest").dt.truncate("1m") + MINUTE)
        .otherwise((pl.col("newest") - policy.allowed).dt.truncate("1m")),
    )
