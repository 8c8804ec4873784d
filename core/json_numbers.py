"""JSON numbers: where they end. What they are worth is left to Polars.

Used by ``core.json_lines`` and ``core.line_values``.
"""

from typing import Final

import numpy as np

from core.compiled import Bytes, compiled
from core.json_texts import NOT_OURS

_MINUS, _PLUS, _POINT, _ZERO, _NINE = (np.uint8(ord(sign)) for sign in "-+.09")
_CASE: Final = np.uint8(0x20)
_EXPONENT: Final = np.uint8(ord("e"))


@compiled
def skip_whole(data: Bytes, at: int) -> int:
    """Return where the whole number that begins here ends."""
    at += data[at] == _MINUS
    end = skip_digits(data, at)
    is_odd = end == at or (data[at] == _ZERO and end > at + 1)
    return NOT_OURS if is_odd else end


@compiled
def skip_number(data: Bytes, at: int) -> int:
    """Return where the number that begins here ends."""
    at = skip_whole(data, at)
    if at == NOT_OURS:
        return NOT_OURS
    if data[at] == _POINT:
        end = skip_digits(data, at + 1)
        if end == at + 1:
            return NOT_OURS
        at = end
    if data[at] | _CASE == _EXPONENT:
        at += 1
        at += data[at] == _MINUS or data[at] == _PLUS
        end = skip_digits(data, at)
        return NOT_OURS if end == at else end
    return at


@compiled
def skip_digits(data: Bytes, at: int) -> int:
    """Return where the digits that begin here end."""
    while _ZERO <= data[at] <= _NINE:
        at += 1
    return at
