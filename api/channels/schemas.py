"""Channels as clients read them."""

from datetime import datetime

from pydantic import BaseModel

from api.metrics.schemas import ResolutionName


class ChannelOut(BaseModel):
    """A numeric channel of a stream with its newest value."""

    channel: str
    unit: str | None
    last_value: float
    last_at: datetime


class ChannelPage(BaseModel):
    """The channels of a stream."""

    data: list[ChannelOut]
    next_cursor: str | None


class ChannelRow(BaseModel):
    """One channel in one window; what only minutes know is null in longer ones."""

    stream_id: str
    channel: str
    window_start: datetime
    window_end: datetime
    unit: str | None
    count: int
    mean: float
    min: float
    max: float
    stddev: float
    p50: float | None
    p95: float | None
    last: float
    z_score: float | None
    is_anomaly: bool | None
    revision: int
    final: bool | None


class ChannelMetricsPage(BaseModel):
    """A page of windows of a channel, newest first."""

    data: list[ChannelRow]
    next_cursor: str | None
    resolution: ResolutionName
