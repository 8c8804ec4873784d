"""Moments: what was unusual, in one stream or in all."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Query, Request, Response

from api.answers import ANSWERS, answer_cached
from api.deps import Resources, Uses
from api.moments import examples
from api.moments.schemas import MomentPage, MomentQuery
from api.paging import CURSOR_TEXT, read_cursor, write_page
from api.streams.endpoints import StreamId
from core.errors import InvalidError
from core.scopes import STREAMS_ALL, scope_of_stream
from core.times import parse_time
from db.moments import MomentFilter, MomentStore
from db.streams import StreamStore

router = APIRouter(tags=["moments"], responses=ANSWERS)

Wanted: TypeAlias = Annotated[MomentQuery, Query()]


@router.get(
    "/moments",
    response_model=MomentPage,
    summary="List moments of all streams",
    responses=examples.ALL,
)
async def list_all_moments(request: Request, uses: Uses, wanted: Wanted) -> Response:
    """Return moments, newest first."""
    return await _answer(request, uses, STREAMS_ALL, _to_filter(wanted))


@router.get(
    "/streams/{stream_id}/moments",
    response_model=MomentPage,
    summary="List moments of a stream",
    responses=examples.OF_ONE_STREAM,
)
async def list_moments(
    request: Request, uses: Uses, stream_id: StreamId, wanted: Wanted
) -> Response:
    """Return moments of one stream, newest first."""
    chosen = replace(_to_filter(wanted), stream_id=stream_id)
    return await _answer(request, uses, scope_of_stream(stream_id), chosen)


def _to_filter(query: MomentQuery) -> MomentFilter:
    span = query.model_copy(update={"cursor": None}).to_span()
    return MomentFilter(
        span=span,
        moment_type=query.type,
        state=query.state,
        min_score=query.min_score,
        after=_read_position(query.cursor) if query.cursor else None,
    )


async def _answer(request: Request, uses: Resources, scope: str, wanted: MomentFilter) -> Response:
    async def load() -> bytes:
        async with uses.pool.connection() as connection:
            rows = await MomentStore(connection).list_moments(wanted)
            if not rows and wanted.stream_id is not None:
                await StreamStore(connection).require(wanted.stream_id)
        limit = wanted.span.limit - 1
        more = None
        if len(rows) > limit:
            last = rows[limit - 1]
            more = f"{last['timestamp'].isoformat()}|{last['moment_id']}"
        return write_page(rows[:limit], next_position=more)

    ttl_s = uses.settings.cache_ttl_metrics
    return await answer_cached(request, uses, scope, ttl_s=ttl_s, load=load)


def _read_position(cursor: str) -> tuple[datetime, str]:
    time, _, moment_id = read_cursor(cursor).partition("|")
    try:
        return parse_time(time), moment_id
    except ValueError:
        raise InvalidError(CURSOR_TEXT) from None
