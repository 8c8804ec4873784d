"""Line names: where names stand in the line protocol, and how they are written as ours.

    measurement, field, tags  ->  cpu.usage_idle:cpu=cpu0:dc=eu

The channel is that of a series called ``measurement.field`` (``core.safe_names``). Used by
``core.line_scans``, which finds the names, and by ``core.line_protocol``.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.compiled import Bytes, compiled
from core.safe_names import EVERYWHERE, HEX, IN_KEY, IN_NAME, IN_STREAM, IN_VALUE, TILDE

MEASUREMENT, FIELD, KEY, VALUE, STREAM, NUMBER = range(6)
"""Kinds of what stands in a line: the last two are a tag's value that names a stream, and a value
of a field without quotes."""

POINT, COLON, EQUALS, COMMA, SPACE, BREAK, RETURN, BACKSLASH, QUOTE = (
    np.uint8(ord(sign)) for sign in '.:=, \n\r\\"'
)


def _mark(*signs: str) -> NDArray[np.bool_]:
    """Return a table that tells of each kind which bytes are among its signs."""
    table = np.zeros((len(signs), 256), np.bool_)
    for kind, marked in enumerate(signs):
        table[kind, np.frombuffer(marked.encode(), np.uint8)] = True
    return table


_ENDS: Final = _mark(", \n\0", *["=, \n\0"] * 3, "\n", ", \n\r\0")
"""Of each kind, which bytes end it unless a backslash stands before them."""

_ESCAPED: Final = _mark(", ", *["=, "] * 4, "")
"""Of each kind, before which bytes a backslash means nothing else; elsewhere it is one."""

_IN_FIELD: Final = IN_NAME.replace(".", "")
"""The last point of a name stands before the field."""

_SAFE: Final = _mark(
    *(EVERYWHERE + signs for signs in (IN_NAME, _IN_FIELD, IN_KEY, IN_VALUE, IN_STREAM, ""))
)
"""Of each kind, which bytes stay as they are."""


@compiled
def find_end(data: Bytes, at: int, kind: int) -> int:
    """Return where what begins here ends."""
    while not _ENDS[kind, data[at]]:
        at += 1 + (data[at] == BACKSLASH and _ESCAPED[kind, data[at + 1]])
    return at


@compiled
def write_safe(data: Bytes, span: tuple[int, int], kind: int, letters: Bytes, at: int) -> int:
    """Write what stands in a span, made safe; return where that ends."""
    begin, end = span
    while begin < end:
        byte = data[begin]
        begin += 1
        if byte == BACKSLASH and begin < end and _ESCAPED[kind, data[begin]]:
            byte = data[begin]
            begin += 1
        letters[at] = byte
        if not _SAFE[kind, byte]:
            letters[at], letters[at + 1], letters[at + 2] = TILDE, HEX[byte >> 4], HEX[byte & 15]
            at += 2
        at += 1
    return at


@compiled
def write_plain(data: Bytes, span: tuple[int, int], letters: Bytes, at: int) -> int:
    """Write the value of a tag as it was before it was escaped; return where that ends."""
    begin, end = span
    while begin < end:
        byte = data[begin]
        if byte == BACKSLASH and begin + 1 < end and _ESCAPED[VALUE, data[begin + 1]]:
            begin += 1
            byte = data[begin]
        letters[at] = byte
        at += 1
        begin += 1
    return at


def escape_key(key: str) -> bytes:
    """Return the key of a tag as it stands in lines."""
    return "".join(f"\\{sign}" if sign in "=, " else sign for sign in key).encode()
