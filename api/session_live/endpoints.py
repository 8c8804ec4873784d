"""Sockets of sessions: everything that happens in one session, as it happens."""

from functools import partial

import orjson
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from api.deps import Caller, Resources, SocketUses
from api.live.connections import CloseCode
from api.live.deliveries import Wish
from api.live.sockets import find_visitor, serve_socket
from api.session_live.connections import KINDS, SessionConnection
from api.sessions.service import read_session
from core import keys
from core.errors import NotFoundError, TelemetraError
from core.sessions import is_within_reach, list_streams
from core.tasks import run_together

router = APIRouter(tags=["sessions"])


@router.websocket("/ws/sessions/{session_id}")
async def follow_session(
    socket: WebSocket, uses: SocketUses, caller: Caller, session_id: str
) -> None:
    """Push notes, tasks, points and moments of a session, and its end."""
    await socket.accept()
    try:
        session = await read_session(uses, caller, session_id)
        make = partial(SessionConnection, session)
        connection = uses.hub.admit(find_visitor(socket), make)
    except NotFoundError as error:
        await socket.close(CloseCode.UNKNOWN, error.detail[:100])
        return
    except TelemetraError as error:
        await socket.close(CloseCode.AWAY, error.detail[:100])
        return
    try:
        await uses.session_hub.enter(connection)
        receive = run_together(
            _receive(socket, connection), _follow_streams(uses, caller, connection)
        )
        wish = Wish(list_streams(session), kinds=KINDS)
        await serve_socket(socket, uses, connection, wish, receive)
    finally:
        uses.session_hub.leave(connection)


async def _receive(socket: WebSocket, connection: SessionConnection) -> None:
    try:
        while True:
            _obey(await socket.receive_text(), connection)
    except (WebSocketDisconnect, KeyError):
        # KeyError: the client sent bytes where text is spoken.
        return


def _obey(text: str, connection: SessionConnection) -> None:
    """Answer a client, or tell it what was wrong."""
    if text.strip() == "ping":
        connection.say("pong")
        return
    try:
        message = orjson.loads(text)
        kind = message.get("event") or message.get("type")
    except (orjson.JSONDecodeError, AttributeError):
        kind = None
    if kind == "ping":
        connection.say("pong")
    else:
        connection.say("error", detail='All there is to say here is {"event": "ping"}.')


async def _follow_streams(
    uses: Resources, caller: keys.Caller, connection: SessionConnection
) -> None:
    """Listen to the streams that the session looks at, whenever these become others."""
    while True:
        await connection.changed.wait()
        connection.changed.clear()
        if not is_within_reach(caller, connection.session_id, sorted(connection.looked_at)):
            connection.send_off()
            return
        wanted = {connection.session_id, *connection.looked_at}
        uses.hub.unsubscribe(connection, connection.streams - wanted)
        await uses.hub.subscribe(connection, wanted - connection.streams)
