"""Detection as clients read it."""

from datetime import datetime

from pydantic import BaseModel, Field

from core.tunings import Direction


class TuningInForceOut(BaseModel):
    """How a series is judged, all rules that match it taken together."""

    strictness: float
    deviation_min: float
    direction: Direction
    merge_s: int
    cool_down_s: int
    silence_after_s: int


class DetectedSeriesOut(BaseModel):
    """A metric or a channel of a stream, and how far detection has come with it."""

    metric: str
    is_channel: bool
    is_watched: bool
    learning: bool = Field(
        description="Whether too few minutes are known yet: no value of it is told as unusual."
    )
    minutes_known: int = Field(
        description="Complete ones in the hour; what it is measured against."
    )
    minutes_needed: int
    rows_mature: int = Field(
        description="So many minutes a series must have had before what is new in it counts fully."
    )
    z_score: float | None = Field(description="The last one of the hour.")
    judged_at: datetime | None = Field(description="The minute of that.")
    tuning: TuningInForceOut


class DetectionOut(BaseModel):
    """What is judged in a stream, and what is known of it."""

    stream_id: str
    as_of: datetime = Field(description="The last minute of the stream; the hour ends with it.")
    data: list[DetectedSeriesOut]
    next_cursor: None = Field(description="All series are in one answer.")
