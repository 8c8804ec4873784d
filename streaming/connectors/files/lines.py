"""Lines: a stream of bytes in blocks of whole lines, each cut where it would be cut again.

    bytes -> up to BLOCK_BYTES -> as far as the last line that is whole -> the rest begins the next

A block depends on its own beginning alone, so that one that is read again after a crash is the
same. A line too long for any event is passed over and named, and never held whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

BLOCK_BYTES: Final = 2_000_000
"""Some ten thousand events: worth the fixed cost of a frame, and a few megabytes of memory."""

LINE_BYTES_MAX: Final = 8_000_000
"""No event that a door takes is nearly as long."""

_BREAK, _QUOTE = np.uint8(ord("\n")), np.uint8(ord('"'))


class Readable(Protocol):
    """What bytes come from; less than asked for is no end, nothing is."""

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines that were read together."""

    text: bytes
    end: int
    """Where the next ones begin, in plain bytes."""

    is_too_long: bool = False
    """Whether this is the beginning of one line that was passed over."""

    @property
    def count(self) -> int:
        """How many lines; the last of a file may have no line break."""
        return self.text.count(b"\n") + (not self.text.endswith(b"\n"))


def cut_lines(stream: Readable, offset: int, *, has_quotes: bool) -> Iterator[Lines]:
    """Return the lines of a stream in blocks.

    Args:
        stream: It stands at the offset.
        offset: Where the first line begins.
        has_quotes: Whether a line break between quotes is none.
    """
    rest, wanted, is_over = b"", BLOCK_BYTES, False
    while rest or not is_over:
        while len(rest) < wanted and not is_over:
            more = stream.read(wanted - len(rest))
            rest += more
            is_over = not more
            if b"\n" in more:
                # Of a pipe this is all there is for now.
                break
        text = rest[:wanted]
        is_last = is_over and len(rest) <= wanted
        end = len(text) if is_last else find_last_break(text, has_quotes=has_quotes)
        rest = rest[end:]
        if end:
            offset += end
            yield Lines(text[:end], offset)
        elif len(rest) > LINE_BYTES_MAX:
            passed = _pass_over(stream)
            offset += len(rest) + passed.skipped
            yield Lines(rest[:1000], offset, is_too_long=True)
            rest = passed.rest
        wanted = BLOCK_BYTES if end or len(rest) < wanted else len(rest) + BLOCK_BYTES // 2


def find_last_break(text: bytes, *, has_quotes: bool) -> int:
    """Return where the last whole line ends; 0 when none does."""
    if not has_quotes or b'"' not in text:
        return text.rfind(b"\n") + 1
    signs = np.frombuffer(text, np.uint8)
    is_outside = np.cumsum(signs == _QUOTE) % 2 == 0
    ends = np.flatnonzero((signs == _BREAK) & is_outside)
    if len(ends):
        return int(ends[-1]) + 1
    # A quote that nobody closed must not hold up a file for ever.
    return text.rfind(b"\n") + 1 if len(text) >= BLOCK_BYTES else 0


@dataclass(frozen=True, slots=True)
class _Passed:
    skipped: int
    rest: bytes


def _pass_over(stream: Readable) -> _Passed:
    """Read on until a line ends, and keep only what follows it."""
    skipped = 0
    while more := stream.read(BLOCK_BYTES):
        end = more.find(b"\n") + 1
        if end:
            return _Passed(skipped + end, more[end:])
        skipped += len(more)
    return _Passed(skipped, b"")
