"""Telemetry of a session: points taken as readings of its own stream, and read back."""

from functools import partial
from typing import Annotated, TypeAlias

import orjson
from fastapi import APIRouter, Header, Query, Request, Response

from api.aliases import Plain, send_list
from api.answers import send_answer, send_json, send_row
from api.cache.lookups import Wanted
from api.deps import Caller, Uses
from api.ingest.bodies import MEGABYTE, read_body
from api.paging import find_next_point, read_point_cursor
from api.session_telemetry import examples
from api.session_telemetry.readers import read_batch, read_point
from api.session_telemetry.schemas import (
    ChannelsOut,
    CreatedOut,
    LatestQuery,
    PointIn,
    PointOut,
    PointPage,
    PointQuery,
    describe_batch,
)
from api.session_telemetry.service import TelemetryWriter, find_latest
from api.sessions.endpoints import SessionId
from api.sessions.service import Row, read_session, require_session
from core.errors import InvalidError
from core.scopes import scope_of_stream
from core.sessions import (
    VALUES_MAX,
    Place,
    Point,
    find_place,
    is_own_channel,
    name_channel,
    show_points,
)
from db.minutes import BEGINNING, END, PointSpan, Span
from db.pool import Connection
from db.session_telemetry import SessionTelemetryStore

Key: TypeAlias = Annotated[str | None, Header(min_length=1, max_length=200)]

router = APIRouter(prefix="/sessions/{session_id}/telemetry", tags=["sessions"])


@router.post(
    "",
    status_code=201,
    response_model=PointOut,
    responses=examples.CREATED,
    summary="Send a point",
)
async def create_point(
    uses: Uses, caller: Caller, session_id: SessionId, given: PointIn, idempotency_key: Key = None
) -> Response:
    """Take a value of a channel: a reading of the session's own stream, and so watched as others.

    201 once it would survive the death of this process; who reads then waits until it is there.
    """
    await read_session(uses, caller, session_id)
    row = given.model_dump()
    writer = TelemetryWriter(uses, caller, session_id)
    if idempotency_key is None:
        await writer.accept_point(row)
    else:
        body = given.model_dump_json().encode()
        await writer.accept(body, partial(read_point, row, session_id), idempotency_key)
    [shown] = show_points(session_id, [Point(stream_id=session_id, **row)])
    return send_row(shown, status=201)


@router.post(
    "/batch",
    status_code=201,
    response_model=CreatedOut,
    responses=examples.BATCH,
    summary="Send many points",
    openapi_extra={"requestBody": describe_batch()},
)
async def create_points(
    request: Request,
    uses: Uses,
    caller: Caller,
    session_id: SessionId,
    idempotency_key: Key = None,
) -> Response:
    """Take many points at once, all or none: each that is wrong is named by its place and field.

    At most `SESSION_BATCH_MAX_POINTS` points and `INGEST_BODY_MAX_MB` megabytes; the body may be
    compressed. Repeated with the same `Idempotency-Key` it counts once.
    """
    await read_session(uses, caller, session_id)
    read = partial(
        read_batch, session_id=session_id, points_max=uses.settings.session_batch_max_points
    )
    with uses.room.hold() as share:
        body = await read_body(
            request, share, bytes_max=uses.settings.ingest_body_max_mb * MEGABYTE
        )
        writer = TelemetryWriter(uses, caller, session_id)
        checked = await writer.accept(body, read, idempotency_key)
    return send_row({"created": checked.events.height}, status=201)


@router.get("", response_model=PointPage, responses=examples.POINTS, summary="Read points")
async def list_points(
    uses: Uses,
    caller: Caller,
    plain: Plain,
    session_id: SessionId,
    query: Annotated[PointQuery, Query()],
) -> Response:
    """Return points newest first, of one channel or of all.

    Of a stream that the session looks at those from its start to its end. What was sent to the
    session before is there: the answer waits up to two seconds for it.
    """
    wanted = _read_page(query)
    await uses.written.wait(session_id)
    async with uses.pool.connection() as connection:
        session = await require_session(connection, caller, session_id)
        places = await _find_places(connection, session, query, wanted)
        points = await SessionTelemetryStore(connection).list_points(session, places, wanted)
    more = find_next_point([point.timestamp for point in points], wanted)
    shown = show_points(session_id, points[: query.limit])
    return send_list(shown, next_position=more, plain=plain)


@router.get(
    "/latest", response_model=PointOut, responses=examples.LATEST, summary="Read the newest point"
)
async def read_latest(
    request: Request,
    uses: Uses,
    caller: Caller,
    session_id: SessionId,
    query: Annotated[LatestQuery, Query()],
) -> Response:
    """Return the newest point of a channel."""
    if caller.streams is not None:
        # An answer at hand is the same for all who reach the session.
        await read_session(uses, caller, session_id)

    async def load() -> bytes:
        return orjson.dumps(
            await find_latest(uses, caller, session_id, query.channel), option=orjson.OPT_UTC_Z
        )

    mark = await uses.written.wait(session_id)
    if mark is None or not is_own_channel(query.channel):
        # Something is missing still, or other streams than this one change the answer.
        return send_json(await load())
    key = f"latest {query.channel} {mark}"
    wanted = Wanted(scope_of_stream(session_id), key, uses.settings.cache_ttl_metrics, load)
    return send_answer(request, await uses.lookups.find(wanted))


@router.get(
    "/channels", response_model=ChannelsOut, responses=examples.CHANNELS, summary="List channels"
)
async def list_session_channels(uses: Uses, caller: Caller, session_id: SessionId) -> Response:
    """Return the channels that have points: those of the session's own stream first."""
    await uses.written.wait(session_id)
    async with uses.pool.connection() as connection:
        session = await require_session(connection, caller, session_id)
        places = await SessionTelemetryStore(connection).list_channels(session)
    return send_row({"channels": [name_channel(session_id, place) for place in places]})


async def _find_places(
    connection: Connection, session: Row, query: PointQuery, wanted: PointSpan
) -> list[Place]:
    if query.channel is not None:
        place = find_place(session, query.channel)
        return [] if place is None else [place]
    places = await SessionTelemetryStore(connection).list_channels(
        session, start=wanted.span.start, end=min(wanted.span.end, wanted.until)
    )
    if len(places) * (query.limit + wanted.skip) > VALUES_MAX:
        raise InvalidError(
            f"limit: {query.limit} points of each of {len(places)} channels are too many to choose"
            " among. Name a channel, or ask for fewer."
        )
    return places


def _read_page(query: PointQuery) -> PointSpan:
    span = Span(query.start or BEGINNING, query.end or END, query.limit + 1)
    if query.cursor is None:
        return PointSpan(span)
    return PointSpan(span, *read_point_cursor(query.cursor))
