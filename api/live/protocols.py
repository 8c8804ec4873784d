"""Protocols: uvicorn's socket, and a short way for a message that everyone gets.

    hub ──► connection ──► write_text ──► transport        the socket takes it, nothing waits
                   └─────► queue ──► task ──► ASGI send     anything else

An ASGI send costs a task that wakes up, eight calls that hand on, and a frame built by the library:
ten times what the message itself costs when it goes to thousands of sockets. The short way is an
extension of the scope, and says no whenever there is something to wait for.
"""

from collections.abc import Callable
from typing import Final, TypeAlias, cast

from starlette.types import Scope
from typing_extensions import override
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

WriteText: TypeAlias = Callable[[bytes], bool]
"""Writes a message at once; says whether it could."""

EXTENSION: Final = "telemetra.write_text"

_WHOLE_TEXT: Final = 0x81
_SHORT_MAX: Final = 125
_MEDIUM_MAX: Final = 65_535


class LiveProtocol(WebSocketsSansIOProtocol):
    """One socket."""

    @override
    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        # A refused handshake has no scope. The application begins in the loop's next turn.
        if self.response.status_code == 101:
            self.scope["extensions"][EXTENSION] = {
                "write_text": self.write_text,
                "write_frames": self.write_frames,
            }

    def write_text(self, text: bytes) -> bool:
        """Write a message, unless the client takes nothing now, or it is over."""
        return self.write_frames(frame_text(text))

    def write_frames(self, frames: bytes) -> bool:
        """Write messages that are framed already, all or none."""
        is_over = self.disconnected or self.close_sent or self.transport.is_closing()
        if is_over or not self.writable.is_set():
            return False
        self.transport.write(frames)
        return True


def find_write_text(scope: Scope) -> WriteText | None:
    """Return the short way of a socket; None under a server that has none."""
    return _find(scope, "write_text")


def find_write_frames(scope: Scope) -> WriteText | None:
    """Return the short way for messages that are framed already, the same for many sockets."""
    return _find(scope, "write_frames")


def _find(scope: Scope, name: str) -> WriteText | None:
    extension = scope.get("extensions", {}).get(EXTENSION, {})
    return cast("WriteText | None", extension.get(name))


def frame_text(text: bytes) -> bytes:
    """Return a message as the one frame that it takes, unmasked and not compressed."""
    size = len(text)
    if size <= _SHORT_MAX:
        return b"%c%c%b" % (_WHOLE_TEXT, size, text)
    if size <= _MEDIUM_MAX:
        return b"%c\x7e%b%b" % (_WHOLE_TEXT, size.to_bytes(2), text)
    return b"%c\x7f%b%b" % (_WHOLE_TEXT, size.to_bytes(8), text)
