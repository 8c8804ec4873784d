"""ISO times: the one form that nearly all senders use, read from bytes.

    2026-11-21T08:30:00.125Z or +02:00 -> microseconds since 1970

Used by ``core.json_lines``; every other form is the business of ``core.events``.
"""

from typing import Final

import numpy as np

from core.compiled import Bytes, compiled
from core.json_texts import NULL, Spans
from core.rows import Ints

_UNREAD: Final = np.iinfo(np.int64).min
"""Stands for a time in another form, and for none."""

_FORM: Final = np.frombuffer(b"dddd-dd-ddTdd:dd:dd", np.uint8)
_DIGIT: Final = np.uint8(ord("d"))
_POINT, _PLUS, _MINUS, _UTC, _ZERO, _NINE, _COLON = (np.uint8(ord(sign)) for sign in ".+-Z09:")
_DAYS: Final = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_SECOND: Final = 1_000_000


def read_iso_times(data: Bytes, spans: Spans) -> Ints | None:
    """Return the microseconds of each time; None where one has another form."""
    times = np.empty(len(spans), np.int64)
    return times if _read_times(data, spans, times) else None


@compiled
def _read_times(data: Bytes, spans: Spans, times: Ints) -> bool:
    for row in range(len(spans)):
        times[row] = _read_time(data, spans[row, 0], spans[row, 1])
        if times[row] == _UNREAD:
            return False
    return True


@compiled
def _read_time(data: Bytes, begin: int, end: int) -> int:
    if begin <= NULL or end - begin <= len(_FORM) or not _has_form(data, begin):
        return _UNREAD
    year = 100 * _read_pair(data, begin) + _read_pair(data, begin + 2)
    month, day = _read_pair(data, begin + 5), _read_pair(data, begin + 8)
    hour, minute = _read_pair(data, begin + 11), _read_pair(data, begin + 14)
    second = _read_pair(data, begin + 17)
    if hour > 23 or minute > 59 or second > 59 or not _is_date(year, month, day):
        return _UNREAD
    micros, at = _read_fraction(data, begin + len(_FORM), end)
    offset = _read_offset(data, at, end)
    if offset == _UNREAD:
        return _UNREAD
    minutes = (_count_days(year, month, day) * 24 + hour) * 60 + minute - offset
    return (minutes * 60 + second) * _SECOND + micros


@compiled
def _has_form(data: Bytes, begin: int) -> bool:
    for index in range(len(_FORM)):
        wanted, byte = _FORM[index], data[begin + index]
        if wanted == _DIGIT:
            if not _is_digit(byte):
                return False
        elif byte != wanted:
            return False
    return True


@compiled
def _is_digit(byte: np.uint8) -> bool:
    return bool(_ZERO <= byte <= _NINE)


@compiled
def _read_pair(data: Bytes, at: int) -> int:
    return int(data[at] - _ZERO) * 10 + int(data[at + 1] - _ZERO)


@compiled
def _is_date(year: int, month: int, day: int) -> bool:
    if year < 1 or month < 1 or month > 12 or day < 1:
        return False
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return bool(day <= _DAYS[month - 1] + (is_leap and month == 2))


@compiled
def _count_days(year: int, month: int, day: int) -> int:
    """Return the days since 1970: years that begin in March have their odd day at the end."""
    if month <= 2:
        year -= 1
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + day_of_year - 719_468


@compiled
def _read_fraction(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return the microseconds behind a point, if there is one, and where they end."""
    if data[at] != _POINT:
        return 0, at
    at += 1
    micros, unit = 0, _SECOND
    while at < end and unit > 1 and _is_digit(data[at]):
        unit //= 10
        micros += int(data[at] - _ZERO) * unit
        at += 1
    # A point without digits is no time: the place of the point is no offset.
    return micros, (at if unit < _SECOND else at - 1)


@compiled
def _read_offset(data: Bytes, at: int, end: int) -> int:
    """Return by how many minutes a zone is ahead, which ends the time."""
    if at + 1 == end and data[at] == _UTC:
        return 0
    if at + 6 != end or data[at + 3] != _COLON:
        return _UNREAD
    for index in (1, 2, 4, 5):
        if not _is_digit(data[at + index]):
            return _UNREAD
    hours, minutes = _read_pair(data, at + 1), _read_pair(data, at + 4)
    if hours > 23 or minutes > 59:
        return _UNREAD
    if data[at] == _PLUS:
        return hours * 60 + minutes
    return -(hours * 60 + minutes) if data[at] == _MINUS else _UNREAD
