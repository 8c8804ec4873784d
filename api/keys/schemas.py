"""API keys as clients send and read them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.paging import Time
from core.keys import STREAM_PATTERN, STREAMS_MAX, Scope, find_wrong_grant

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00]*$"),
]


StreamGlob = Annotated[str, Field(json_schema_extra={"pattern": STREAM_PATTERN})]
"""Checked with the grant as a whole, which says it in better words."""


class KeyIn(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(examples=["dashboard in the hall"])
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope), examples=[["read"]])
    streams: list[StreamGlob] | None = Field(
        None,
        max_length=STREAMS_MAX,
        json_schema_extra={"minItems": 1},
        description="Names of streams, * for any part of one; left out, all streams.",
        examples=[["northlight_*"]],
    )
    expires_at: Time | None = Field(None, description="Good until then; left out, for ever.")

    @model_validator(mode="after")
    def _grant_makes_sense(self) -> Self:
        if (wrong := find_wrong_grant(self.scopes, self.streams)) is not None:
            raise ValueError(wrong)
        return self


class KeyOut(BaseModel):
    """A key without its secret."""

    key_id: str
    name: str
    prefix: str = Field(description="The readable part: tk_<prefix>_…")
    scopes: list[Scope]
    streams: list[str] | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute.")


class KeyMadeOut(KeyOut):
    """A key with its text, which is shown this once."""

    key: str = Field(examples=["tk_0123456789ab_…"])


class KeyPage(BaseModel):
    """A page of keys."""

    data: list[KeyOut]
    next_cursor: str | None


class TicketOut(BaseModel):
    """A way onto one socket, for a few seconds."""

    ticket: str
    expires_at: datetime
    scopes: list[Scope] = Field(description="What who asked may do; admin includes the others.")
    streams: list[str] | None = Field(description="Which streams; null: all.")


class KeyQuery(BaseModel):
    """The parameters of the list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=500)
    cursor: str | None = Field(None, max_length=200, description="next_cursor of the page before.")
