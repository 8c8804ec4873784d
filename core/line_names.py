"""Line names: names of the line protocol as ids of streams and names of channels.

    measurement, field, tags  ->  cpu.usage_idle:cpu=cpu0:dc=eu

Tags stand in the order of their keys, however a sender orders them. A byte that may not stand in a
name, or that divides it, is written as ``~`` and two hexadecimal digits, like ``%`` in addresses;
so different names stay different. A name over the limit is cut, and ends with ``~~`` and a hash of
all of it: nothing else ends so.

Used by ``core.line_scans``, which finds the names, and by ``core.line_protocol``.
"""

import string
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.compiled import Bytes, compiled

NAME_BYTES_MAX: Final = 128
"""As ``core.events.NAME_PATTERN`` says."""

MEASUREMENT, FIELD, KEY, VALUE, STREAM, PLAIN, NUMBER = range(7)
"""Kinds of what stands in a line: the last three are a tag's value or a bucket that names a stream,
and a value of a field without quotes."""

POINT, COLON, EQUALS, COMMA, SPACE, BREAK, RETURN, BACKSLASH, QUOTE = (
    np.uint8(ord(sign)) for sign in '.:=, \n\r\\"'
)
_TILDE: Final = np.uint8(ord("~"))
_HEX: Final = np.frombuffer(b"0123456789ABCDEF", np.uint8)
_HASH_DIGITS: Final = 16
_KEPT_BYTES: Final = NAME_BYTES_MAX - 2 - _HASH_DIGITS

_FNV_BEGIN: Final = np.uint64(0xCBF29CE484222325)
_FNV_PRIME: Final = np.uint64(0x100000001B3)
"""Fowler, Noll and Vo: the same on every machine and in every version."""

_LETTERS: Final = string.ascii_letters + string.digits + "_@+#-"


def _mark(*signs: str) -> NDArray[np.bool_]:
    """Return a table that tells of each kind which bytes are among its signs."""
    table = np.zeros((len(signs), 256), np.bool_)
    for kind, marked in enumerate(signs):
        table[kind, np.frombuffer(marked.encode(), np.uint8)] = True
    return table


_ENDS: Final = _mark(", \n\0", *["=, \n\0"] * 3, "\n", "\n", ", \n\r\0")
"""Of each kind, which bytes end it unless a backslash stands before them."""

_ESCAPED: Final = _mark(", ", *["=, "] * 4, "", "")
"""Of each kind, before which bytes a backslash means nothing else; elsewhere it is one."""

_SAFE: Final = _mark(*(_LETTERS + more for more in (".=", "=", ".", ".=", ".:=", ".:=", "")))
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
            letters[at], letters[at + 1], letters[at + 2] = _TILDE, _HEX[byte >> 4], _HEX[byte & 15]
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


@compiled
def cut_name(letters: Bytes, begin: int, end: int) -> int:
    """Cut a safe name that is too long; return where it ends."""
    if end - begin <= NAME_BYTES_MAX:
        return end
    hashed = _FNV_BEGIN
    for index in range(begin, end):
        hashed = (hashed ^ np.uint64(letters[index])) * _FNV_PRIME
    at = begin + _KEPT_BYTES
    letters[at], letters[at + 1] = _TILDE, _TILDE
    for digit in range(_HASH_DIGITS):
        shift = np.uint64(4 * (_HASH_DIGITS - 1 - digit))
        letters[at + 2 + digit] = _HEX[(hashed >> shift) & np.uint64(15)]
    return begin + NAME_BYTES_MAX


def make_stream_id(name: str) -> str:
    """Return the id of the stream that a bucket or a database names."""
    data = np.frombuffer(name.encode(), np.uint8)
    letters = np.empty(3 * len(data), np.uint8)
    end = cut_name(letters, 0, write_safe(data, (0, len(data)), PLAIN, letters, 0))
    return letters[:end].tobytes().decode()


def escape_key(key: str) -> bytes:
    """Return the key of a tag as it stands in lines."""
    return "".join(f"\\{sign}" if sign in "=, " else sign for sign in key).encode()
