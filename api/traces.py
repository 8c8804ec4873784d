"""Traces of requests: a span from the first byte to the answer, in the trace that the caller names.

Stands in the way of requests only where a collector is named. The span of what stays open, a
socket or an event stream, ends when it is open: one that lasted for days would be sent when nobody
looks any more. Queries are left out, for they carry tickets.
"""

from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.keys.doors import EVENT_STREAMS
from api.middleware import name_request, name_route
from core.traces import Facts, Kind, Origin, Span, Tracer, read_context, trace_id_of

UNTRACED: Final = frozenset({"/health", "/livez", "/readyz", "/metrics"})
"""They are asked every few seconds, and tell what they have to tell in their answer."""

OPENED: Final = frozenset({"websocket.accept", "websocket.close"})


class TraceMiddleware:
    """Begins a span for each request and each socket."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"} or scope["path"] in UNTRACED:
            await self._app(scope, receive, send)
            return
        # What a caller names is a parent, or nothing: a trace of a request begins with it.
        origin = Origin(read_context(Headers(scope=scope).get("traceparent")))
        method = scope.get("method", "GET")
        with self._tracer.span(method, Kind.SERVER, _describe(scope), origin=origin) as span:
            context = span.context
            bound = {} if context is None else {"trace_id": trace_id_of(context)}
            with structlog.contextvars.bound_contextvars(**bound):
                await self._app(scope, receive, _watch(scope, send, span))
            _name(scope, span)


def _watch(scope: Scope, send: Send, span: Span) -> Send:
    """Note the status of an answer, and end the span of what stays open."""

    async def send_noted(message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            span.note({"http.response.status_code": message["status"]})
            if message["status"] >= 500:
                span.fail()
        await send(message)
        if kind in OPENED or (
            kind == "http.response.start" and scope["path"].startswith(EVENT_STREAMS)
        ):
            _name(scope, span)
            span.end()

    return send_noted


def _describe(scope: Scope) -> Facts:
    return {
        "http.request.method": scope.get("method", "GET"),
        "url.scheme": scope["scheme"],
        "url.path": scope["path"],
        "telemetra.request_id": name_request(scope),
    }


def _name(scope: Scope, span: Span) -> None:
    """Name a span by its route, which is known only when one was found."""
    route = name_route(scope)
    span.rename(f"{scope.get('method', 'GET')} {route}")
    span.note({"http.route": route})
