"""Channels: the numeric channels of a stream and their minutes."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import answer_cached
from api.channels.schemas import ChannelMetricsPage, ChannelPage
from api.deps import Uses
from api.metrics.endpoints import load_minutes
from api.metrics.schemas import MetricsQuery
from api.paging import write_page
from api.streams.endpoints import StreamId
from core.events import NAME_PATTERN
from db.minutes import MinuteStore
from db.streams import StreamStore

CHANNELS_MAX = 1000
"""Channels that a stream is shown with; a device with more is several streams."""

router = APIRouter(prefix="/streams/{stream_id}/channels", tags=["channels"])


@router.get("", response_model=ChannelPage, summary="List the channels of a stream")
async def list_channels(request: Request, uses: Uses, stream_id: StreamId) -> Response:
    """Return the channels heard in the last day of the stream, each with its newest value."""

    async def load() -> bytes:
        async with uses.pool.connection() as connection:
            rows = await MinuteStore(connection).list_channels(stream_id, CHANNELS_MAX)
            if not rows:
                await StreamStore(connection).require(stream_id)
        return write_page(rows, next_position=None)

    ttl_s = uses.settings.cache_ttl_metrics
    return await answer_cached(request, uses, f"stream:{stream_id}", ttl_s=ttl_s, load=load)


@router.get(
    "/{channel}/metrics", response_model=ChannelMetricsPage, summary="Read a channel's minutes"
)
async def list_channel_metrics(
    request: Request,
    uses: Uses,
    stream_id: StreamId,
    channel: Annotated[str, Path(pattern=NAME_PATTERN)],
    query: Annotated[MetricsQuery, Query()],
) -> Response:
    """Return minutes of a channel, newest first."""
    span = query.to_span()

    async def load() -> bytes:
        return await load_minutes(
            uses,
            stream_id,
            span,
            lambda connection: MinuteStore(connection).list_readings(stream_id, channel, span),
        )

    ttl_s = uses.settings.cache_ttl_metrics
    return await answer_cached(request, uses, f"stream:{stream_id}", ttl_s=ttl_s, load=load)
