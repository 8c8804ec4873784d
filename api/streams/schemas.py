"""Streams as clients read and name them."""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

TEXT_PATTERN: Final = r"^[^\x00]*$"
"""Any text that the database can hold."""


class StreamLatest(BaseModel):
    """The newest minute of a stream."""

    window_start: datetime
    window_end: datetime
    chat_count: int
    unique_chatters: int
    avg_sentiment: float | None
    chat_rate: float
    avg_viewers: float | None
    peak_viewers: float | None
    z_score: float | None
    is_anomaly: bool
    revision: int
    final: bool


class StreamOut(BaseModel):
    """One source of events."""

    id: str = Field(examples=["northlight_live"])
    title: str | None
    kind: str = Field(examples=["chat"])
    created_at: datetime
    updated_at: datetime
    last_event_at: datetime | None
    is_live: bool
    metadata: dict[str, Any]
    latest: StreamLatest | None


class StreamPage(BaseModel):
    """A page of streams."""

    data: list[StreamOut]
    next_cursor: str | None


class StreamQuery(BaseModel):
    """Which streams a list names."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=500)
    cursor: str | None = Field(None, max_length=400, description="next_cursor of the page before.")
    offset: int = Field(0, ge=0, le=1_000_000)
    live: bool | None = Field(None, description="Only live ones, or only silent ones.")
    kind: str | None = Field(None, max_length=32, pattern=TEXT_PATTERN)
    q: str | None = Field(
        None, max_length=100, pattern=TEXT_PATTERN, description="Part of the id or the title."
    )


class StreamIn(BaseModel):
    """What a person may say about a stream; what is left out stays as it was."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(
        None, max_length=300, pattern=TEXT_PATTERN, examples=["Northlight: finals week, day 3"]
    )
    kind: str | None = Field(None, pattern=r"^[a-z0-9_-]{1,32}$", examples=["chat"])
    metadata: dict[str, Any] | None = None


class StreamDeletedOut(BaseModel):
    """What was deleted of a stream."""

    id: str
    complete: bool = Field(description="Whether nothing is left; if not, send the request again.")
    rows: dict[str, int] = Field(description="By table.")
