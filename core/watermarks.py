"""Watermarks: how far the time of each stream has come, and which events come too late.

Decided for each bus entry against all earlier ones, from offsets alone: however a replay cuts the
same entries into batches, the same events are late.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import polars as pl

from core.batches import SEQUENCE_BITS
from core.events import TIMESTAMP

MINUTE: Final = timedelta(minutes=1)

WATERMARKS: Final = pl.Schema(
    {"stream_id": pl.String(), "watermark": TIMESTAMP, "arrived_at": TIMESTAMP}
)
"""One row a stream: its newest event time, and when its last event arrived. Kept for ever, 40
bytes a stream."""


@dataclass(frozen=True, slots=True)
class LatenessPolicy:
    """Decides how long a minute may still change and when it is complete."""

    allowed: timedelta = timedelta(minutes=5)
    """Later events are listed as late and do not change the minute."""

    disorder: timedelta = timedelta(seconds=2)
    """A minute is complete once its stream is this far past the end; events in flight get so much
    time."""

    silence: timedelta = timedelta(seconds=10)
    """A stream without events for so long has its minute completed by the wall clock."""

    forgotten: timedelta = timedelta(hours=1)
    """A stream without events for so long has its open minutes dropped from memory."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a batch did to the watermarks of its streams."""

    watermarks: pl.DataFrame
    on_time: pl.DataFrame
    late: pl.DataFrame


def truncate_minute(name: str = "timestamp") -> pl.Expr:
    """Return the start of the minute of a time column."""
    return pl.col(name).dt.truncate("1m")


def arrive(frame: pl.DataFrame, watermarks: pl.DataFrame, policy: LatenessPolicy) -> Arrival:
    """Move the watermarks and split the events into those on time and those too late.

    Args:
        frame: Events with ``minute`` and ``offset``.
        watermarks: The state before the frame, of schema ``WATERMARKS``.
        policy: What is too late.
    """
    entries = _list_entries(frame, watermarks)
    moved = entries.group_by("stream_id").agg(
        pl.max_horizontal(pl.col("newest").max(), pl.col("known_watermark").first()).alias(
            "watermark"
        ),
        pl.col("arrived_at").max(),
    )
    rest = watermarks.join(moved, on="stream_id", how="anti")
    too_old = entries.select(
        "stream_id", "offset", open_from=first_open_minute(policy)
    ).drop_nulls()
    suspects = frame.filter(pl.col("minute") < pl.lit(too_old["open_from"].max()))
    if suspects.is_empty():
        late = frame.clear()
        on_time = frame
    else:
        judged = frame.join(
            too_old, on=["stream_id", "offset"], how="left", maintain_order="left"
        ).with_columns(late=(pl.col("minute") < pl.col("open_from")).fill_null(value=False))
        late = judged.filter("late").select(frame.columns)
        on_time = judged.filter(~pl.col("late")).select(frame.columns)
    return Arrival(
        watermarks=pl.concat([rest, moved.select(WATERMARKS.names())]), on_time=on_time, late=late
    )


def _list_entries(frame: pl.DataFrame, watermarks: pl.DataFrame) -> pl.DataFrame:
    """Return one row a stream and entry with what was known of the stream before that entry."""
    arrived_at = (pl.col("offset") // (1 << SEQUENCE_BITS)).cast(pl.Datetime("ms", "UTC"))
    entries = (
        frame.group_by("stream_id", "offset")
        .agg(newest=pl.col("timestamp").max())
        .with_columns(arrived_at=arrived_at.cast(TIMESTAMP))
        # A sender whose clock runs ahead must not make the others late.
        .with_columns(newest=pl.min_horizontal("newest", "arrived_at"))
        .sort("offset")
        .join(
            watermarks.rename({"watermark": "known_watermark", "arrived_at": "known_arrival"}),
            on="stream_id",
            how="left",
            maintain_order="left",
        )
    )
    return entries.with_columns(
        watermark_before=pl.max_horizontal(
            "known_watermark", pl.col("newest").cum_max().shift(1).over("stream_id")
        ),
        arrival_before=pl.coalesce(
            pl.col("arrived_at").shift(1).over("stream_id"), "known_arrival"
        ),
    )


def first_open_minute(policy: LatenessPolicy) -> pl.Expr:
    """Build the first minute that an entry arriving at ``arrived_at`` may still change.

    Null for a stream that was unknown before.
    """
    by_event_time = (pl.col("watermark_before") - policy.allowed).dt.truncate("1m")
    by_silence = truncate_minute("watermark_before") + MINUTE
    forgotten = pl.col("arrived_at") - pl.col("arrival_before") > policy.forgotten
    return pl.when(forgotten).then(by_silence).otherwise(by_event_time)
