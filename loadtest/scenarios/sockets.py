"""Sockets: live connections as a watcher uses them: WebSockets and server-sent events.

    connect ──► messages, one after the other ──► EndedError with the code and the reason

websocket-client and the standard library's HTTP are plain blocking code, which Locust has made
cooperative: one greenlet a connection, no threads, no second loop.
"""

import http.client
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final, Protocol, TypeAlias
from urllib.parse import urlsplit

import orjson
import websocket

SILENCE_S_MAX: Final = 40.0
"""The server pings after 15 s without news; whoever hears nothing for longer is alone."""

LINE_BYTES_MAX: Final = 1_000_000

NORMAL: Final = 1000
LOST: Final = 1006
"""The code for a connection that ended without one."""

Message: TypeAlias = dict[str, Any]


class EndedError(Exception):
    """A connection ended, or never came about."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {' '.join(reason.split())}".strip())
        self.code = code


class LiveConnection(Protocol):
    """A live connection of either kind."""

    def read(self) -> Iterator[Message]:
        """Return messages as they come.

        Raises:
            EndedError: The connection ended.
        """
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class LiveSocket:
    """A WebSocket."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        try:
            self._socket = websocket.create_connection(
                url.replace("http", "ws", 1),
                timeout=SILENCE_S_MAX,
                header=dict(headers),
                skip_utf8_validation=True,
                sockopt=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
            )
        except (OSError, websocket.WebSocketException) as error:
            raise EndedError(LOST, type(error).__name__) from error

    def say(self, message: Mapping[str, object]) -> None:
        """Send a message."""
        with _told_as_ended():
            self._socket.send(orjson.dumps(message).decode())

    def read(self) -> Iterator[Message]:
        """Return messages as they come."""
        while True:
            with _told_as_ended():
                kind, content = self._socket.recv_data()
            if kind == websocket.ABNF.OPCODE_CLOSE:
                code = int.from_bytes(content[:2], "big") if content else LOST
                raise EndedError(code, content[2:].decode(errors="replace"))
            yield orjson.loads(content)

    def close(self) -> None:
        """Hang up without waiting for the other side, as a phone that lost its network."""
        with suppress(OSError, websocket.WebSocketException):
            self._socket.shutdown()


class LiveEvents:
    """An event stream."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._connection = kind(parts.hostname or "", parts.port, timeout=SILENCE_S_MAX)
        with _told_as_ended():
            self._connection.request("GET", f"{parts.path}?{parts.query}", headers=dict(headers))
            self._answer = self._connection.getresponse()
        if self._answer.status != http.HTTPStatus.OK:
            self.close()
            raise EndedError(self._answer.status, self._answer.reason)

    def read(self) -> Iterator[Message]:
        """Return messages as they come."""
        while True:
            with _told_as_ended():
                line = self._answer.readline(LINE_BYTES_MAX)
            if not line:
                raise EndedError(NORMAL, "the stream ended")
            if line.startswith(b"data: "):
                yield orjson.loads(line[6:])

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@contextmanager
def _told_as_ended() -> Iterator[None]:
    """Turn every way in which a connection can break into one error."""
    try:
        yield
    except (OSError, http.client.HTTPException, websocket.WebSocketException, ValueError) as error:
        raise EndedError(LOST, type(error).__name__) from error
