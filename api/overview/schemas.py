"""The overview as clients read it: columns, which are a third of the same as rows."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

STREAMS_MAX: Final = 1000
"""Streams of one answer: what a page of a thousand rows needs at once, some 200 kB."""

MINUTES_MAX: Final = 60
"""Minutes before now of which rates are told: a line of an hour, another 300 kB."""


class OverviewColumns(BaseModel):
    """Streams by id; all lists are of the same length, and what is null is not known."""

    id: list[str]
    title: list[str | None]
    kind: list[str]
    last_event_at: list[datetime | None]
    is_live: list[bool]
    window_start: list[datetime | None] = Field(description="Of the newest minute of each.")
    chat_rate: list[float | None]
    avg_viewers: list[float | None]
    avg_sentiment: list[float | None]
    z_score: list[float | None]
    is_anomaly: list[bool | None]
    revision: list[int | None]
    final: list[bool | None]
    rates: list[list[float | None]] = Field(
        description="Messages a second in each of the minutes asked for, the oldest first."
    )


class OverviewPage(BaseModel):
    """A page of streams in columns."""

    data: OverviewColumns
    next_cursor: str | None
    start: datetime = Field(description="Of the first minute of `rates`.")


class OverviewQuery(BaseModel):
    """Which streams, and how much of the past."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(STREAMS_MAX, ge=1, le=STREAMS_MAX)
    cursor: str | None = Field(None, max_length=400, description="next_cursor of the page before.")
    minutes: int = Field(
        0, ge=0, le=MINUTES_MAX, description="Minutes of `rates`, the running one included."
    )
