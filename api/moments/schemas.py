"""Moments as clients read and change them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.paging import SpanQuery, Time
from core.moment_lives import COMMENT_LENGTH_MAX, SHELF_MAX, Action, Wish

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
    shelved_until: datetime | None = Field(
        description="When a shelved moment comes back; null of one that is muted until it is over."
    )
    label: bool | None = Field(description="Whether it was a true one; null: nobody has said.")
    description: str
    reasons: list[Any]
    metadata: dict[str, Any]
    version: int = Field(description="How many changes people made.")
    revision: int = Field(
        description="Rises with what the flow finds. Of two tellings of a moment, the one in which"
        " neither revision nor version is smaller is the newer."
    )


class MomentPage(BaseModel):
    """A page of moments, newest first."""

    data: list[MomentOut]
    next_cursor: str | None


class LifeEntryOut(BaseModel):
    """One change of a moment by a person."""

    version: int
    at: datetime
    actor_key_id: str | None
    actor_name: str
    action: Action | None
    state: MomentStateName = Field(description="After it.")
    shelved_until: datetime | None
    is_labelled: bool = Field(description="Whether the label was set, perhaps to null.")
    label: bool | None
    comment: str | None


class MomentDetailOut(MomentOut):
    """A moment, its life, and what may be done with it now."""

    life: list[LifeEntryOut] = Field(description="Oldest first.")
    legal: list[Action]


Comment = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=COMMENT_LENGTH_MAX,
        pattern=r"^[^\x00]*$",
    ),
]


class MomentIn(BaseModel):
    """What to do with a moment: an action, a label, a comment, or several of them at once."""

    model_config = ConfigDict(extra="forbid")

    action: Action | None = Field(
        None,
        description="`shelve` puts it away until a time, `mute` until it is over; `reopen` undoes.",
        examples=["acknowledge"],
    )
    until: Time | None = Field(
        None, description=f"With `shelve`, and only then; {SHELF_MAX.days} days ahead at most."
    )
    label: bool | None = Field(
        None, description="Whether it was a true one; null takes the label off, left out keeps it."
    )
    comment: Comment | None = Field(None, examples=["A raid of 900 from aurora_live."])

    @model_validator(mode="after")
    def _wishes_something(self) -> Self:
        if (self.until is None) == (self.action is Action.SHELVE):
            message = "until: goes with the action shelve, and only with it"
            raise ValueError(message)
        if self.action is None and self.comment is None and "label" not in self.model_fields_set:
            message = "name an action, a label or a comment"
            raise ValueError(message)
        return self

    def to_wish(self) -> Wish:
        """Return it as the rules read it."""
        return Wish(
            action=self.action,
            until=self.until,
            is_labelled="label" in self.model_fields_set,
            label=self.label,
            comment=self.comment,
        )
