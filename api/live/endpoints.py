"""Live: sockets on which minutes, readings and moments arrive as they are committed."""

import asyncio
from enum import IntEnum
from typing import Final

import orjson
import structlog
from fastapi import APIRouter, Response, WebSocket, WebSocketDisconnect
from prometheus_client import Counter
from starlette.websockets import WebSocketState

from api.answers import send_json
from api.deps import Resources, SocketUses, Uses
from api.live.connections import EVERYTHING, Connection
from core import metrics
from core.errors import InvalidError, NotFoundError, TelemetraError
from db.streams import StreamStore

SEND_TIMEOUT_S: Final = 30
"""A client that takes nothing for so long is closed as too slow."""

PING_EVERY_S: Final = 15
"""A connection without news is told so often that it is alive."""

STREAMS_MAX: Final = 5000
"""Streams that one socket may subscribe to by name; more subscribe to ``*``."""

router = APIRouter(tags=["live"])
log = structlog.get_logger()


class CloseCode(IntEnum):
    """Why the server closes a socket."""

    AWAY = 1013
    UNKNOWN_STREAM = 4004
    TOO_SLOW = 4408


@router.get("/ws/live/health", summary="Count the live connections")
async def read_live_health(uses: Uses) -> Response:
    """Return how many clients listen, and what was sent and dropped since the start."""
    return send_json(
        orjson.dumps(
            {
                "connections": uses.hub.connections_count,
                "streams": uses.hub.streams_count,
                "sent": _read(metrics.live_messages_sent_total),
                "dropped": _read(metrics.live_messages_dropped_total),
                "timestamp": uses.clock.now(),
            },
            option=orjson.OPT_UTC_Z,
        )
    )


@router.websocket("/ws/live")
async def follow_many(socket: WebSocket, uses: SocketUses) -> None:
    """Push what the client subscribes to with ``{"type":"subscribe","streams":[…]}``."""
    await socket.accept()
    await _serve(socket, uses, streams=set())


@router.websocket("/ws/live/{stream_id}")
async def follow_stream(socket: WebSocket, uses: SocketUses, stream_id: str) -> None:
    """Push everything of one stream."""
    await socket.accept()
    try:
        async with uses.pool.connection() as connection:
            await StreamStore(connection).require(stream_id)
    except (NotFoundError, InvalidError) as error:
        await socket.close(CloseCode.UNKNOWN_STREAM, error.detail)
        return
    except TelemetraError as error:
        await socket.close(CloseCode.AWAY, error.detail)
        return
    await _serve(socket, uses, streams={stream_id})


async def _serve(socket: WebSocket, uses: Resources, *, streams: set[str]) -> None:
    """Send and receive until either side has enough."""
    connection = uses.hub.connect()
    try:
        connection.say("connected", streams=sorted(streams))
        await uses.hub.subscribe(connection, streams)
        tasks = [
            asyncio.create_task(_send(socket, connection)),
            asyncio.create_task(_receive(socket, uses, connection)),
        ]
        _, unfinished = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        uses.hub.disconnect(connection)
    if connection.is_too_slow and socket.application_state is WebSocketState.CONNECTED:
        await socket.close(CloseCode.TOO_SLOW, "Too slow for too long. Connect again.")


async def _send(socket: WebSocket, connection: Connection) -> None:
    while not connection.is_too_slow:
        try:
            async with asyncio.timeout(PING_EVERY_S):
                bodies = await connection.take()
        except TimeoutError:
            connection.say("ping")
            continue
        for body in bodies:
            try:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await socket.send_text(body.decode())
            except TimeoutError:
                connection.is_too_slow = True
                return
        metrics.live_messages_sent_total.inc(len(bodies))


async def _receive(socket: WebSocket, uses: Resources, connection: Connection) -> None:
    try:
        while True:
            await _obey(await socket.receive_text(), uses, connection)
    except (WebSocketDisconnect, KeyError):
        # KeyError: the client sent bytes where text is spoken.
        return


async def _obey(text: str, uses: Resources, connection: Connection) -> None:
    """Do what a client's message says, or tell it what was wrong."""
    try:
        message = orjson.loads(text)
        kind = message["type"]
        streams = {str(name) for name in message.get("streams", ())}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        connection.say("error", detail='A message is JSON with a "type".')
        return
    if kind == "ping":
        connection.say("pong")
    elif kind == "subscribe" and len(streams | connection.streams) > STREAMS_MAX:
        connection.say("error", detail=f"At most {STREAMS_MAX} streams; subscribe to {EVERYTHING}.")
    elif kind == "subscribe":
        await uses.hub.subscribe(connection, streams)
    elif kind == "unsubscribe":
        uses.hub.unsubscribe(connection, streams)
    else:
        connection.say("error", detail="type is one of ping, subscribe, unsubscribe.")


def _read(counter: Counter) -> int:
    return int(next(iter(counter.collect())).samples[0].value)
