"""Servers: uvicorn, with what live connections need of it: a farewell, and an end to dead ones.

``api.__main__`` runs one; the tests run the same as a task.
"""

import gc
import os
import socket
from typing import Final

import uvicorn
from fastapi import FastAPI
from typing_extensions import override

from api.deps import Resources
from api.live.protocols import LiveProtocol

GRACE_S: Final = 5
"""How long requests that run may take to end when the process stops."""

MESSAGE_BYTES_MAX: Final = 1_000_000
"""A client's message is a subscription; the largest names 5000 streams."""

PROTOCOL_PING_S: Final = 20
"""How often a socket's client is pinged, and how long it has to answer."""

GARBAGE_AFTER: Final = 20_000
"""New objects after which unused rings of them are looked for. One page of minutes is a thousand
objects, none of them in a ring: at the usual 700 every page was looked through, twice."""


class LiveServer(uvicorn.Server):
    """Serves the application, and asks live clients to connect again before it stops."""

    def __init__(self, app: FastAPI, *, host: str, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                loop="uvloop",
                http="httptools",
                ws=LiveProtocol,
                # The same bytes go to everyone; compressed they would differ for each.
                ws_per_message_deflate=False,
                ws_max_size=MESSAGE_BYTES_MAX,
                ws_ping_interval=PROTOCOL_PING_S,
                ws_ping_timeout=PROTOCOL_PING_S,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self._resources: Resources = app.state.resources

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What was built so far stays for good. Looking through all of it for garbage would make
        # whoever asks just then wait for a tenth of a second.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE_AFTER)
        for server in self.servers:
            for listener in server.sockets:
                _forget_the_dead(listener.fileno(), self._resources.settings.live_send_seconds)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._resources.hub.drain()
        await super().shutdown(sockets)


def _forget_the_dead(descriptor: int, seconds: int) -> None:
    """End the connections of a listening socket when what they are sent goes nowhere.

    A client that was stopped or unplugged never closes: without this its last unsent bytes, and
    the socket with them, would stay for as long as its machine answers.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        with socket.socket(fileno=os.dup(descriptor)) as listener:
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, seconds * 1000)
