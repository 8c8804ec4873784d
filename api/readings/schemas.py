"""Readings as clients read them, and how they ask for them."""

from datetime import datetime
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, Field

from api.paging import PointQuery
from core.ids import NAME_PATTERN

CHANNELS_MAX: Final = 20
"""Channels that one request may name; each is a search of its own."""

ChannelName: TypeAlias = Annotated[str, Field(pattern=NAME_PATTERN)]


class ReadingQuery(PointQuery):
    """Which points are wanted."""

    channel: list[ChannelName] = Field(
        [],
        max_length=CHANNELS_MAX,
        description="Channels, by repeating the parameter; without it, all of the stream.",
    )


class ReadingOut(BaseModel):
    """One value of one channel at one time."""

    stream_id: str
    channel: str
    timestamp: datetime
    value: float
    unit: str | None


class ReadingPage(BaseModel):
    """A page of raw points, newest first."""

    data: list[ReadingOut]
    next_cursor: str | None
