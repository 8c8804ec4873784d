"""JSON texts: where they end, and what they say once their escapes are undone.

Used by ``core.json_lines``. A line break ends every search, since no JSON text may hold one.
"""

from typing import Final

import nanoarrow
import numpy as np
from nanoarrow.c_array import CArray
from numpy.typing import NDArray

from core.compiled import Bytes, compiled
from core.rows import Ints

Spans = NDArray[np.int32]
"""Where values begin and end. One with escapes begins at ``mark_escaped`` of its place."""

NULL: Final = -1
"""Where a value begins that is not there."""

NOT_OURS: Final = -1
"""Stands for the place behind something that is read elsewhere."""

TEXT: Final = nanoarrow.large_string()

_QUOTE: Final = np.uint8(ord('"'))
_BACKSLASH: Final = np.uint8(ord("\\"))
_LEAST: Final = np.uint8(32)
"""What is less is a control character and never stands in a text."""

_ESCAPES: Final = np.zeros(256, np.uint8)
"""What the sign behind a backslash means; 0 where it means nothing."""
_ESCAPES[np.frombuffer(b'"\\/bfnrt', np.uint8)] = np.frombuffer(b'"\\/\b\f\n\r\t', np.uint8)

_DIGITS: Final = np.full(256, 255, np.uint8)
"""What a hexadecimal digit counts; 255 for what is none."""
_DIGITS[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)
_DIGITS[np.frombuffer(b"ABCDEF", np.uint8)] = np.arange(10, 16)

_UNICODE: Final = np.uint8(ord("u"))
_SURROGATES: Final = 0xD800
_LOW_SURROGATES: Final = 0xDC00
_SURROGATES_END: Final = 0xE000


@compiled
def scan_text(data: Bytes, at: int) -> tuple[int, bool]:
    """Return where the text that begins here ends, at its quote, and whether it has escapes."""
    is_escaped = False
    byte = data[at]
    while byte != _QUOTE:
        if byte < _LEAST:
            return NOT_OURS, False
        if byte == _BACKSLASH:
            is_escaped = True
            at += 1
            if data[at] < _LEAST:
                return NOT_OURS, False
        at += 1
        byte = data[at]
    return at, is_escaped


@compiled
def mark_escaped(begin: int) -> int:
    """Return what stands for the beginning of a text with escapes; done twice it is undone."""
    return NULL - 1 - begin


def make_texts(data: Bytes, spans: Spans) -> CArray | None:
    """Return the texts in some places as a column; None where an escape means nothing."""
    ends = np.zeros(len(spans) + 1, np.int64)
    letters = np.empty(_count_bytes(spans), np.uint8)
    if not _copy_texts(data, spans, ends, letters):
        return None
    buffers = [mark_present(spans), ends, letters[: ends[-1]]]
    return nanoarrow.c_array_from_buffers(TEXT, len(spans), buffers)


def mark_present(spans: Spans) -> NDArray[np.uint8] | None:
    """Return a bit for each place, set where there is a value; None where there are all."""
    present = spans[:, 0] != NULL
    return None if present.all() else np.packbits(present, bitorder="little")


@compiled
def _count_bytes(spans: Spans) -> int:
    """Return how many bytes texts have at most: undoing escapes makes none longer."""
    count = 0
    for row in range(len(spans)):
        begin, end = spans[row, 0], spans[row, 1]
        if begin != NULL:
            count += end - (begin if begin >= 0 else mark_escaped(begin))
    return count


@compiled
def _copy_texts(data: Bytes, spans: Spans, ends: Ints, letters: Bytes) -> bool:
    """Copy texts and note where each ends; return whether all escapes mean something."""
    at = 0
    for row in range(len(spans)):
        begin, end = spans[row, 0], spans[row, 1]
        if begin >= 0:
            for source in range(begin, end):
                letters[at] = data[source]
                at += 1
        elif begin != NULL:
            at = _copy_escaped(data, mark_escaped(begin), end, letters, at)
            if at == NOT_OURS:
                return False
        ends[row + 1] = at
    return True


@compiled
def _copy_escaped(data: Bytes, begin: int, end: int, letters: Bytes, at: int) -> int:
    """Copy a text without its escapes; return where it ends."""
    while begin < end:
        byte = data[begin]
        begin += 1
        if byte == _BACKSLASH:
            byte = data[begin]
            begin += 1
            if byte == _UNICODE:
                code, begin = _read_unicode(data, begin, end)
                if code < 0:
                    return NOT_OURS
                at = _write_utf8(code, letters, at)
                continue
            byte = _ESCAPES[byte]
            if byte == 0:
                return NOT_OURS
        letters[at] = byte
        at += 1
    return at


@compiled
def _read_unicode(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return the character of an escape's digits and where it ends, both halves of it read."""
    code = _read_digits(data, at, end)
    at += 4
    if code < _SURROGATES or code >= _SURROGATES_END:
        return code, at
    if code >= _LOW_SURROGATES or at + 2 > end:
        return NOT_OURS, at
    if data[at] != _BACKSLASH or data[at + 1] != _UNICODE:
        return NOT_OURS, at
    low = _read_digits(data, at + 2, end)
    if low < _LOW_SURROGATES or low >= _SURROGATES_END:
        return NOT_OURS, at
    return 0x10000 + ((code - _SURROGATES) << 10) + low - _LOW_SURROGATES, at + 6


@compiled
def _read_digits(data: Bytes, at: int, end: int) -> int:
    if at + 4 > end:
        return NOT_OURS
    code = 0
    for index in range(at, at + 4):
        digit = _DIGITS[data[index]]
        if digit == 255:
            return NOT_OURS
        code = code << 4 | digit
    return code


@compiled
def _write_utf8(code: int, letters: Bytes, at: int) -> int:
    """Write a character; return where it ends."""
    if code < 0x80:
        letters[at] = code
        return at + 1
    if code < 0x800:
        letters[at] = 0xC0 | code >> 6
    elif code < 0x10000:
        letters[at] = 0xE0 | code >> 12
    else:
        letters[at] = 0xF0 | code >> 18
        at += 1
        letters[at] = 0x80 | code >> 12 & 0x3F
    if code >= 0x800:
        at += 1
        letters[at] = 0x80 | code >> 6 & 0x3F
    letters[at + 1] = 0x80 | code & 0x3F
    return at + 2
