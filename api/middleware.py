"""Middleware: a request id through every log line and header, and the counters of every route.

Plain ASGI: it costs microseconds and lets bodies stream through.
"""

import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import metrics
from core.ids import is_request_id, make_request_id

HEADER = "X-Request-ID"

log = structlog.get_logger()


class RequestIdMiddleware:
    """Names each request, and counts and times it by route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        request_id = given if is_request_id(given) else make_request_id()
        scope["request_id"] = request_id
        status = 500
        started = time.perf_counter()

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            elif message["type"] == "websocket.accept":
                message.setdefault("headers", [])
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_named)
            finally:
                if scope["type"] == "http":
                    _measure(scope, status, time.perf_counter() - started)
                else:
                    log.debug("socket_ended", path=scope["path"])


def _measure(scope: Scope, status: int, seconds: float) -> None:
    route = name_route(scope)
    metrics.requests_served_total.labels(route, scope["method"], str(status)).inc()
    metrics.requests_duration_seconds.labels(route).observe(seconds)
    log.debug(
        "request_served",
        method=scope["method"],
        path=scope["path"],
        status=status,
        ms=round(seconds * 1000, 2),
    )


def name_route(scope: Scope) -> str:
    """Return the route with its prefix, not the path: ids would each become a series of their own.

    A matched route knows its path within its router; what stands before it comes from the path.
    """
    pattern = getattr(scope.get("route"), "path", None)
    if pattern is None:
        return "unmatched"
    path: str = scope["path"]
    missing = path.count("/") - pattern.count("/")
    if missing <= 0 or ":path}" in pattern:
        return str(pattern)
    return "/".join(path.split("/")[: missing + 1]) + str(pattern)
