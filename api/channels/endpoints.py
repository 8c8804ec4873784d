"""Channels: the numeric channels of a stream and their minutes."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import ANSWERS, answer_cached
from api.channels.schemas import ChannelMetricsPage, ChannelPage
from api.deps import Uses
from api.examples import NO_STREAM, show_answer, show_problem
from api.formats import Accept
from api.metrics import examples
from api.metrics.schemas import MetricsQuery
from api.metrics.service import answer_windows
from api.paging import write_page
from api.streams.endpoints import StreamId
from core.ids import NAME_PATTERN
from core.scopes import scope_of_stream
from db.minutes import MinuteStore
from db.streams import StreamStore
from db.windows import Source

CHANNELS_MAX = 1000
"""Channels that a stream is shown with; a device with more is several streams."""

CHANNEL: Final = {
    "channel": "cell_3_temp",
    "unit": "°C",
    "last_value": 41.2,
    "last_at": "2026-01-26T10:32:15.250000Z",
}

router = APIRouter(prefix="/streams/{stream_id}/channels", tags=["channels"], responses=ANSWERS)


@router.get(
    "",
    response_model=ChannelPage,
    summary="List the channels of a stream",
    responses={
        **show_answer({"data": [CHANNEL], "next_cursor": None}),
        **show_problem(
            404,
            "/api/v1/streams/bench-07/channels",
            NO_STREAM.replace("northlight_live", "bench-07"),
        ),
    },
)
async def list_channels(request: Request, uses: Uses, stream_id: StreamId) -> Response:
    """Return the channels heard in the last day of the stream, each with its newest value."""

    async def load() -> bytes:
        async with uses.pool.connection() as connection:
            rows = await MinuteStore(connection).list_channels(stream_id, CHANNELS_MAX)
            if not rows:
                await StreamStore(connection).require(stream_id)
        return write_page(rows, next_position=None)

    ttl_s = uses.settings.cache_ttl_metrics
    return await answer_cached(request, uses, scope_of_stream(stream_id), ttl_s=ttl_s, load=load)


@router.get(
    "/{channel}/metrics",
    response_model=ChannelMetricsPage,
    summary="Read a channel's minutes, hours or days",
    responses=examples.CHANNEL_METRICS,
)
async def list_channel_metrics(
    request: Request,
    uses: Uses,
    stream_id: StreamId,
    channel: Annotated[str, Path(pattern=NAME_PATTERN, examples=["cell_3_temp"])],
    query: Annotated[MetricsQuery, Query()],
    accept: Accept = "",
) -> Response:
    """Return windows of a channel, newest first; a minute without a reading has no row."""
    return await answer_windows(request, uses, Source(stream_id, channel), query, accept)
