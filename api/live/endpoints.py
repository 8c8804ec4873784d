"""Live: sockets and event streams on which minutes, readings and moments arrive once committed."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, Final, TypeAlias

import orjson
from fastapi import (
    APIRouter,
    Depends,
    Header,
    Query,
    Request,
    Response,
    WebSocket,
    WebSocketDisconnect,
)
from prometheus_client import Counter

from api.answers import send_json
from api.deps import Caller, Resources, SocketUses, Uses, get_caller
from api.live import examples
from api.live.connections import EVERYTHING, CloseCode, Connection
from api.live.deliveries import Patience, Send, Wish, deliver
from api.live.event_streams import EventStream
from api.live.schemas import LiveHealthOut
from api.live.sockets import find_visitor, serve_socket
from core import metrics
from core.access import require_streams
from core.errors import InvalidError, NotFoundError, TelemetraError
from core.live import KINDS, KINDS_USUAL
from db.streams import StreamStore

STREAMS_MAX: Final = 5000
"""Streams that one socket may subscribe to by name; more subscribe to ``*``."""

NO_SUCH_TYPE: Final = f"types are some of {', '.join(sorted(KINDS))}."

Position = Annotated[
    int | None, Query(ge=0, description="The last `position` seen: go on from there.")
]


Types = Annotated[
    str | None,
    Query(description="Only these types, with commas between them.", examples=["moment,minute"]),
]


async def find_since(
    resume: Position = None, last_event_id: Annotated[str | None, Header()] = None
) -> int | None:
    """Return where a client of server-sent events was; a browser says it in a header."""
    if last_event_id is None:
        return resume
    # What is no position of ours is one from which nothing can be made up.
    return int(last_event_id) if last_event_id.isdecimal() else 0


Since: TypeAlias = Annotated[int | None, Depends(find_since)]

router = APIRouter(tags=["live"])


@router.get(
    "/ws/live/health",
    response_model=LiveHealthOut,
    responses=examples.COUNTED,
    summary="Count the live connections",
)
async def read_live_health(uses: Uses) -> Response:
    """Return how many clients listen, and what was sent and dropped since the start."""
    return send_json(
        orjson.dumps(
            {
                "connections": uses.hub.connections_count,
                "streams": uses.hub.streams_count,
                "shards": uses.hub.shards_count,
                "tasks": len(asyncio.all_tasks()),
                "sent": _read(metrics.live_messages_sent_total),
                "dropped": _read(metrics.live_messages_dropped_total),
                "replaced": _read(metrics.live_messages_replaced_total),
                "refused": _read(metrics.live_connections_refused_total),
                "too_slow": _read(metrics.live_connections_slow_total),
                "timestamp": uses.clock.now(),
            },
            option=orjson.OPT_UTC_Z,
        )
    )


@router.websocket("/ws/live")
async def follow_many(socket: WebSocket, uses: SocketUses) -> None:
    """Push what the client subscribes to with ``{"type":"subscribe","streams":[…]}``."""
    if connection := await _admit(socket, uses):
        await _serve(socket, uses, connection, Wish(()))


@router.websocket("/ws/live/{stream_id}")
async def follow_stream(
    socket: WebSocket,
    uses: SocketUses,
    stream_id: str,
    resume: Position = None,
    types: Types = None,
) -> None:
    """Push everything of one stream, or what is of some types."""
    if connection := await _admit(socket, uses, stream_id, types):
        await _serve(socket, uses, connection, Wish((stream_id,), resume, read_kinds(types)))


@router.get(
    "/sse/live",
    operation_id="follow_streams",
    status_code=200,
    response_class=EventStream,
    responses=examples.SEVERAL,
    summary="Follow several streams",
)
async def read_many(
    request: Request,
    uses: Uses,
    caller: Caller,
    since: Since,
    streams: Annotated[str, Query(min_length=1, examples=["northlight_live,bench"])],
    types: Types = None,
) -> Response:
    """Push what happens in streams, named with commas between them, or in all with ``*``."""
    names = {name for name in streams.split(",") if name}
    if len(names) > STREAMS_MAX:
        raise InvalidError(f"At most {STREAMS_MAX} streams; ask for {EVERYTHING}.")
    # Everything is within reach of nobody but a key without a limit to streams.
    require_streams(caller, names)
    wish = Wish(names, since, read_kinds(types))
    return _stream(uses, uses.hub.connect(find_visitor(request)), wish)


@router.get(
    "/sse/live/{stream_id}",
    operation_id="follow_stream",
    status_code=200,
    response_class=EventStream,
    responses=examples.ONE,
    summary="Follow one stream",
)
async def read_one(
    request: Request, uses: Uses, since: Since, stream_id: str, types: Types = None
) -> Response:
    """Push what happens in one stream as server-sent events."""
    await _require_stream(uses, stream_id)
    wish = Wish((stream_id,), since, read_kinds(types))
    return _stream(uses, uses.hub.connect(find_visitor(request)), wish)


async def _admit(
    socket: WebSocket, uses: Resources, stream_id: str | None = None, types: str | None = None
) -> Connection | None:
    """Accept a socket, or close it with the reason; every live socket comes in here."""
    await socket.accept()
    try:
        read_kinds(types)
        if stream_id is not None:
            await _require_stream(uses, stream_id)
        return uses.hub.connect(find_visitor(socket))
    except (NotFoundError, InvalidError) as error:
        await socket.close(CloseCode.UNKNOWN, error.detail)
    except TelemetraError as error:
        await socket.close(CloseCode.AWAY, error.detail)
    return None


async def _serve(socket: WebSocket, uses: Resources, connection: Connection, wish: Wish) -> None:
    await serve_socket(socket, uses, connection, wish, _receive(socket, uses, connection))


def _stream(uses: Resources, connection: Connection, wish: Wish) -> Response:
    async def run(send: Send, receive: Coroutine[Any, Any, None]) -> None:
        patience = Patience.of(uses.settings)
        await deliver(uses.hub, connection, wish, send=send, receive=receive, patience=patience)

    return EventStream(run)


async def _require_stream(uses: Resources, stream_id: str) -> None:
    async with uses.pool.connection() as connection:
        await StreamStore(connection).require(stream_id)


async def _receive(socket: WebSocket, uses: Resources, connection: Connection) -> None:
    try:
        while True:
            await _obey(await socket.receive_text(), uses, connection, await get_caller(socket))
    except (WebSocketDisconnect, KeyError):
        # KeyError: the client sent bytes where text is spoken.
        return


async def _obey(text: str, uses: Resources, connection: Connection, caller: Caller) -> None:
    """Do what a client's message says, or tell it what was wrong."""
    try:
        message = orjson.loads(text)
        kind = message["type"]
        streams = {str(name) for name in message.get("streams", ())}
        since = message.get("since")
        kinds = frozenset(message.get("types") or connection.kinds)
        others = frozenset(message.get("others") or connection.others)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        connection.say("error", detail='A message is JSON with a "type".')
        return
    if kind == "ping":
        connection.say("pong")
    elif kind == "subscribe" and (
        fault := _find_fault(Wish(streams | connection.streams, since, kinds | others), caller)
    ):
        connection.say("error", detail=fault)
    elif kind == "subscribe":
        connection.kinds, connection.others = kinds, others
        await uses.hub.subscribe(connection, streams, since)
    elif kind == "unsubscribe":
        uses.hub.unsubscribe(connection, streams)
    else:
        connection.say("error", detail="type is one of ping, subscribe, unsubscribe.")


def _find_fault(wish: Wish, caller: Caller) -> str | None:
    """Return why a client cannot have what it wants then."""
    if len(wish.streams) > STREAMS_MAX:
        return f"At most {STREAMS_MAX} streams; subscribe to {EVERYTHING}."
    if not _is_position(wish.since):
        return "since is the last position seen, a whole number."
    if not all(map(caller.allows_stream, wish.streams)):
        return "The key does not reach all of these streams."
    return None if frozenset(wish.kinds) <= KINDS else NO_SUCH_TYPE


def _is_position(given: object) -> bool:
    return given is None or (type(given) is int and given >= 0)


def read_kinds(types: str | None) -> frozenset[str]:
    """Return the types that were asked for; the usual ones when none were.

    Raises:
        InvalidError: There is no such type.
    """
    kinds = frozenset(types.split(",")) if types else KINDS_USUAL
    if not kinds <= KINDS:
        raise InvalidError(NO_SUCH_TYPE)
    return kinds


def _read(counter: Counter) -> int:
    return int(next(iter(counter.collect())).samples[0].value)
