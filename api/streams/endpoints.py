"""Streams: list, read and name the sources of events."""

from datetime import timedelta
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import answer_cached, send_json
from api.deps import Resources, Uses
from api.paging import read_cursor, write_page
from api.streams.schemas import StreamIn, StreamOut, StreamPage, StreamQuery
from core.events import NAME_PATTERN
from db.streams import StreamFilter, StreamStore

LIVE_FOR: Final = timedelta(seconds=60)
"""A stream is live while its last event is younger than this."""

LIVE_STEP_MS: Final = 5000
"""How late a list may notice that a stream fell silent."""

StreamId = Annotated[str, Path(pattern=NAME_PATTERN, examples=["northlight_live"])]

router = APIRouter(prefix="/streams", tags=["streams"])


@router.get("", response_model=StreamPage, summary="List streams")
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

    # A stream falls silent without anything being committed: the answer holds for one such step at
    # most.
    step = uses.clock.now_ms() // LIVE_STEP_MS
    ttl_s = uses.settings.cache_ttl_streams
    return await answer_cached(
        request, uses, "streams:all", ttl_s=ttl_s, load=load, variant=str(step)
    )


@router.get("/{stream_id}", response_model=StreamOut, summary="Read one stream")
async def get_stream(uses: Uses, stream_id: StreamId) -> Response:
    """Return one stream with its newest minute."""
    async with uses.pool.connection() as connection:
        row = await StreamStore(connection).get(stream_id)
    return send_json(orjson.dumps(_write(uses, row), option=orjson.OPT_UTC_Z))


@router.put("/{stream_id}", response_model=StreamOut, summary="Name a stream")
async def put_stream(uses: Uses, stream_id: StreamId, given: StreamIn) -> Response:
    """Set title, kind or metadata; a stream that is not there yet is made."""
    async with uses.pool.connection() as connection, connection.transaction():
        store = StreamStore(connection)
        await store.put(stream_id, title=given.title, kind=given.kind, metadata=given.metadata)
        row = await store.get(stream_id)
    await uses.cache.touch("streams:all")
    return send_json(orjson.dumps(_write(uses, row), option=orjson.OPT_UTC_Z))


def _write(uses: Resources, row: dict[str, Any]) -> dict[str, Any]:
    last = row["last_event_at"]
    is_live = last is not None and last > uses.clock.now() - LIVE_FOR
    return {"id": row.pop("stream_id"), **row, "is_live": is_live}
