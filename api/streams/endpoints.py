"""Streams: list, read, name and delete the sources of events."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import ANSWERS, answer_cached, send_json
from api.deps import Caller, Resources, Uses
from api.paging import read_cursor, write_page
from api.replies import JSON
from api.streams import examples
from api.streams.schemas import StreamDeletedOut, StreamIn, StreamOut, StreamPage, StreamQuery
from core.ids import NAME_PATTERN
from core.live import LIVE_FOR, tell_stream
from core.scopes import STREAMS_ALL, scope_of_stream
from db.deletions import DeletionStore
from db.streams import StreamFilter, StreamNames, StreamStore

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
async def put_stream(uses: Uses, caller: Caller, stream_id: StreamId, given: StreamIn) -> Response:
    """Set title, kind or metadata; a stream that is not there yet is made."""
    named = StreamNames(given.title, given.kind, given.metadata)
    async with uses.pool.connection() as connection:
        store = StreamStore(connection)
        await store.put(stream_id, named, actor=caller)
        row = await store.get(stream_id)
    await uses.news.tell((scope_of_stream(stream_id), STREAMS_ALL))
    return send_json(orjson.dumps(_write(uses, row), option=orjson.OPT_UTC_Z))


@router.delete(
    "/{stream_id}",
    response_model=StreamDeletedOut,
    summary="Delete a stream and all it owns",
    responses={**examples.DELETED, 202: {"model": StreamDeletedOut, **examples.LEFT}},
)
async def delete_stream(uses: Uses, caller: Caller, stream_id: StreamId) -> Response:
    """Delete minutes, roll-ups, raw points, moments and what people did with them, for good.

    Needs a key with the scope `admin`. The stream is gone at once; 202 says that rows of it are
    left, because there were too many for one request: send it again. Stop its senders first. Events
    that arrive later make the stream appear anew, and a minute that was running is written once
    more when it is complete; delete the stream again then. The archive keeps its events.
    """
    async with uses.pool.connection() as connection:
        deleted = await DeletionStore(connection).delete(stream_id, actor=caller)
    message = tell_stream(stream_id, "deleted", uses.clock.now())
    await uses.news.tell((scope_of_stream(stream_id), STREAMS_ALL), message, is_gone=True)
    body = {"id": stream_id, "complete": deleted.is_complete, "rows": deleted.rows}
    return Response(
        orjson.dumps(body),
        status_code=200 if deleted.is_complete else 202,
        media_type=JSON,
        headers={"Cache-Control": "no-store"},
    )


def _choose_ttl_s(uses: Resources) -> int:
    return min(uses.settings.cache_ttl_streams, NOTICE_S_MAX)


def _write(uses: Resources, row: dict[str, Any]) -> dict[str, Any]:
    last = row["last_event_at"]
    is_live = last is not None and last > uses.clock.now() - LIVE_FOR
    return {"id": row.pop("stream_id"), **row, "is_live": is_live}
