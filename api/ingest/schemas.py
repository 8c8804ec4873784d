"""What ingest reads and answers.

The events are models for the pages of the API and the clients made from them: ``core.events``
reads and judges bodies, in columns, and names what it refuses row by row.
"""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

from core.ids import NAME_PATTERN

TIME_TEXT = "ISO 8601, or an epoch in s, ms, µs or ns; without it, the time of arrival."


class EventIn(BaseModel):
    """What every event has."""

    stream_id: str = Field(pattern=NAME_PATTERN, examples=["northlight_live"])
    timestamp: datetime | int | None = Field(None, description=TIME_TEXT)
    id: str | None = Field(None, description="Makes a repeat of the same event count once.")


class ChatIn(EventIn):
    """A message in a chat."""

    type: Literal["chat"]
    user: str
    text: str
    emotes: list[str] | None = Field(None, description="Left out, they are found in the text.")
    badges: list[str] | None = None
    bits: int | None = None


class ViewersIn(EventIn):
    """How many watch."""

    type: Literal["viewers"]
    value: float


class ReadingIn(EventIn):
    """A value of a channel."""

    type: Literal["reading"]
    channel: str = Field(pattern=NAME_PATTERN, examples=["cell_3_temp"])
    value: float
    unit: str | None = None


class TransactionIn(EventIn):
    """Money or its like that moved."""

    type: Literal["transaction"]
    kind: Literal["donation", "subscription", "bits", "gift_sub", "renewal", "other"]
    amount: float | None = None
    currency: str | None = None
    user: str | None = None


class MetaIn(EventIn):
    """Something about the stream itself."""

    type: Literal["meta"]
    event: Literal["stream_start", "stream_end", "title_change", "category_change", "raid"]
    title: str | None = None
    category: str | None = None
    viewers: int | None = None


AnyEvent: TypeAlias = Annotated[
    ChatIn | ViewersIn | ReadingIn | TransactionIn | MetaIn, Field(discriminator="type")
]
EventBody: TypeAlias = AnyEvent | list[AnyEvent]
"""What a JSON body may be."""


class RejectedOut(BaseModel):
    """A row that was refused."""

    index: int
    field: str | None = Field(description="The field at fault, where it is a single one.")
    reason: str


class IngestOut(BaseModel):
    """How many rows are on the bus, and which are not, with the reason."""

    accepted: int
    rejected: int
    errors: list[RejectedOut]
