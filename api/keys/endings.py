"""Endings: what stays open ends with the key that opened it.

    client ──► receive ──► application           until either side ends it, as ever
    gone   ──► closed, and a disconnect told ──► or until the key is no longer good

The application sees a client that left, which it must bear anyway; what it still sends goes
nowhere.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

TRY_LATER: Final = 1013
"""The code of a socket that may be tried again later."""

NOT_GOOD: Final = 4401
REASON: Final = "The key is no longer good."


END_S_MAX: Final = 5
"""How long a client that takes nothing may keep its connection from ending."""


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
        self._has_ended = False

    async def serve(self, app: ASGIApp) -> None:
        """Let the application serve it."""
        await app(self._scope, self._receive_while_good, self._send_while_good)
        if self._gone.done():
            await self._end()

    async def _send_while_good(self, message: Message) -> None:
        # Asked with every message: an application that is busy, and does not receive meanwhile,
        # sends nothing more either. A socket must be accepted before it can be closed with a code.
        if self._gone.done() and message["type"] != "websocket.accept":
            await self._end()
            return
        self._has_begun = True
        self._has_ended = message["type"] == "websocket.close" or (
            message["type"] == "http.response.body" and not message.get("more_body", False)
        )
        await self._send(message)

    async def _receive_while_good(self) -> Message:
        message = await _receive_unless(self._gone, self._receive)
        if message is not None:
            return message
        await self._end()
        if self._scope["type"] == "http":
            return {"type": "http.disconnect"}
        return {"type": "websocket.disconnect", "code": self._gone.result(), "reason": REASON}

    async def _end(self) -> None:
        """Tell the client, once, that it is over."""
        if self._has_ended:
            return
        self._has_ended = True
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S_MAX):
                for message in self._list_last_messages():
                    await self._send(message)

    def _list_last_messages(self) -> Iterator[Message]:
        code = self._gone.result()
        if self._scope["type"] == "websocket":
            yield {"type": "websocket.close", "code": code, "reason": REASON}
            return
        if not self._has_begun:
            status = 401 if code == NOT_GOOD else 503
            yield {"type": "http.response.start", "status": status, "headers": []}
        yield {"type": "http.response.body", "body": b"", "more_body": False}


async def _receive_unless(gone: asyncio.Future[int], receive: Receive) -> Message | None:
    """Return the next message; None as soon as the key has ended."""
    waiting = asyncio.ensure_future(receive())
    try:
        both: set[asyncio.Future[Any]] = {waiting, gone}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return None if gone.done() else waiting.result()
    finally:
        waiting.cancel()
