"""Paging: bounded lists with an opaque cursor, and the times that requests name."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self, TypeAlias

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from core.errors import InvalidError
from core.times import parse_time
from db.minutes import BEGINNING, END, Span


def _read_time(value: object) -> object:
    return parse_time(value) if isinstance(value, str) else value


Time: TypeAlias = Annotated[datetime, BeforeValidator(_read_time)]
"""A point in time in a request: ISO 8601 or an epoch of any size."""


class SpanQuery(BaseModel):
    """The parameters of every list over time."""

    model_config = ConfigDict(extra="forbid")

    start: Time | None = Field(None, description="From here on.", examples=["2026-01-26T10:00:00Z"])
    end: Time | None = Field(None, description="Up to here, and not including it.")
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=200, description="next_cursor of the page before.")

    @model_validator(mode="after")
    def _end_follows_start(self) -> Self:
        if self.start is not None and self.end is not None and self.end < self.start:
            message = "end lies before start"
            raise ValueError(message)
        return self

    def to_span(self) -> Span:
        """Return the span asked for, one row longer to see whether there are more."""
        end = self.end or END
        if self.cursor:
            end = min(end, read_time_cursor(self.cursor))
        return Span(start=self.start or BEGINNING, end=end, limit=self.limit + 1)


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
        raise InvalidError("cursor: take it from next_cursor of the page before.") from None


def read_time_cursor(cursor: str) -> datetime:
    """Return the time that a cursor names."""
    try:
        return parse_time(read_cursor(cursor))
    except ValueError:
        raise InvalidError("cursor: take it from next_cursor of the page before.") from None


def write_page(rows: Sequence[dict[str, Any]], *, next_position: str | None) -> bytes:
    """Return a page of rows as JSON."""
    next_cursor = write_cursor(next_position) if next_position is not None else None
    return orjson.dumps({"data": rows, "next_cursor": next_cursor}, option=orjson.OPT_UTC_Z)
