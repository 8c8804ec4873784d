"""Tunings as clients send and read them."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.events import VALUE_MAX
from core.tunings import (
    COOL_DOWN_MAX,
    MERGE_MAX,
    PATTERN,
    SILENCE_MAX,
    SILENCE_MIN,
    STREAM_METRICS,
    STRICTNESS_MAX,
    STRICTNESS_MIN,
    Direction,
    TuningRule,
)

SECOND: Final = timedelta(seconds=1)

Glob = Annotated[str, Field(pattern=PATTERN)]


class TuningIn(BaseModel):
    """What a rule changes, and of what; what is left out or null stays as more general rules say.

    At least one of the fields after the patterns is set.
    """

    # A false is no number of seconds.
    model_config = ConfigDict(extra="forbid", strict=True)

    stream_pattern: Glob = Field(
        description="A stream, with * for any part of its name and ? for any one sign.",
        examples=["bench-*"],
    )
    metric_pattern: Glob = Field(
        "*",
        description=f"A channel, or one of {', '.join(STREAM_METRICS)}; with * and ? as well.",
        examples=["cell_?_temp"],
    )
    is_watched: bool | None = Field(None, description="False: never judged.")
    strictness: float | None = Field(
        None,
        ge=STRICTNESS_MIN,
        le=STRICTNESS_MAX,
        description="Every score is divided by it: 2 asks for twice as much.",
        examples=[2.0],
    )
    deviation_min: float | None = Field(
        None,
        ge=0,
        le=VALUE_MAX,
        description="What lies nearer to the expected value is nothing unusual; in its own unit.",
        examples=[0.5],
    )
    direction: Direction | None = Field(None, description="Which way a value must deviate.")
    merge_s: int | None = Field(
        None,
        ge=0,
        le=MERGE_MAX // SECOND,
        description="Moments with no more calm between them are one.",
    )
    cool_down_s: int | None = Field(
        None,
        ge=0,
        le=COOL_DOWN_MAX // SECOND,
        description="After an end no new moment of the kind opens for so long, unless it scores"
        " higher than the last one.",
    )
    silence_after_s: int | None = Field(
        None,
        ge=SILENCE_MIN // SECOND,
        le=SILENCE_MAX // SECOND,
        description="How long a series may pause at least before it is silent.",
    )

    @field_validator("merge_s", "cool_down_s", "silence_after_s", mode="before")
    @classmethod
    def _take_whole(cls, value: object) -> object:
        # In JSON 60.0 is the same number as 60.
        return int(value) if isinstance(value, float) and value.is_integer() else value

    @model_validator(mode="after")
    def _sets_something(self) -> Self:
        if not self.to_rule("").changes:
            names = [name for name in TuningIn.model_fields if not name.endswith("_pattern")]
            message = f"set at least one of {', '.join(names)}"
            raise ValueError(message)
        return self

    def to_rule(self, tuning_id: str) -> TuningRule:
        """Return it as the rules of the flow have it."""
        return TuningRule(
            tuning_id=tuning_id,
            stream_pattern=self.stream_pattern,
            metric_pattern=self.metric_pattern,
            is_watched=self.is_watched,
            strictness=self.strictness,
            deviation_min=self.deviation_min,
            direction=self.direction,
            merge=_read_seconds(self.merge_s),
            cool_down=_read_seconds(self.cool_down_s),
            silence_after=_read_seconds(self.silence_after_s),
        )


class TuningOut(BaseModel):
    """A rule as it is kept."""

    tuning_id: str
    stream_pattern: str
    metric_pattern: str
    is_watched: bool | None
    strictness: float | None
    deviation_min: float | None
    direction: Direction | None
    merge_s: int | None
    cool_down_s: int | None
    silence_after_s: int | None
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str


class TuningPage(BaseModel):
    """A page of rules, by their patterns."""

    data: list[TuningOut]
    next_cursor: str | None


class TuningQuery(BaseModel):
    """The parameters of the list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=500)
    cursor: str | None = Field(None, max_length=400, description="next_cursor of the page before.")


def _read_seconds(seconds: int | None) -> timedelta | None:
    return None if seconds is None else seconds * SECOND
