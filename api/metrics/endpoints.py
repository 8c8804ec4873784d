"""Metrics: the minutes of a stream."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.answers import answer_cached
from api.deps import Resources, Uses
from api.metrics.schemas import MetricsPage, MetricsQuery
from api.paging import write_page
from api.streams.endpoints import StreamId
from db.minutes import MinuteStore, Span
from db.pool import Connection
from db.streams import StreamStore

router = APIRouter(prefix="/streams/{stream_id}/metrics", tags=["metrics"])


@router.get("", response_model=MetricsPage, summary="Read the minutes of a stream")
async def list_metrics(
    request: Request, uses: Uses, stream_id: StreamId, query: Annotated[MetricsQuery, Query()]
) -> Response:
    """Return minutes, newest first; the open minute is among them with ``final: false``."""
    span = query.to_span()

    async def load() -> bytes:
        return await load_minutes(
            uses,
            stream_id,
            span,
            lambda connection: MinuteStore(connection).list_chat(stream_id, span),
        )

    ttl_s = uses.settings.cache_ttl_metrics
    return await answer_cached(request, uses, f"stream:{stream_id}", ttl_s=ttl_s, load=load)


async def load_minutes(
    uses: Resources,
    stream_id: str,
    span: Span,
    list_rows: Callable[[Connection], Awaitable[list[dict[str, Any]]]],
) -> bytes:
    """Read a page of rows; an empty one asks whether the stream exists at all."""
    async with uses.pool.connection() as connection:
        rows = await list_rows(connection)
        if not rows:
            await StreamStore(connection).require(stream_id)
    limit = span.limit - 1
    more = rows[limit - 1]["window_start"].isoformat() if len(rows) > limit else None
    return write_page(rows[:limit], next_position=more)
