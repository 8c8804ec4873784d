"""Readings: the raw points of the channels of a stream."""

from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from api.answers import ANSWERS, answer_cached
from api.channels.endpoints import CHANNELS_MAX
from api.deps import Uses
from api.examples import NO_STREAM, show_answer, show_problem
from api.paging import write_points
from api.readings.schemas import ReadingPage, ReadingQuery
from api.streams.endpoints import StreamId
from core.scopes import scope_of_stream
from db.minutes import PointSpan
from db.pool import Connection
from db.readings import ReadingStore
from db.streams import StreamStore

PATH: Final = "/api/v1/streams/bench-07/readings"
POINT: Final = {
    "stream_id": "bench-07",
    "channel": "cell_3_temp",
    "timestamp": "2026-01-26T10:32:15.250000Z",
    "value": 41.2,
    "unit": "°C",
}

router = APIRouter(prefix="/streams/{stream_id}/readings", tags=["channels"], responses=ANSWERS)


@router.get(
    "",
    response_model=ReadingPage,
    summary="Read the raw points of channels",
    responses={
        **show_answer({"data": [POINT], "next_cursor": "MjAyNi0wMS0yNlQxMDozMjoxNS4yNVp8MQ"}),
        **show_problem(404, PATH, NO_STREAM.replace("northlight_live", "bench-07")),
        **show_problem(422, PATH, "limit: Input should be less than or equal to 1000", "limit"),
    },
)
async def list_readings(
    request: Request, uses: Uses, stream_id: StreamId, query: Annotated[ReadingQuery, Query()]
) -> Response:
    """Return points as they were sent, newest first, as long as ``RETENTION_RAW_DAYS`` keeps them.

    Points that share a time are told by channel and value.
    """
    wanted = query.to_points()

    async def load() -> bytes:
        async with uses.pool.connection() as connection:
            rows = await _list_points(connection, stream_id, query.channel, wanted)
            if not rows:
                await StreamStore(connection).require(stream_id)
        return write_points(rows, wanted)

    ttl_s = uses.settings.cache_ttl_metrics
    return await answer_cached(request, uses, scope_of_stream(stream_id), ttl_s=ttl_s, load=load)


async def _list_points(
    connection: Connection, stream_id: str, channels: list[str], wanted: PointSpan
) -> list[dict[str, Any]]:
    store = ReadingStore(connection)
    if not channels:
        span = replace(wanted.span, limit=CHANNELS_MAX)
        channels = await store.list_channels(stream_id, span)
    return await store.list_readings(stream_id, list(dict.fromkeys(channels)), wanted)
