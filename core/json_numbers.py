"""JSON numbers: read exactly where that is simple.

Used by ``core.json_lines``. A number whose digits and whose power of ten both fit a float is one
multiplication; the few others are left to a slower reader.
"""

from typing import Final

import numpy as np

from core.compiled import Bytes, compiled
from core.json_texts import NOT_OURS

_DIGITS_MAX: Final = 15
"""So many digits always fit a float."""

_POWERS: Final = 10.0 ** np.arange(23)
"""The powers of ten that are floats without rounding."""

_MINUS, _PLUS, _POINT, _ZERO, _NINE = (np.uint8(ord(sign)) for sign in "-+.09")
_CASE: Final = np.uint8(0x20)
_EXPONENT: Final = np.uint8(ord("e"))


@compiled
def scan_number(data: Bytes, at: int, is_whole: bool) -> tuple[float, int]:
    """Return the number that begins here and where it ends."""
    is_negative = data[at] == _MINUS
    at += is_negative
    whole, end = _read_digits(data, at, 0)
    if end == at or (data[at] == _ZERO and end > at + 1):
        return 0.0, NOT_OURS
    if is_whole and (data[end] == _POINT or data[end] | _CASE == _EXPONENT):
        return 0.0, NOT_OURS
    digits = end - at
    mantissa, power = whole, 0
    at = end
    if data[at] == _POINT:
        mantissa, end = _read_digits(data, at + 1, whole)
        power = at + 1 - end
        if power == 0:
            return 0.0, NOT_OURS
        digits -= power
        at = end
    if data[at] | _CASE == _EXPONENT:
        exponent, at = _read_exponent(data, at + 1)
        power += exponent
    is_simple = digits <= _DIGITS_MAX and abs(power) < len(_POWERS)
    if at == NOT_OURS or not is_simple:
        return 0.0, NOT_OURS
    value = mantissa * _POWERS[power] if power >= 0 else mantissa / _POWERS[-power]
    return (-value if is_negative else value), at


@compiled
def _read_digits(data: Bytes, at: int, number: int) -> tuple[int, int]:
    """Return a number continued by the digits here, and where they end."""
    while _ZERO <= data[at] <= _NINE:
        number = number * 10 + int(data[at] - _ZERO)
        at += 1
    return number, at


@compiled
def _read_exponent(data: Bytes, at: int) -> tuple[int, int]:
    is_negative = data[at] == _MINUS
    at += is_negative or data[at] == _PLUS
    exponent, end = _read_digits(data, at, 0)
    if end == at or end > at + 4:
        return 0, NOT_OURS
    return (-exponent if is_negative else exponent), end
