"""Metrics rows as clients read them, and how they ask for them."""

from datetime import datetime
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, Field, model_validator

from api.formats import FormatName
from api.paging import CURSOR_TEXT, SpanQuery, read_cursor
from core.errors import InvalidError
from core.resolutions import BY_NAME, MINUTE, ROWS_MAX, Resolution, choose_resolution
from core.times import parse_time

ResolutionName: TypeAlias = Literal["1m", "5m", "15m", "1h", "1d"]
ResolutionChoice: TypeAlias = Literal["1m", "5m", "15m", "1h", "1d", "auto"]

RESOLUTION_TEXT: Final = (
    "How much time a row tells of. `auto` takes the finest that gives the range, from start to end"
    " or now, no more than 1 000 rows, and minutes when there is no start. The answer says which"
    " it is. Windows begin at whole multiples in UTC; a row is in the range when its window_start"
    " is. `1h` and `1d` are made of complete minutes only, the others also of the running one."
)


POINTS_MIN: Final = 3
POINTS_MAX: Final = 2000
"""Rows of a chart; the widest screens have some four thousand pixels."""

THINNED_ROWS_MAX: Final = 10_000
"""Rows that one answer is thinned from: a week of minutes."""

PointCount: TypeAlias = Annotated[int, Field(ge=POINTS_MIN, le=POINTS_MAX)]
POINTS_TEXT: Final = (
    "Thin the range to at most so many rows for a chart. Rows are picked and not averaged: in each"
    " slice of time the ones with the highest and the lowest values stay, so every peak is still"
    " there. `limit` then says nothing, and there is no next page."
)
FORMAT_TEXT: Final = (
    "Without it, the Accept header decides; JSON if that says nothing. `csv` and `arrow` (an IPC"
    " stream) bring the whole range, or as many rows as a given `limit` says. In `csv` a text that"
    " a spreadsheet would take for a formula begins with an apostrophe."
)


class MetricsQuery(SpanQuery):
    """Which windows are wanted."""

    resolution: ResolutionChoice = Field("auto", description=RESOLUTION_TEXT)
    points: PointCount | None = Field(None, description=POINTS_TEXT)
    format: FormatName | None = Field(None, description=FORMAT_TEXT)

    @model_validator(mode="after")
    def _points_have_no_pages(self) -> Self:
        if self.points is not None and self.cursor is not None:
            message = "points cover the whole range: leave out cursor, or points"
            raise ValueError(message)
        return self

    @property
    def rows_max(self) -> int | None:
        """How many rows were asked for; None when the request does not say."""
        return self.limit if "limit" in self.model_fields_set else None

    def choose_resolution(self, now: datetime) -> Resolution:
        """Return the resolution asked for, that of the page before, or one that suits the range."""
        if self.resolution != "auto":
            return BY_NAME[self.resolution]
        if self.cursor:
            return _read_window_cursor(self.cursor)[1]
        if self.start is None:
            return MINUTE
        rows_max = ROWS_MAX if self.points is None else THINNED_ROWS_MAX
        return choose_resolution(max(min(self.end or now, now), self.start) - self.start, rows_max)

    def read_position(self, cursor: str) -> datetime:
        """Return where the page before ended."""
        return _read_window_cursor(cursor)[0]


def write_window_position(start: datetime, resolution: Resolution) -> str:
    """Return the place of a window for a cursor; a time alone is that of a minute."""
    suffix = "" if resolution is MINUTE else f"|{resolution.name}"
    return start.isoformat() + suffix


def _read_window_cursor(cursor: str) -> tuple[datetime, Resolution]:
    time, _, name = read_cursor(cursor).partition("|")
    try:
        return parse_time(time), BY_NAME[name or MINUTE.name]
    except (KeyError, ValueError):
        raise InvalidError(CURSOR_TEXT) from None


class EmoteCount(BaseModel):
    """An emote and how often it was said."""

    emote: str
    count: int


class MetricsRow(BaseModel):
    """Chat and viewers of one stream in one window."""

    stream_id: str
    window_start: datetime
    window_end: datetime
    chat_count: int
    unique_chatters: int = Field(
        description="Of a window of several minutes: the most of any of them."
    )
    top_emotes: list[EmoteCount]
    avg_sentiment: float | None
    chat_rate: float = Field(description="Messages a second over the minutes that have data.")
    avg_viewers: float | None
    peak_viewers: float | None
    z_score: float | None = Field(description="Null beyond one minute: only minutes are judged.")
    is_anomaly: bool | None = Field(description="Null beyond one minute.")
    revision: int
    final: bool | None = Field(description="Null beyond one minute: late events may change rows.")


class MetricsPage(BaseModel):
    """A page of windows, newest first."""

    data: list[MetricsRow]
    next_cursor: str | None
    resolution: ResolutionName
