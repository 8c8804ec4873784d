"""Reports: a stream over a period as a page, to be read, kept and printed."""

import asyncio
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from api.answers import ANSWERS, send_answer
from api.cache.base import Answer
from api.cache.lookups import Wanted
from api.deps import Uses
from api.pages.headers import SECURITY_HEADERS
from api.replies import STALE
from api.reports import examples
from api.reports.pages import write_page
from api.reports.schemas import ReportOut, ReportQuery
from api.reports.service import load_report
from api.streams.endpoints import StreamId
from core.scopes import scope_of_stream

HEADERS: Final = {
    **SECURITY_HEADERS,
    # Whatever a text on it says: the page runs nothing and asks nobody for anything.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cache-Control": "private, no-cache",
}

router = APIRouter(prefix="/streams/{stream_id}/report", tags=["streams"], responses=ANSWERS)


@router.get(
    "",
    response_model=ReportOut,
    responses=examples.REPORT,
    summary="Read a report of a stream and a period",
)
async def read_report(
    request: Request, uses: Uses, stream_id: StreamId, query: Annotated[ReportQuery, Query()]
) -> Response:
    """Return totals, charts, the best moments, emotes and transactions, beside the period before.

    As a page it needs nothing else: no script, no picture from elsewhere; a browser prints it as
    PDF. Minutes, hours or days are drawn, whatever suits the length.
    """
    period = query.to_period(uses.clock.now())

    async def load() -> bytes:
        return await load_report(uses, stream_id, period)

    # Both formats are made of one answer.
    asked = {"start": query.start.isoformat(), "end": query.end and query.end.isoformat()}
    key = f"{request.scope['path']}?{urlencode(asked)}"
    ttl_s = uses.settings.cache_ttl_metrics
    answer = await uses.lookups.find(Wanted(scope_of_stream(stream_id), key, ttl_s, load))
    if query.format == "json":
        return send_answer(request, answer)
    return await asyncio.to_thread(_send_page, answer)


def _send_page(answer: Answer) -> Response:
    page = write_page(ReportOut.model_validate_json(answer.body))
    stale = {} if answer.stale_s is None else {STALE: str(answer.stale_s)}
    return Response(page, media_type="text/html", headers=HEADERS | stale)
