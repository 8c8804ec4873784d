"""Points as clients send and read them."""

from datetime import datetime
from typing import Annotated, Any, Final, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.paging import Time
from core.events import TEXT_BYTES_MAX, VALUE_MAX
from core.ids import NAME_PATTERN
from core.sessions import VALUES_MAX

CHANNEL_PATTERN: Final = r"^([A-Za-z0-9_.:@~+=#-]{1,128}/)?[A-Za-z0-9_.:@~+=#-]{1,128}$"
"""A channel of the session's own stream, or of another: ``stream/channel``."""

ChannelName: TypeAlias = Annotated[str, StringConstraints(pattern=CHANNEL_PATTERN)]
UNIT_LENGTH_MAX: Final = TEXT_BYTES_MAX // 4

Unit: TypeAlias = Annotated[
    str, StringConstraints(max_length=UNIT_LENGTH_MAX, pattern=r"^[^\x00]*$")
]

LIMIT_MAX: Final = 10_000


class PointIn(BaseModel):
    """A value of a channel at a time."""

    timestamp: Time = Field(examples=["2026-01-26T10:32:15.250Z"])
    channel: str = Field(pattern=NAME_PATTERN, examples=["valve_pressure"])
    value: float = Field(ge=-VALUE_MAX, le=VALUE_MAX, strict=True, examples=[2.1])
    unit: Unit | None = Field(None, examples=["bar"])


class BatchIn(BaseModel):
    """Many points at once; all are taken, or none."""

    data: list[PointIn]


class PointOut(BaseModel):
    """A value of a channel at a time."""

    id: str = Field(description="The same for the same value of the channel at the same time.")
    session_id: str
    timestamp: datetime
    channel: str = Field(description="Of a stream that the session looks at: `stream/channel`.")
    value: float
    unit: str | None


class CreatedOut(BaseModel):
    """How many points were taken."""

    created: int


class PointPage(BaseModel):
    """A page of points, newest first."""

    data: list[PointOut]
    next_cursor: str | None


class ChannelsOut(BaseModel):
    """The channels that have points."""

    channels: list[str]


class PointQuery(BaseModel):
    """Which points are wanted."""

    model_config = ConfigDict(extra="forbid")

    channel: ChannelName | None = Field(None, description="Left out: all.", examples=["temp"])
    start: Time | None = Field(None, alias="from", description="From here on.")
    end: Time | None = Field(None, alias="to", description="Up to here, and not including it.")
    limit: int = Field(
        1000, ge=1, le=LIMIT_MAX, description=f"Times the channels asked for, {VALUES_MAX} at most."
    )
    cursor: str | None = Field(None, max_length=200, description="next_cursor of the page before.")

    @model_validator(mode="after")
    def _end_follows_start(self) -> Self:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError("to lies before from")
        return self


class LatestQuery(BaseModel):
    """Of which channel the newest value is wanted."""

    model_config = ConfigDict(extra="forbid")

    channel: ChannelName = Field(examples=["valve_pressure"])


def describe_batch() -> dict[str, Any]:
    """Return what the pages of the API say of a batch, which is read in columns."""
    schema = BatchIn.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs")
    point = {"timestamp": "2026-01-26T10:32:15Z", "channel": "valve_pressure", "value": 2.1}
    example = {"data": [{**point, "unit": "bar"}, {**point, "channel": "valve_temp"}]}
    return {
        "required": True,
        "content": {"application/json": {"schema": schema, "example": example}},
    }
