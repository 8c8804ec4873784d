"""OTLP: the door for OpenTelemetry, metrics over HTTP.

What the protocol says of answers holds here: messages in the encoding of the request, refused
points in an answer of success, and a Status instead of a problem document.
"""

from fastapi import APIRouter, Request, Response

from api.deps import Caller, Uses
from api.ingest.bodies import read_body
from api.ingest.service import IngestService
from api.otlp.answers import MEDIA_TYPES, write_failure, write_success
from api.otlp.examples import ANSWERS, REQUEST_BODY
from api.otlp.readers import PointReader
from core.errors import TelemetraError, UnsupportedMediaError
from core.otlp_messages import BODY_BYTES_MAX
from core.otlp_names import PointPolicy
from core.settings import Settings

router = APIRouter(tags=["ingest"])


@router.post(
    "/v1/metrics",
    response_class=Response,
    summary="Send metrics by OTLP",
    operation_id="send_otlp_metrics",
    responses=ANSWERS,
    openapi_extra={"requestBody": REQUEST_BODY},
)
async def send_otlp_metrics(request: Request, uses: Uses, caller: Caller) -> Response:
    """Put the data points of an OTLP request on the bus as readings.

    Success once they would survive the death of this process; points that are refused are counted
    in the answer and the first of them is named. A request that is sent again counts once.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        raise UnsupportedMediaError(
            f"{media_type or 'no content type'} is not read here. Send {' or '.join(MEDIA_TYPES)}."
        )
    reader = PointReader(build_policy(uses.settings), media_type)
    service = IngestService(uses.settings, uses.clock, uses.bus, caller)
    try:
        with uses.room.hold() as share:
            body = await read_body(request, share, bytes_max=BODY_BYTES_MAX)
            # The key: who got no answer sends the same bytes again, perhaps when its ids are
            # forgotten.
            receipt = await service.accept(body, reader.read, reader.name_request(body))
    except TelemetraError as error:
        return write_failure(error, media_type)
    reader.count_skipped()
    return write_success(*reader.explain(receipt.rejected), media_type)


def build_policy(settings: Settings) -> PointPolicy:
    """Return the policy that the settings ask for."""
    return PointPolicy(
        stream_attributes=settings.otlp_stream_attributes,
        stream=settings.otlp_stream,
        left_out=frozenset(settings.otlp_attributes_left_out),
    )
