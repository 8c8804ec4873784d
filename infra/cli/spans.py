"""Spans: ``2h`` before or after now, or a time, as command lines name them."""

import re
from datetime import datetime, timedelta
from typing import Final

from core.errors import InvalidError
from core.times import parse_time

UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

_SPAN: Final = re.compile(r"(\d{1,4})([smhd])")
"""27 years of days: more leads out of the calendar."""


def read_ago(text: str, now: datetime) -> datetime:
    """Return the time that lies so far back, or that a text names.

    Raises:
        InvalidError: It is neither.
    """
    span = _find_span(text)
    return _read(text) if span is None else now - span


def read_ahead(text: str, now: datetime) -> datetime:
    """Return the time that lies so far ahead, or that a text names.

    Raises:
        InvalidError: It is neither.
    """
    span = _find_span(text)
    return _read(text) if span is None else now + span


def _find_span(text: str) -> timedelta | None:
    found = _SPAN.fullmatch(text.strip())
    return timedelta(**{UNITS[found[2]]: int(found[1])}) if found else None


def _read(text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError:
        raise InvalidError(
            f"{text!r} is neither a span as 2h, 30m or 7d nor a time as 2026-01-26T10:00Z."
        ) from None
