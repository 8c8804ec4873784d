"""Sockets: the life of one live socket, whatever is told on it, and how it ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from fastapi import WebSocket, WebSocketDisconnect
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocketState

from api.deps import Resources
from api.live.admissions import Visitor
from api.live.connections import CloseCode, Connection, Told
from api.live.deliveries import Patience, Wish, deliver
from api.live.protocols import find_write_text
from core.keys import Caller

CLOSE_S_MAX: Final = 10
"""How long a client that takes nothing is waited for when it is told why it is closed."""


def find_visitor(connection: HTTPConnection) -> Visitor:
    """Return who wants in."""
    caller: Caller = connection.scope["caller"]
    address = connection.client.host if connection.client else "unknown"
    return Visitor(address, caller.key_id, caller.name)


async def serve_socket(
    socket: WebSocket,
    uses: Resources,
    connection: Connection,
    wish: Wish,
    receive: Coroutine[Any, Any, None],
) -> None:
    """Send and receive until either side has enough, and say why it ends."""

    async def send(told: Told) -> None:
        await socket.send_text(told.body.decode())

    connection.write_with(find_write_text(socket.scope))
    # The short way passes by the door that closes a socket with its key.
    socket.scope["gone"].add_done_callback(lambda _: connection.write_with(None))
    patience = Patience.of(uses.settings)
    await deliver(uses.hub, connection, wish, send=send, receive=receive, patience=patience)
    await say_goodbye(socket, connection)


async def say_goodbye(socket: WebSocket, connection: Connection) -> None:
    """Close a socket with the reason, if it is we who end it."""
    if socket.application_state is not WebSocketState.CONNECTED:
        return
    try:
        async with asyncio.timeout(CLOSE_S_MAX):
            if connection.is_too_slow:
                await socket.close(CloseCode.TOO_SLOW, "Too slow for too long. Connect again.")
            elif connection.is_leaving:
                await socket.close(*connection.farewell)
    except (TimeoutError, RuntimeError, WebSocketDisconnect):
        # It still takes nothing, or it is gone: TCP ends what is left.
        return
