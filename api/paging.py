"""Paging: bounded lists with an opaque cursor, and the times that requests name."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Self, TypeAlias

import orjson
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from core.errors import InvalidError
from core.times import parse_time
from db.minutes import BEGINNING, END, PointSpan, Span


def _read_time(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return parse_time(str(value))
    return parse_time(value) if isinstance(value, str) else value


YEAR_1_S: Final = -62_135_596_800
TIME_SCHEMA: Final = {
    "anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "number", "minimum": YEAR_1_S, "exclusiveMaximum": 1e20},
        # The size tells s, ms, µs and ns apart, before 1970 too.
        *(
            {"type": "number", "minimum": YEAR_1_S * unit, "maximum": -1e8 * unit}
            for unit in (1e3, 1e6, 1e9)
        ),
    ]
}

Time: TypeAlias = Annotated[datetime, BeforeValidator(_read_time), WithJsonSchema(TIME_SCHEMA)]
"""A point in time in a request: ISO 8601 or an epoch of any size."""


CURSOR_TEXT: Final = "cursor: take it from next_cursor of the page before."

SKIP_MAX: Final = 1_000_000
"""Points of one and the same time that a list can page through; more are no measurement."""


NUMBER_MAX: Final = (1 << 63) - 1
"""The largest number that a row can have."""


class RangeQuery(BaseModel):
    """The parameters of everything over time."""

    model_config = ConfigDict(extra="forbid")

    start: Time | None = Field(None, description="From here on.", examples=["2026-01-26T10:00:00Z"])
    end: Time | None = Field(None, description="Up to here, and not including it.")

    @model_validator(mode="after")
    def _end_follows_start(self) -> Self:
        if self.start is not None and self.end is not None and self.end < self.start:
            message = "end lies before start"
            raise ValueError(message)
        return self


class SpanQuery(RangeQuery):
    """The parameters of every list over time."""

    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=200, description="next_cursor of the page before.")

    def to_span(self) -> Span:
        """Return the span asked for, one row longer to see whether there are more."""
        end = self.end or END
        if self.cursor:
            end = min(end, self.read_position(self.cursor))
        return Span(start=self.start or BEGINNING, end=end, limit=self.limit + 1)

    def read_position(self, cursor: str) -> datetime:
        """Return where the page before ended."""
        return read_time_cursor(cursor)


class PointQuery(SpanQuery):
    """The parameters of every list of raw points."""

    def to_points(self) -> PointSpan:
        """Return the page asked for."""
        span = self.model_copy(update={"cursor": None}).to_span()
        if self.cursor is None:
            return PointSpan(span)
        return PointSpan(span, *read_point_cursor(self.cursor))


def write_cursor(position: str) -> str:
    """Return a position as a cursor."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> str:
    """Return the position that a cursor names.

    Raises:
        InvalidError: It is none of ours.
    """
    try:
        return base64.b64decode(
            cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True
        ).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise InvalidError(CURSOR_TEXT) from None


def read_time_cursor(cursor: str) -> datetime:
    """Return the time that a cursor names."""
    try:
        return parse_time(read_cursor(cursor))
    except ValueError:
        raise InvalidError(CURSOR_TEXT) from None


def write_place(time: datetime, name: object) -> str:
    """Return a place in a list that is ordered by time, and by a name where times are the same."""
    return f"{time.isoformat()}|{name}"


def read_place(cursor: str) -> tuple[datetime, str]:
    """Return the time and the name that a cursor names.

    Raises:
        InvalidError: It is none of ours.
    """
    time, _, name = read_cursor(cursor).partition("|")
    if "\x00" in name:
        # No name that is stored has one, and no database takes one.
        raise InvalidError(CURSOR_TEXT)
    try:
        return parse_time(time), name
    except ValueError:
        raise InvalidError(CURSOR_TEXT) from None


def read_numbered_place(cursor: str) -> tuple[datetime, int]:
    """Return the time and the number that a cursor names.

    Raises:
        InvalidError: It is none of ours.
    """
    time, text = read_place(cursor)
    if not (text.isascii() and text.isdecimal()) or (number := int(text)) > NUMBER_MAX:
        raise InvalidError(CURSOR_TEXT)
    return time, number


def read_point_cursor(cursor: str) -> tuple[datetime, int]:
    """Return the time that a cursor of raw points names, and how many of that time were given.

    Raises:
        InvalidError: It is none of ours.
    """
    time, skip = read_numbered_place(cursor)
    if skip > SKIP_MAX:
        raise InvalidError(CURSOR_TEXT)
    return time, skip


def find_next_point(times: Sequence[datetime], wanted: PointSpan) -> str | None:
    """Return where the next page of raw points begins: a time, and how many of it were given."""
    limit = wanted.span.limit - 1
    if len(times) <= limit:
        return None
    last = times[limit - 1]
    given = times[:limit].count(last)
    # A page may be too short for all points of one time.
    earlier = wanted.skip if last == wanted.until else 0
    return write_place(last, given + earlier)


def write_points(rows: Sequence[dict[str, Any]], wanted: PointSpan) -> bytes:
    """Return a page of raw points as JSON, given one more than it has when more follow."""
    more = find_next_point([row["timestamp"] for row in rows], wanted)
    return write_page(rows[: wanted.span.limit - 1], next_position=more)


def write_page(rows: Sequence[dict[str, Any]], *, next_position: str | None, **facts: str) -> bytes:
    """Return a page of rows as JSON, and what is said of all of them."""
    next_cursor = write_cursor(next_position) if next_position is not None else None
    page = {"data": rows, "next_cursor": next_cursor, **facts}
    return orjson.dumps(page, option=orjson.OPT_UTC_Z)
