"""Detection: what is judged in a stream, how, and whether enough is known for it."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api.answers import ANSWERS, answer_cached
from api.deps import Uses
from api.detection.schemas import DetectionOut
from api.detection.service import load_detection
from api.examples import NO_STREAM, show_answer, show_problem
from api.streams.endpoints import NOTICE_S_MAX, StreamId
from core.scopes import scope_of_stream

PATH: Final = "/api/v1/streams/northlight_live/detection"
SERIES: Final[dict[str, Any]] = {
    "metric": "chat_count",
    "is_channel": False,
    "is_watched": True,
    "learning": True,
    "minutes_known": 7,
    "minutes_needed": 10,
    "rows_mature": 600,
    "z_score": None,
    "judged_at": None,
    "tuning": {
        "strictness": 1.0,
        "deviation_min": 0.0,
        "direction": "both",
        "merge_s": 180,
        "cool_down_s": 300,
        "silence_after_s": 30,
    },
}
EXAMPLE: Final = {
    "stream_id": "northlight_live",
    "as_of": "2026-01-26T10:32:00Z",
    "data": [SERIES],
    "next_cursor": None,
}

router = APIRouter(prefix="/streams/{stream_id}/detection", tags=["moments"], responses=ANSWERS)


@router.get(
    "",
    response_model=DetectionOut,
    summary="See what is judged, and what is still learning",
    responses={**show_answer(EXAMPLE), **show_problem(404, PATH, NO_STREAM)},
)
async def get_detection(request: Request, uses: Uses, stream_id: StreamId) -> Response:
    """Return every metric and channel heard in the last hour of the stream.

    A series is measured against the complete minutes of the hour before. While it has too few of
    them it is learning, and no value of it is told as unusual. It learns anew after an hour of
    silence, by the stream's own time.
    """

    async def load() -> bytes:
        return await load_detection(uses, stream_id)

    # Of a changed tuning no commit tells.
    ttl_s = min(uses.settings.cache_ttl_metrics, NOTICE_S_MAX)
    return await answer_cached(request, uses, scope_of_stream(stream_id), ttl_s=ttl_s, load=load)
