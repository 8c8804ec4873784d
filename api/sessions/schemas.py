"""Sessions as clients send and read them."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from core.ids import NAME_PATTERN as STREAM_PATTERN
from core.sessions import DESCRIPTION_LENGTH_MAX, NAME_LENGTH_MAX, NAME_PATTERN, STREAMS_MAX, Status
from db.sessions import SessionWish

Name: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=NAME_LENGTH_MAX, pattern=NAME_PATTERN)
]
Description: TypeAlias = Annotated[
    str, StringConstraints(max_length=DESCRIPTION_LENGTH_MAX, pattern=r"^[^\x00]*$")
]
StreamName: TypeAlias = Annotated[str, StringConstraints(pattern=STREAM_PATTERN)]
StreamNames: TypeAlias = Annotated[
    list[StreamName],
    Field(
        max_length=STREAMS_MAX,
        description="Streams that the session looks at, beside its own; they need not exist yet.",
    ),
]


class SessionIn(BaseModel):
    """A session to be made."""

    name: Name = Field(examples=["Hot start, third try"])
    description: Description | None = Field(None, examples=["With the new valve."])
    stream_ids: StreamNames | None = Field(None, examples=[["bench-07"]])

    def to_wish(self) -> SessionWish:
        """Return it as the store reads it."""
        return SessionWish(
            name=self.name, description=self.description, stream_ids=_once(self.stream_ids)
        )


class SessionPatch(BaseModel):
    """What is to change of a session; what is left out or null stays as it is."""

    name: Name | None = None
    description: Description | None = None
    status: Status | None = Field(
        None,
        description="`ended` sets `ended_at` and writes the summary; `active` takes both away.",
        examples=["ended"],
    )
    stream_ids: StreamNames | None = None

    def to_wish(self) -> SessionWish:
        """Return it as the store reads it."""
        return SessionWish(self.name, self.description, self.status, _once(self.stream_ids))


class SessionOut(BaseModel):
    """A session."""

    id: str
    name: str
    description: str
    status: Status
    started_at: datetime
    ended_at: datetime | None
    note_count: int = Field(description="Without those that were deleted.")
    stream_ids: list[str]
    created_by: str
    updated_at: datetime
    updated_by: str


class SessionPage(BaseModel):
    """A page of sessions, newest first."""

    data: list[SessionOut]
    next_cursor: str | None


class ListQuery(BaseModel):
    """The parameters of every list of a session."""

    limit: int | None = Field(None, ge=1, le=1000, description="100 where it is left out.")
    cursor: str | None = Field(None, max_length=200, description="next_cursor of the page before.")

    def choose_limit(self, *, plain: bool) -> int:
        """Return how many rows are wanted; who knows of no pages gets as many as there may be."""
        return self.limit or (1000 if plain else 100)


class SessionQuery(ListQuery):
    """The parameters of the list."""

    model_config = ConfigDict(extra="forbid")

    status: Status | None = None
    q: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")] | None = Field(
        None,
        description="Words of the name and the description:"
        ' all of them, "as a phrase", `or`, and `-without`.',
        examples=["hot start -failed"],
    )


class ChannelSummaryOut(BaseModel):
    """What the minutes of a channel come to."""

    channel: str
    unit: str | None
    count: int
    mean: float
    min: float
    max: float
    last: float


class SummaryOut(BaseModel):
    """What a session comes to."""

    session_id: str
    started_at: datetime
    ended_at: datetime | None
    duration_s: float = Field(description="Up to now for one that goes on.")
    notes: dict[Literal["observation", "command", "system"], int] = Field(
        description="How many of each type."
    )
    channels: list[ChannelSummaryOut] = Field(
        description="The session's own first; of a stream that it looks at, by the minutes that it"
        " touches."
    )
    moments: dict[str, int] = Field(description="How many of each type began during it.")


class SessionDeletedOut(BaseModel):
    """What was deleted of a session's own stream."""

    id: str
    complete: bool = Field(description="false: rows are left; send it again.")
    rows: dict[str, int] = Field(description="By table.")


def _once(names: list[str] | None) -> list[str] | None:
    return None if names is None else list(dict.fromkeys(names))
