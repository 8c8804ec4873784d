"""Metrics rows as clients read them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.paging import SpanQuery


class MetricsQuery(SpanQuery):
    """Which minutes are wanted."""

    resolution: Literal["1m", "auto"] = Field("auto", description="One minute is all there is yet.")


class EmoteCount(BaseModel):
    """An emote and how often it was said."""

    emote: str
    count: int


class MetricsRow(BaseModel):
    """One minute of chat and viewers of one stream."""

    stream_id: str
    window_start: datetime
    window_end: datetime
    chat_count: int
    unique_chatters: int
    top_emotes: list[EmoteCount]
    avg_sentiment: float | None
    chat_rate: float
    avg_viewers: float | None
    peak_viewers: float | None
    z_score: float | None
    is_anomaly: bool
    revision: int
    final: bool


class MetricsPage(BaseModel):
    """A page of minutes, newest first."""

    data: list[MetricsRow]
    next_cursor: str | None
