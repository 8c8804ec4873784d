"""Boards as clients send and read them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from core.boards import (
    CHART_ID_PATTERN,
    CHARTS_MAX,
    COLUMNS,
    HEIGHT_MAX,
    RANGE_S_MAX,
    RANGE_S_MIN,
    TEXT_LENGTH_MAX,
    TEXT_PATTERN,
    WIDTH_MIN,
    OffsetS,
    StreamChartKind,
    find_twice,
)
from core.ids import NAME_PATTERN

Line: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=TEXT_LENGTH_MAX, pattern=TEXT_PATTERN)
]


def _take_whole(value: object) -> object:
    # In JSON 60.0 is the same number as 60; a false is none.
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole: TypeAlias = Annotated[int, Field(strict=True), BeforeValidator(_take_whole)]
StreamName: TypeAlias = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]


class _Part(BaseModel):
    """What a board is made of."""

    model_config = ConfigDict(extra="forbid")


class EarlierTime(_Part):
    """The same so much earlier."""

    offset_s: OffsetS


class OtherStream(_Part):
    """The same of another stream."""

    stream_id: StreamName


class _Placed(_Part):
    chart_id: str = Field(
        pattern=CHART_ID_PATTERN, description="Chosen by the client; each only once a board."
    )
    width: Whole = Field(6, ge=WIDTH_MIN, le=COLUMNS, description="Columns of twelve.")
    height: Whole = Field(2, ge=1, le=HEIGHT_MAX, description="Rows.")


class _Drawn(_Placed):
    stream_id: StreamName
    compare: EarlierTime | OtherStream | None = Field(None, description="What is drawn beside it.")
    title: Line | None = Field(None, description="null: what it shows.")


class StreamChart(_Drawn):
    """What is measured of a stream itself."""

    kind: StreamChartKind


class ChannelChart(_Drawn):
    """One channel of a stream."""

    kind: Literal["channel"]
    channel: StreamName


class HiddenChart(_Placed):
    """A chart of streams out of the key's reach: only its place is told."""

    kind: Literal["hidden"]


class BoardIn(_Part):
    """A board to be made, or what a board is to become."""

    name: Line = Field(description="No two boards have the same.", examples=["Finals"])
    range_s: Whole = Field(
        7200,
        ge=RANGE_S_MIN,
        le=RANGE_S_MAX,
        description="How much the charts show, up to now.",
    )
    charts: list[Annotated[StreamChart | ChannelChart, Field(discriminator="kind")]] = Field(
        [], max_length=CHARTS_MAX, description="In their order: rows of twelve columns are filled."
    )

    @model_validator(mode="after")
    def _have_their_own_ids(self) -> Self:
        if (twice := find_twice(chart.model_dump() for chart in self.charts)) is not None:
            message = f"two charts have the chart_id {twice}"
            raise ValueError(message)
        return self

    def to_row(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return self.model_dump(mode="json")


class BoardOut(BaseModel):
    """A board as it is kept, as far as the key reaches."""

    board_id: str
    name: str
    range_s: int
    charts: list[Annotated[StreamChart | ChannelChart | HiddenChart, Field(discriminator="kind")]]
    version: int = Field(description="Another number after each change; also in the ETag.")
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str


class BoardPage(BaseModel):
    """A page of boards, by name."""

    data: list[BoardOut]
    next_cursor: str | None


class BoardQuery(BaseModel):
    """The parameters of the list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=600, description="next_cursor of the page before.")
