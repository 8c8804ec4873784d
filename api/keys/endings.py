"""Endings: what stays open ends with the key that opened it.

    client ──► receive ──► application           until either side ends it, as ever
    gone   ──► closed, and a disconnect told ──► or until the key is no longer good

The application sees a client that left, which it must bear anyway; what it still sends goes
nowhere.
"""

import asyncio
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

TRY_LATER: Final = 1013
"""The code of a socket that may be tried again later."""

NOT_GOOD: Final = 4401
REASON: Final = "The key is no longer good."


class LastingConnection:
    """A socket, or an answer that goes on, and the code with which its key will end it."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, gone: asyncio.Future[int]
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._gone = gone
        self._has_begun = False
        self._is_over = False

    async def serve(self, app: ASGIApp) -> None:
        """Let the application serve it."""
        await app(self._scope, self._receive_while_good, self._send_while_good)
        if self._is_over and self._has_begun and self._scope["type"] == "http":
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_while_good(self, message: Message) -> None:
        if not self._is_over:
            self._has_begun = True
            await self._send(message)

    async def _receive_while_good(self) -> Message:
        message = await _receive_unless(self._gone, self._receive)
        if message is not None:
            return message
        self._is_over = True
        if self._scope["type"] == "http":
            return {"type": "http.disconnect"}
        code = self._gone.result()
        await self._send({"type": "websocket.close", "code": code, "reason": REASON})
        return {"type": "websocket.disconnect", "code": code, "reason": REASON}


async def _receive_unless(gone: asyncio.Future[int], receive: Receive) -> Message | None:
    """Return the next message; None as soon as the key has ended."""
    waiting = asyncio.ensure_future(receive())
    try:
        both: set[asyncio.Future[Any]] = {waiting, gone}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return None if gone.done() else waiting.result()
    finally:
        waiting.cancel()
