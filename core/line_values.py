"""Line values: what may stand behind a field and at the end of a line, and of which kind it is.

    1.5  -2e3  12i  7u  t  true  "text"  |  1700000000000000000

Used by ``core.line_scans``. What numbers are worth is left to Polars.
"""

from typing import Final

import numpy as np

from core.compiled import Bytes, compiled
from core.json_numbers import skip_digits
from core.json_texts import NOT_OURS
from core.line_names import BACKSLASH, BREAK, POINT, QUOTE

NOTHING, FLOAT, WHOLE, FALSE, TRUE = range(5)
"""Kinds of values; a whole number has a letter behind it."""

_MINUS, _PLUS, _ZERO, _NINE, _E, _I, _U = (np.uint8(ord(sign)) for sign in "-+09eiu")
_CASE: Final = np.uint8(0x20)

_FALSES: Final = (b"f", b"F", b"false", b"False", b"FALSE")
_TRUES: Final = (b"t", b"T", b"true", b"True", b"TRUE")
_WORDS: Final = np.frombuffer(b"".join((*_FALSES, *_TRUES)), np.uint8)
_WORD_ENDS: Final = np.cumsum([0, *map(len, (*_FALSES, *_TRUES))])

_MOST: Final = np.frombuffer(b"9223372036854775807", np.uint8)
_LEAST: Final = np.frombuffer(b"9223372036854775808", np.uint8)
_MOST_UNSIGNED: Final = np.frombuffer(b"18446744073709551615", np.uint8)

NO_TIME: Final = np.iinfo(np.int64).min
"""Stands for a time that is none, or that does not fit."""


@compiled
def find_kind(data: Bytes, begin: int, end: int) -> int:
    """Return of which kind a value without quotes is."""
    if begin == end:
        return NOTHING
    last = data[end - 1]
    if last == _I:
        is_negative = data[begin] == _MINUS
        begin += is_negative or data[begin] == _PLUS
        is_good = _is_within(data, begin, end - 1, _LEAST if is_negative else _MOST)
        return WHOLE if is_good else NOTHING
    if last == _U:
        return WHOLE if _is_within(data, begin, end - 1, _MOST_UNSIGNED) else NOTHING
    for word in range(len(_WORD_ENDS) - 1 if data[begin] > _NINE else 0):
        if _is_word(data, begin, end, word):
            return TRUE if word >= len(_FALSES) else FALSE
    return FLOAT if _skip_float(data, begin) == end else NOTHING


@compiled
def _is_word(data: Bytes, begin: int, end: int, word: int) -> bool:
    at = _WORD_ENDS[word]
    if end - begin != _WORD_ENDS[word + 1] - at:
        return False
    for index in range(begin, end):
        if data[index] != _WORDS[at]:
            return False
        at += 1
    return True


@compiled
def _is_within(data: Bytes, begin: int, end: int, most: Bytes) -> bool:
    """Whether digits, and nothing else, are worth no more than others."""
    if begin == end or skip_digits(data, begin) != end:
        return False
    while begin < end and data[begin] == _ZERO:
        begin += 1
    if end - begin != len(most):
        return bool(end - begin < len(most))
    for index in range(len(most)):
        if data[begin + index] != most[index]:
            return bool(data[begin + index] < most[index])
    return True


@compiled
def _skip_float(data: Bytes, begin: int) -> int:
    """Return where the number that begins here ends."""
    begin += data[begin] == _MINUS or data[begin] == _PLUS
    at = skip_digits(data, begin)
    count = at - begin
    if data[at] == POINT:
        end = skip_digits(data, at + 1)
        count += end - at - 1
        at = end
    if count == 0:
        return NOT_OURS
    if data[at] | _CASE == _E:
        at += 1
        at += data[at] == _MINUS or data[at] == _PLUS
        end = skip_digits(data, at)
        return NOT_OURS if end == at else end
    return at


@compiled
def skip_text(data: Bytes, at: int) -> tuple[int, int]:
    """Return where the text ends that begins here, at its quote, and how many lines it ends."""
    breaks = 0
    while at < len(data) and data[at] != QUOTE:
        # A backslash before a break escapes nothing, but the break is one all the same.
        at += data[at] == BACKSLASH and data[at + 1] != BREAK
        breaks += data[at] == BREAK
        at += 1
    return (at, breaks) if at < len(data) else (NOT_OURS, 0)


@compiled
def read_time(data: Bytes, begin: int, end: int, unit: int) -> int:
    """Return the nanoseconds of a time in some unit of so many nanoseconds."""
    is_negative = data[begin] == _MINUS
    begin += is_negative
    if not _is_within(data, begin, end, _MOST):
        return NO_TIME
    time = 0
    for index in range(begin, end):
        time = time * 10 + int(data[index] - _ZERO)
    if time > -(NO_TIME + 1) // unit:
        return NO_TIME
    return (-time if is_negative else time) * unit
