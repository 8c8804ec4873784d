"""Dead letters as clients see and replay them."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.paging import Time
from core.dead_letters import REASON_CHARACTERS_MAX
from core.ids import NAME_PATTERN

UNITS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
USUAL_UNITS: Final = {"hour": 48, "day": 30}
"""How many are counted without a time."""

UNITS_MAX: Final = 1000

Reason = Annotated[
    str,
    StringConstraints(min_length=1, max_length=REASON_CHARACTERS_MAX, pattern=r"^[^\x00]*$"),
]
StreamName = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]

PART: Final = "A part of the reason, in any case of letters."
ABOUT: Final = "Only letters that name this stream; one that cannot be read at all names none."


class _ArrivalQuery(BaseModel):
    """When letters arrived on the bus."""

    model_config = ConfigDict(extra="forbid")

    start: Time | None = Field(
        None,
        alias="from",
        description="Arrived from here on.",
        examples=["2026-01-26T10:00:00Z"],
    )
    end: Time | None = Field(None, alias="to", description="Up to here, and not including it.")

    @model_validator(mode="after")
    def _end_follows_start(self) -> Self:
        if self.start is not None and self.end is not None and self.end < self.start:
            message = "to lies before from"
            raise ValueError(message)
        return self


class LetterQuery(_ArrivalQuery):
    """Which letters a list names."""

    reason: Reason | None = Field(None, description=PART, examples=["wrong columns"])
    stream_id: StreamName | None = Field(None, description=ABOUT)
    waiting: bool | None = Field(
        None, description="true: not replayed yet; false: replayed; left out: all."
    )
    limit: int = Field(100, ge=1, le=500)
    cursor: str | None = Field(None, max_length=200, description="next_cursor of the page before.")


class CountQuery(_ArrivalQuery):
    """What is counted."""

    by: Literal["hour", "day"] = Field(
        "hour",
        description="In which steps of time; at most 1000 of them. Without a time, the last 48"
        " hours or the last 30 days.",
    )


class ReplayIn(BaseModel):
    """Which of the letters that wait are put on the bus again; without either, all of them."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason | None = Field(None, description=PART, examples=["wrong columns"])
    stream_id: StreamName | None = Field(None, description=ABOUT)


class LetterOut(BaseModel):
    """An entry of the bus that could not be read."""

    letter_id: str = Field(description="Its shard, and its offset in it.")
    shard: int
    arrived_at: datetime = Field(description="When the bus took it.")
    listed_at: datetime = Field(description="When it was put aside.")
    reason: str
    stream_ids: list[str] = Field(
        description="The streams that it is about, the first 100 by name, as far as can be read."
    )
    payload_bytes: int
    replayed_at: datetime | None = Field(description="When it was last put on the bus again.")


class LetterDetailOut(LetterOut):
    """A letter, and what is in it."""

    event_count: int | None = Field(
        description="How many events it holds; null when they cannot be read, or not here."
    )
    events: list[dict[str, Any]] = Field(
        description="The first 20 of them as they stand there, 64 kB together at most."
    )
    payload_start: str = Field(description="Its first 2048 bytes in base64.")


class LetterPage(BaseModel):
    """A page of letters, newest first."""

    data: list[LetterOut]
    next_cursor: str | None


class ReasonCountOut(BaseModel):
    """Letters that share a reason."""

    reason: str
    letters: int
    waiting: int = Field(description="Of these, not replayed yet.")
    payload_bytes: int
    first_at: datetime
    last_at: datetime


class TimeCountOut(BaseModel):
    """Letters that arrived in one hour or day."""

    start: datetime
    letters: int
    waiting: int


class LetterCountsOut(BaseModel):
    """How many letters there are."""

    reasons: list[ReasonCountOut] = Field(description="The 100 most frequent.")
    times: list[TimeCountOut] = Field(description="Oldest first; what is left out has none.")


class ReplayedOut(BaseModel):
    """What was put on the bus again."""

    replayed: list[str] = Field(description="The ids of the letters, oldest first.")
    payload_bytes: int
    waiting: int = Field(
        description="How many of the chosen letters still wait: ask again until it is 0."
    )
