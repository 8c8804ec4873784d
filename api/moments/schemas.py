"""Moments as clients read and change them."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.paging import SpanQuery, Time
from core.moment_lives import COMMENT_LENGTH_MAX, SHELF_MAX, Action, Wish
from core.moments import MomentState, MomentType


class MomentQuery(SpanQuery):
    """Which moments a list names."""

    type: MomentType | None = None
    state: MomentState | None = None
    min_score: float = Field(0.0, ge=0, le=1e9)
    limit: int = Field(50, ge=1, le=200)


class ReasonOut(BaseModel):
    """Something else that was different while a moment went on."""

    model_config = ConfigDict(extra="allow")

    kind: str = Field(
        description="What it is: an `event` that was announced, a `metric` that moved, a kind of"
        " `transaction`, an `emote` or a `word` that surged, a `message` as a sample. There may be"
        " others."
    )
    text: str = Field(description="It in words; of a message what was said, as it was said.")
    name: str | None = Field(
        None, description="Of the event, the metric, the emote, the word; of a message its user."
    )
    value: float | None = Field(
        None, description="How much of it there was; of a word the share of messages with it."
    )
    usual: float | None = Field(None, description="How much of it there was before.")
    spreads: float | None = Field(
        None, description="How far a metric moved, in what it usually strays; negative: it fell."
    )
    at: datetime | None = Field(None, description="When an event was.")


class MomentMetadataOut(BaseModel):
    """How a moment was found; what was stored before this was known has none of it."""

    model_config = ConfigDict(extra="allow")

    band: list[float] | None = Field(
        None,
        min_length=2,
        max_length=2,
        description="Between which values nothing would have been unusual; null: it is not told by"
        " a value.",
    )
    told_by: str | None = Field(
        None,
        description="`level`: far from what is usual; `rush`: seconds in which a chat sped up;"
        " `rhythm`: it paused too long, or stuck; else what was new about a series, in words.",
    )
    confirmed: bool | None = Field(None, description="Whether a complete minute says the same.")
    withdrawn: bool | None = Field(
        None, description="Whether complete minutes said otherwise: it was none."
    )


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
    state: MomentState
    shelved_until: datetime | None = Field(
        description="When a shelved moment comes back; null of one that is muted until it is over."
    )
    label: bool | None = Field(description="Whether it was a true one; null: nobody has said.")
    description: str
    reasons: list[ReasonOut] = Field(description="The most telling of each kind first.")
    metadata: MomentMetadataOut
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
    state: MomentState = Field(description="After it.")
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
