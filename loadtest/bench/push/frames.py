"""Frames: as much of WebSocket as a receiver needs that must cost next to nothing."""

from collections.abc import Iterator
from typing import Final, NamedTuple

TEXT: Final = 1
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

_SHORT_MAX: Final = 125
_NO_MASK: Final = bytes(4)
"""A mask of zeros leaves what it masks as it is."""


class Frame(NamedTuple):
    """Where one frame of a buffer lies."""

    opcode: int
    start: int
    end: int


def write_handshake(host: str, path: str) -> bytes:
    """Return what asks for a socket."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def write_frame(opcode: int, payload: bytes) -> bytes:
    """Return one frame of a client."""
    size = len(payload)
    head = bytes((0x80 | opcode,))
    head += bytes((0x80 | size,)) if size <= _SHORT_MAX else b"\xfe" + size.to_bytes(2)
    return head + _NO_MASK + payload


def find_frames(buffer: bytes) -> Iterator[Frame]:
    """Find the whole frames of a server at the beginning of a buffer."""
    at, length = 0, len(buffer)
    while length - at >= 2:
        size, head = buffer[at + 1], 2
        if size > _SHORT_MAX:
            head = 4 if size == _SHORT_MAX + 1 else 10
            size = int.from_bytes(buffer[at + 2 : at + head])
        end = at + head + size
        if length < max(end, at + head):
            return
        yield Frame(buffer[at] & 15, at + head, end)
        at = end
