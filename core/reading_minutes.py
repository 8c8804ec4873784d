"""Reading minutes: what one numeric channel of one stream did in one minute.

    frame -> reduce_readings -> partial -> merge_readings -> open minutes -> build_reading_rows ->
    full rows

Spread is merged from counts, means and squared distances, never from sums of squares: a sensor
that reads 1 000 000 ± 0.1 keeps its ± 0.1. No I/O.
"""

from typing import Final

import polars as pl

from core.events import TIMESTAMP
from core.watermarks import MINUTE

KEY: Final = ["stream_id", "channel", "minute"]

SUMS: Final = pl.Schema(
    {
        "stream_id": pl.String(),
        "channel": pl.String(),
        "minute": TIMESTAMP,
        "count": pl.Int64(),
        "mean": pl.Float64(),
        "m2": pl.Float64(),
        "min": pl.Float64(),
        "max": pl.Float64(),
        "last": pl.Float64(),
        "last_at": TIMESTAMP,
        "unit": pl.String(),
        "unit_at": TIMESTAMP,
        "revision": pl.Int64(),
    }
)


def reduce_readings(frame: pl.DataFrame) -> pl.DataFrame:
    """Reduce reading events, with ``minute`` and ``offset``, to partial minutes."""
    frame = frame.filter(pl.col("type") == "reading")
    if frame.is_empty():
        return pl.DataFrame(schema=SUMS)
    value = pl.col("value")
    return (
        frame.sort("timestamp", maintain_order=True)
        .group_by(KEY, maintain_order=True)
        .agg(
            count=pl.len().cast(pl.Int64),
            mean=value.mean(),
            m2=((value - value.mean()) ** 2).sum(),
            min=value.min(),
            max=value.max(),
            last=value.last(),
            last_at=pl.col("timestamp").last(),
            unit=pl.col("unit").drop_nulls().last(),
            unit_at=pl.col("timestamp").filter(pl.col("unit").is_not_null()).last(),
            revision=pl.col("offset").max(),
        )
    )


def merge_readings(minutes: pl.DataFrame, partial: pl.DataFrame) -> pl.DataFrame:
    """Return the minutes with a partial added; of equal times the later arrival is the last."""
    if partial.is_empty():
        return minutes
    count, mean = pl.col("count"), pl.col("mean")
    together = (count * mean).sum() / count.sum()
    # Untouched minutes stay bit for bit as they are: dividing again would let their means creep.
    untouched = minutes.join(partial, on=KEY, how="anti")
    touched = minutes.join(partial, on=KEY, how="semi")
    merged = (
        pl.concat([touched, partial.select(SUMS.names())])
        .sort("last_at", maintain_order=True)
        .group_by(KEY, maintain_order=True)
        .agg(
            count.sum(),
            together.alias("mean"),
            (pl.col("m2") + count * (mean - together) ** 2).sum().alias("m2"),
            pl.col("min").min(),
            pl.col("max").max(),
            pl.col("last").last(),
            pl.col("last_at").last(),
            pl.col("unit").sort_by("unit_at", nulls_last=False, maintain_order=True).last(),
            pl.col("unit_at").max(),
            pl.col("revision").max(),
        )
    )
    return pl.concat([untouched, merged.select(SUMS.names())])


def build_reading_rows(minutes: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """Return the full rows of the wanted (stream_id, channel, minute, final)."""
    return wanted.join(minutes, on=KEY, maintain_order="left").with_columns(
        window_end=pl.col("minute") + MINUTE,
        stddev=pl.when(pl.col("count") > 1)
        .then((pl.col("m2") / (pl.col("count") - 1)).sqrt())
        .otherwise(0.0),
    )
