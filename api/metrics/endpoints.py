"""Metrics: what happened in a stream, window by window."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import ANSWERS
from api.deps import Uses
from api.formats import Accept
from api.metrics import examples
from api.metrics.schemas import MetricsPage, MetricsQuery
from api.metrics.service import answer_windows
from api.streams.endpoints import StreamId
from db.windows import Source

router = APIRouter(prefix="/streams/{stream_id}/metrics", tags=["metrics"], responses=ANSWERS)


@router.get(
    "",
    response_model=MetricsPage,
    summary="Read the minutes, hours or days of a stream",
    responses=examples.METRICS,
)
async def list_metrics(
    request: Request,
    uses: Uses,
    stream_id: StreamId,
    query: Annotated[MetricsQuery, Query()],
    accept: Accept = "",
) -> Response:
    """Return windows, newest first; the open minute is among them with ``final: false``.

    A minute in which nothing was heard has no row: a gap is not a zero. A row with
    ``chat_count: 0`` says that something else was heard, such as viewers.
    """
    return await answer_windows(request, uses, Source(stream_id), query, accept)
