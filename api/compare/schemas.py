"""Comparisons as clients read them, and how they ask for them."""

from datetime import datetime, timedelta
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, BaseModel, Field

from api.metrics.schemas import RESOLUTION_TEXT, PointCount, ResolutionChoice, ResolutionName
from api.paging import RangeQuery
from core.comparisons import CHANNEL_COLUMNS, CHAT_COLUMNS, CURVE_PATTERN, Curve
from core.resolutions import BY_NAME, Resolution, choose_resolution
from core.times import EPOCH
from db.minutes import END, Span

SERIES_MAX: Final = 8
"""Curves that people can still tell apart, and the most that one request may read."""

RANGE: Final = timedelta(days=1)
"""What is compared when no start is given."""

SERIES_TEXT: Final = (
    "What to compare, by repeating the parameter: `STREAM` for the chat of a stream,"
    " `STREAM/channel:NAME` for a channel, and `/COLUMN` after either for another column than the"
    f" first of {', '.join(CHAT_COLUMNS)}, or of {', '.join(CHANNEL_COLUMNS)}."
)


def _check(text: str) -> str:
    return str(Curve.parse(text))


SeriesName: TypeAlias = Annotated[
    str,
    AfterValidator(_check),
    Field(max_length=300, json_schema_extra={"pattern": CURVE_PATTERN}),
]


class CompareQuery(RangeQuery):
    """What is compared, and when."""

    series: list[SeriesName] = Field(
        min_length=1,
        max_length=SERIES_MAX,
        description=SERIES_TEXT,
        examples=[["northlight_live/avg_viewers", "bench-07/channel:cell_3_temp"]],
    )
    resolution: ResolutionChoice = Field("auto", description=RESOLUTION_TEXT)
    points: PointCount = Field(
        1000, description="Most times on the axis; the highest and lowest values of a slice stay."
    )

    def to_span(self, now: datetime) -> Span:
        """Return the range asked for, a day if it has no start."""
        start = self.start or max(self.end or now, EPOCH + RANGE) - RANGE
        return Span(start, self.end or END)

    def choose_resolution(self, span: Span, now: datetime) -> Resolution:
        """Return the resolution asked for, or one that suits the range."""
        if self.resolution != "auto":
            return BY_NAME[self.resolution]
        return choose_resolution(max(min(span.end, now), span.start) - span.start)


class SeriesOut(BaseModel):
    """One curve: a value for each time of the axis."""

    series: str
    stream_id: str
    channel: str | None
    column: str
    values: list[float | None] = Field(description="Null where this series has no data.")


class Comparison(BaseModel):
    """Curves on one axis of time, oldest first."""

    data: list[SeriesOut]
    next_cursor: None
    resolution: ResolutionName
    times: list[datetime] = Field(
        description="Starts of windows; one without any data is left out."
    )
