"""Door: asks every request and every socket for its key, before anything else looks at it.

    open path ─────────────────────────────────────────────► application
    whatever is shown ─► who? ─► rate ─► scope, stream ─────► application
                          └─────────┴─────────┴─ no ─► a problem, or a socket closed with a code

Plain ASGI, as the middleware around it. A socket is accepted before it is refused: a browser is
told the code of a close, and never the status of a handshake.
"""

from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import render_error
from api.headers import find_header
from api.keys.endings import TRY_LATER, LastingConnection
from api.keys.identities import Identities
from api.keys.rates import Allowance, RateLimiter
from core import metrics
from core.access import find_scope, require_access
from core.errors import RateLimitedError, TelemetraError, UnauthorizedError
from core.keys import Caller

CHALLENGE: Final = 'Bearer realm="telemetra"'

SCHEMES: Final = frozenset({"bearer", "token"})
"""Clients of InfluxDB say Token."""

EVENT_STREAMS: Final = "/sse/"
"""Answers that go on; browsers can put no headers on them either."""


class KeyMiddleware:
    """Lets in whom it should."""

    def __init__(self, app: ASGIApp, identities: Identities, limiter: RateLimiter) -> None:
        self._app = app
        self._identities = identities
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        needed = find_scope(scope.get("method", "GET"), scope["path"])
        if needed is None:
            await self._app(scope, receive, send)
            return
        headers: dict[str, str] = {}
        try:
            caller = await self._identify(scope, headers)
            require_access(caller, needed, scope["path"])
        except TelemetraError as error:
            metrics.keys_refused_total.labels(str(error.status)).inc()
            await _refuse(error, headers, scope, receive, send)
            return
        scope["caller"] = caller
        send = _add_headers(send, headers)
        if not _is_lasting(scope):
            await self._app(scope, receive, send)
            return
        with self._identities.watch(caller) as gone:
            scope["gone"] = gone
            await LastingConnection(scope, receive, send, gone).serve(self._app)

    async def _identify(self, scope: Scope, headers: dict[str, str]) -> Caller:
        """Return who asks, and count the request; wrong keys count for their address.

        Raises:
            UnauthorizedError: The key is missing or wrong.
            RateLimitedError: The caller asked too often.
        """
        address = f"address:{(scope.get('client') or ('unknown',))[0]}"
        try:
            caller = await self._find_caller(scope)
        except UnauthorizedError:
            _require_allowance(await self._limiter.take(address), headers)
            raise
        subject = f"key:{caller.key_id}" if caller.key_id else address
        _require_allowance(await self._limiter.take(subject), headers)
        return caller

    async def _find_caller(self, scope: Scope) -> Caller:
        shown = read_key(scope)
        if shown is None and _is_lasting(scope) and self._identities.is_required:
            given = parse_qs(scope["query_string"].decode("latin-1")).get("ticket")
            if given:
                return await self._identities.redeem(given[0])
        return await self._identities.find(shown)


def _is_lasting(scope: Scope) -> bool:
    path: str = scope["path"]
    return scope["type"] == "websocket" or path.startswith(EVENT_STREAMS)


def read_key(scope: Scope) -> str | None:
    """Return the key that was sent, whatever it looks like."""
    scheme, _, text = (find_header(scope, b"authorization") or "").partition(" ")
    if scheme.lower() in SCHEMES:
        return text.strip()
    return find_header(scope, b"x-api-key")


def _require_allowance(allowance: Allowance | None, headers: dict[str, str]) -> None:
    if allowance is None:
        return
    headers.update(allowance.to_headers())
    if not allowance.is_allowed:
        raise RateLimitedError(
            f"More than {allowance.limit} requests a minute. Wait {allowance.retry_after_s} s;"
            " one request with more in it counts once.",
            retry_after_s=allowance.retry_after_s,
        )


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
