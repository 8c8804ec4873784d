"""Streams: list, read and name the sources of events."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import ANSWERS, answer_cached, send_json
from api.deps import Resources, Uses
from api.paging import read_cursor, write_page
from api.streams import examples
from api.streams.schemas import StreamIn, StreamOut, StreamPage, StreamQuery
from core.events import NAME_PATTERN
from core.live import LIVE_FOR
from core.scopes import STREAMS_ALL, scope_of_stream
from db.streams import StreamFilter, StreamStore

NOTICE_S_MAX: Final = 5
"""How late an answer may notice that a stream fell silent, which nobody commits."""

StreamId = Annotated[str, Path(pattern=NAME_PATTERN, examples=["northlight_live"])]

router = APIRouter(prefix="/streams", tags=["streams"])


@router.get(
    "",
    response_model=StreamPage,
    responses=ANSWERS | examples.STREAMS,
    summary="List streams",
)
async def list_streams(
    request: Request, uses: Uses, query: Annotated[StreamQuery, Query()]
) -> Response:
    """Return streams by id, each with its newest minute."""
    limit = query.limit
    wanted = StreamFilter(
        after=read_cursor(query.cursor) if query.cursor else None,
        kind=query.kind,
        search=query.q,
        is_live=query.live,
        limit=limit + 1,
        offset=query.offset,
    )

    async def load() -> bytes:
        live_since = uses.clock.now() - LIVE_FOR
        async with uses.pool.connection() as connection:
            rows = await StreamStore(connection).list_streams(wanted, live_since=live_since)
        more = rows[limit - 1]["stream_id"] if len(rows) > limit else None
        return write_page([_write(uses, row) for row in rows[:limit]], next_position=more)

    return await answer_cached(request, uses, STREAMS_ALL, ttl_s=_choose_ttl_s(uses), load=load)


@router.get(
    "/{stream_id}",
    response_model=StreamOut,
    responses=ANSWERS | examples.ONE,
    summary="Read one stream",
)
async def get_stream(request: Request, uses: Uses, stream_id: StreamId) -> Response:
    """Return one stream with its newest minute."""

    async def load() -> bytes:
        async with uses.pool.connection() as connection:
            row = await StreamStore(connection).get(stream_id)
        return orjson.dumps(_write(uses, row), option=orjson.OPT_UTC_Z)

    scope = scope_of_stream(stream_id)
    return await answer_cached(request, uses, scope, ttl_s=_choose_ttl_s(uses), load=load)


@router.put(
    "/{stream_id}", response_model=StreamOut, responses=examples.NAMED, summary="Name a stream"
)
async def put_stream(uses: Uses, stream_id: StreamId, given: StreamIn) -> Response:
    """Set title, kind or metadata; a stream that is not there yet is made."""
    async with uses.pool.connection() as connection, connection.transaction():
        store = StreamStore(connection)
        await store.put(stream_id, title=given.title, kind=given.kind, metadata=given.metadata)
        row = await store.get(stream_id)
    await uses.cache.touch(scope_of_stream(stream_id))
    await uses.cache.touch(STREAMS_ALL)
    return send_json(orjson.dumps(_write(uses, row), option=orjson.OPT_UTC_Z))


def _choose_ttl_s(uses: Resources) -> int:
    return min(uses.settings.cache_ttl_streams, NOTICE_S_MAX)


def _write(uses: Resources, row: dict[str, Any]) -> dict[str, Any]:
    last = row["last_event_at"]
    is_live = last is not None and last > uses.clock.now() - LIVE_FOR
    return {"id": row.pop("stream_id"), **row, "is_live": is_live}
