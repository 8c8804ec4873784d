"""Compare: several streams or channels on one axis of time."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from api.answers import ANSWERS, answer_cached
from api.compare.schemas import CompareQuery, Comparison
from api.compare.service import load_comparison
from api.deps import Caller, Uses
from api.examples import NO_STREAM, show_answer, show_problem
from core.access import require_streams
from core.comparisons import Curve
from core.scopes import STREAMS_ALL

PATH: Final = "/api/v1/compare"
EXAMPLE: Final = {
    "data": [
        {
            "series": "northlight_live/avg_viewers",
            "stream_id": "northlight_live",
            "channel": None,
            "column": "avg_viewers",
            "values": [48_110.4, 48_902.0],
        },
        {
            "series": "bench-07/channel:cell_3_temp/mean",
            "stream_id": "bench-07",
            "channel": "cell_3_temp",
            "column": "mean",
            "values": [None, 41.2],
        },
    ],
    "next_cursor": None,
    "resolution": "5m",
    "times": ["2026-01-26T10:30:00Z", "2026-01-26T10:35:00Z"],
}

router = APIRouter(prefix="/compare", tags=["metrics"], responses=ANSWERS)


@router.get(
    "",
    response_model=Comparison,
    summary="Compare streams and channels",
    responses={
        **show_answer(EXAMPLE),
        **show_problem(404, PATH, NO_STREAM),
        **show_problem(
            422,
            PATH,
            "series.0: Value error, there is no column mood; there are chat_count, avg_viewers",
            "series.0",
        ),
    },
)
async def compare(
    request: Request, uses: Uses, caller: Caller, query: Annotated[CompareQuery, Query()]
) -> Response:
    """Return curves on one axis, oldest first; null is a gap, and never a zero.

    Without a start it is the last day; a channel that was never heard is all gaps.
    """
    # Before the cache is asked: what it has was loaded for whoever asked first.
    require_streams(caller, (Curve.parse(name).stream_id for name in query.series))

    async def load() -> bytes:
        return await load_comparison(uses, query)

    ttl_s = uses.settings.cache_ttl_metrics
    return await answer_cached(request, uses, STREAMS_ALL, ttl_s=ttl_s, load=load)
