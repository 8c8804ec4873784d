"""Safe names: what other systems call their series, as ids of streams and names of channels.

    name, labels  ->  http_requests_total:code=200:path=~2Fapi

Labels stand in the order of their keys, however a sender orders them. A byte that may not stand in
a name here (``core.events.NAME_PATTERN``), or that divides it, is written as ``~`` and two
hexadecimal digits, like ``%`` in addresses. A ``:`` divides only where a ``=`` follows before the
next one, so it may stay in names, and a ``=`` in values. A name over the limit is cut, and ends
with ``~~`` and a hash of all of it: nothing else ends so. Different series never share a channel,
and whoever sends a series, it has the same one.

Used by the doors of other systems: ``core.labels``, and ``core.line_names`` for the line protocol,
which writes the same names in compiled loops.
"""

import re
import string
from collections.abc import Iterable
from typing import Final

import numpy as np

from core.compiled import Bytes, compiled

NAME_BYTES_MAX: Final = 128
"""As ``core.events.NAME_PATTERN`` says."""

EVERYWHERE: Final = string.ascii_letters + string.digits + "_@+#-"
"""Signs that stay in each part of a name. Of the others stay in"""

IN_STREAM: Final = ".:="
IN_NAME: Final = ".:"
IN_KEY: Final = "."
IN_VALUE: Final = ".="

TILDE: Final = np.uint8(ord("~"))
HEX: Final = np.frombuffer(b"0123456789ABCDEF", np.uint8)
_HASH_DIGITS: Final = 16
_KEPT_BYTES: Final = NAME_BYTES_MAX - 2 - _HASH_DIGITS

_FNV_BEGIN: Final = np.uint64(0xCBF29CE484222325)
_FNV_PRIME: Final = np.uint64(0x100000001B3)
"""Fowler, Noll and Vo: the same on every machine and in every version."""


class _Writer:
    """Writes one part of a name."""

    def __init__(self, signs: str) -> None:
        self._foreign = re.compile(rf"[^{re.escape(EVERYWHERE + signs)}]")

    def write(self, text: str) -> str:
        return self._foreign.sub(_escape, text)


def _escape(sign: re.Match[str]) -> str:
    return "".join(f"~{byte:02X}" for byte in sign[0].encode())


_STREAM, _NAME, _KEY, _VALUE = map(_Writer, (IN_STREAM, IN_NAME, IN_KEY, IN_VALUE))


def make_stream_id(name: str) -> str:
    """Return the id of the stream that a host, a job or a bucket names."""
    return _cut(_STREAM.write(name))


def make_channel(name: str, labels: Iterable[tuple[str, str]]) -> str:
    """Return the channel of a series, by its name and the labels that tell it from others."""
    written = (f":{_KEY.write(key)}={_VALUE.write(value)}" for key, value in sorted(labels))
    return _cut(_NAME.write(name) + "".join(written))


def _cut(name: str) -> str:
    if len(name) <= NAME_BYTES_MAX:
        return name
    letters = np.frombuffer(name.encode(), np.uint8).copy()
    return letters[: cut_name(letters, 0, len(letters))].tobytes().decode()


@compiled
def cut_name(letters: Bytes, begin: int, end: int) -> int:
    """Cut a safe name that is too long; return where it ends."""
    if end - begin <= NAME_BYTES_MAX:
        return end
    hashed = _FNV_BEGIN
    for index in range(begin, end):
        hashed = (hashed ^ np.uint64(letters[index])) * _FNV_PRIME
    at = begin + _KEPT_BYTES
    letters[at], letters[at + 1] = TILDE, TILDE
    for digit in range(_HASH_DIGITS):
        shift = np.uint64(4 * (_HASH_DIGITS - 1 - digit))
        letters[at + 2 + digit] = HEX[(hashed >> shift) & np.uint64(15)]
    return begin + NAME_BYTES_MAX
