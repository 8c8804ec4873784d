"""Moments as clients read them."""

from datetime import datetime
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, Field

from api.paging import SpanQuery

MomentType: TypeAlias = Literal[
    "chat_spike",
    "viewer_spike",
    "sentiment_shift",
    "viewer_drop",
    "chat_drop",
    "reading_anomaly",
    "flatline",
    "silence",
    "transaction_spike",
]
MomentStateName: TypeAlias = Literal["open", "acknowledged", "shelved", "resolved"]


class MomentQuery(SpanQuery):
    """Which moments a list names."""

    type: MomentType | None = None
    state: MomentStateName | None = None
    min_score: float = Field(0.0, ge=0, le=1e9)
    limit: int = Field(50, ge=1, le=200)


class MomentOut(BaseModel):
    """Something unusual in a stream."""

    moment_id: str
    stream_id: str
    timestamp: datetime
    started_at: datetime
    peak_at: datetime
    ended_at: datetime | None
    moment_type: str
    metric_name: str
    metric_value: float
    expected: float
    threshold: float
    z_score: float
    score: float
    direction: Literal["up", "down"]
    state: MomentStateName
    description: str
    reasons: list[Any]
    metadata: dict[str, Any]


class MomentPage(BaseModel):
    """A page of moments, newest first."""

    data: list[MomentOut]
    next_cursor: str | None
