"""Middleware: a request id through every log line and header, and the counters of every route.

Plain ASGI: it costs microseconds and lets bodies stream through.
"""

import logging
import time
from functools import lru_cache
from typing import Final

import structlog
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.headers import find_header
from core import metrics
from core.ids import is_request_id, make_request_id

REQUEST_ID: Final = b"x-request-id"

BEGINNINGS: Final = frozenset({"http.response.start", "websocket.accept"})
"""Messages that carry headers."""

SERIES_MAX: Final = 1000
"""Series whose counters are at hand: routes, methods and statuses are far fewer."""

ROOT: Final = logging.getLogger()

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
        request_id = name_request(scope)
        status = 500
        started = time.perf_counter()

        async def send_named(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            if message["type"] in BEGINNINGS:
                named = (REQUEST_ID, request_id.encode())
                message["headers"] = [*message.get("headers", ()), named]
            await send(message)

        # With tokens: a block of ``bound_contextvars`` copies the whole context with each request.
        bound = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._app(scope, receive, send_named)
        finally:
            if scope["type"] == "http":
                count_request(scope, name_route(scope), status, time.perf_counter() - started)
            else:
                log.debug("socket_ended", path=scope["path"])
            structlog.contextvars.reset_contextvars(**bound)


def name_request(scope: Scope) -> str:
    """Return the id of a request: the client's own where that is fit to be logged."""
    known: str | None = scope.get("request_id")
    if known is None:
        given = find_header(scope, REQUEST_ID)
        known = given if given and is_request_id(given) else make_request_id()
        scope["request_id"] = known
    return known


def count_request(scope: Scope, route: str, status: int, seconds: float) -> None:
    """Count, time and log a request that was answered."""
    served, duration = _find_series(route, scope["method"], status)
    served.inc()
    duration.observe(seconds)
    # Asked of the standard library, which knows by heart; structlog would make a line first.
    if not ROOT.isEnabledFor(logging.DEBUG):
        return
    log.debug(
        "request_served",
        method=scope["method"],
        path=scope["path"],
        status=status,
        ms=round(seconds * 1000, 2),
    )


@lru_cache(SERIES_MAX)
def _find_series(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    served = metrics.requests_served_total.labels(route, method, str(status))
    return served, metrics.requests_duration_seconds.labels(route)


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
