"""Event streams: live messages as server-sent events, for clients that speak only HTTP.

``id`` is the position of a message that is kept: a browser that connects again sends the last one
as ``Last-Event-ID`` by itself and goes on from there.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeAlias

import orjson
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope
from starlette.types import Send as SendEvent
from typing_extensions import override

from api.live.connections import Told
from api.live.deliveries import Send

Run: TypeAlias = Callable[[Send, Coroutine[Any, Any, None]], Coroutine[Any, Any, None]]
"""Sends a client its messages until it is gone."""

END_S_MAX: Final = 5
"""How long a client that takes nothing may keep its answer from ending."""


class EventStream(StreamingResponse):
    """An answer that goes on as long as its client listens."""

    media_type = "text/event-stream"

    def __init__(self, run: Run) -> None:
        # Proxies must hand on each event as it comes.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__((), headers=headers)
        self._run = run

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: SendEvent) -> None:
        is_started = False

        async def send_event(told: Told) -> None:
            nonlocal is_started
            if not is_started:
                is_started = True
                start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
                await send(start)
            body = write_event(told)
            await send({"type": "http.response.body", "body": body, "more_body": True})

        # From here on the connection is sure to be forgotten, whatever happens.
        await self._run(send_event, _wait_until_gone(receive))
        if not is_started:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S_MAX):
                await send({"type": "http.response.body", "body": b"", "more_body": False})


def write_event(told: Told) -> bytes:
    """Return a message as an event, whose name is its type."""
    lines = [f"event: {told.kind}".encode(), b"data: " + told.body]
    if told.position is not None:
        lines.insert(1, b"id: %d" % told.position)
    if told.kind == "reconnect":
        lines.insert(1, b"retry: %d" % orjson.loads(told.body)["delay_ms"])
    return b"\n".join(lines) + b"\n\n"


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
