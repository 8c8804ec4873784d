"""Times: how clients may write a point in time.

ISO 8601, with a zone or read as UTC, or an epoch in seconds, milliseconds, microseconds or
nanoseconds, told apart by size.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
_UNITS: Final = ((1e11, 1e6), (1e14, 1e3), (1e17, 1.0), (1e20, 1e-3))
"""Up to which size a number counts in which unit, as microseconds."""


def parse_time(text: str) -> datetime:
    """Return the time that a text names.

    Raises:
        ValueError: The text names none.
    """
    try:
        number = float(text)
    except ValueError:
        return _parse_iso(text)
    for limit, micros in _UNITS:
        if abs(number) < limit:
            try:
                return EPOCH + timedelta(microseconds=round(number * micros))
            except OverflowError:
                break
    raise ValueError(_EXPLANATION)


def _parse_iso(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", text.strip()))
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(_EXPLANATION) from None


_LOST_PLUS: Final = re.compile(r"(:\d\d(?:\.\d+)?) \+?(\d\d:?\d\d)$")
"""A plus in a query string arrives as a space when the client forgot to escape it."""

_EXPLANATION: Final = "a time is ISO 8601, as in 2026-01-26T10:32:15Z, or an epoch"
