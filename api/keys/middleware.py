"""Door keeper: stands before the routes, and asks the door about every request and every socket.

    whoever may come in ─► application
    whoever may not     ─► a problem, or a socket closed with a code

Plain ASGI, as the middleware around it. A socket is accepted before it is refused: a browser is
told the code of a close, and never the status of a handshake.
"""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import render_error
from api.keys.doors import Door, is_lasting
from api.keys.endings import TRY_LATER, LastingConnection
from api.keys.identities import Identities
from core import metrics
from core.errors import TelemetraError, UnauthorizedError

CHALLENGE: Final = 'Bearer realm="telemetra"'


class KeyMiddleware:
    """Lets in whom the door does, and sees to it that lasting guests leave in time."""

    def __init__(self, app: ASGIApp, door: Door, identities: Identities) -> None:
        self._app = app
        self._door = door
        self._identities = identities

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers: dict[str, str] = {}
        try:
            caller = await self._door.admit(scope, headers)
        except TelemetraError as error:
            metrics.keys_refused_total.labels(str(error.status)).inc()
            await _refuse(error, headers, scope, receive, send)
            return
        if caller is None:
            await self._app(scope, receive, send)
            return
        scope["caller"] = caller
        send = _add_headers(send, headers)
        if not is_lasting(scope):
            await self._app(scope, receive, send)
            return
        with self._identities.watch(caller) as gone:
            scope["gone"] = gone
            await LastingConnection(scope, receive, send, gone).serve(self._app)


async def _refuse(
    error: TelemetraError, headers: dict[str, str], scope: Scope, receive: Receive, send: Send
) -> None:
    if scope["type"] == "websocket":
        await receive()
        code = TRY_LATER if error.status >= 500 else 4000 + error.status
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": code, "reason": error.detail[:100]})
        return
    response = await render_error(Request(scope), error)
    response.headers.update(headers)
    if isinstance(error, UnauthorizedError):
        response.headers["WWW-Authenticate"] = CHALLENGE
    await response(scope, receive, send)


def _add_headers(send: Send, headers: dict[str, str]) -> Send:
    if not headers:
        return send

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(headers)
        await send(message)

    return send_with_headers
