"""Remote write: the door for Prometheus, and for all that send as Prometheus does (version 1.0).

The protocol knows three answers: taken, never send this again (400), try again later (500s).
"""

from fastapi import APIRouter, Request, Response

from api.deps import Caller, Uses
from api.ingest.bodies import receive_body
from api.ingest.service import IngestService
from api.remote_write.examples import ANSWERS, REQUEST_BODY
from api.remote_write.readers import SampleReader
from core.errors import BusFullError, BusWaitError, UnsupportedMediaError
from core.remote_writes import BODY_BYTES_MAX, SeriesPolicy, unpack
from core.settings import Settings

router = APIRouter(tags=["ingest"])

MEDIA_TYPE = "application/x-protobuf"
VERSION_2 = "io.prometheus.write.v2.Request"


@router.post(
    "/prom/write",
    status_code=204,
    response_class=Response,
    summary="Send samples by Prometheus remote write",
    operation_id="write_samples",
    responses=ANSWERS,
    openapi_extra={"requestBody": REQUEST_BODY},
)
async def write_samples(request: Request, uses: Uses, caller: Caller) -> Response:
    """Put the samples of a remote write request, version 1.0, on the bus as readings.

    204 once they would survive the death of this process. Good samples are taken even when others
    are bad; then the answer is 400, as the protocol demands, and names the bad ones. A request that
    is sent again counts once, and so does a sample that comes again in another request.
    """
    refuse_other_formats(request)
    reader = SampleReader(build_policy(uses.settings))
    service = IngestService(uses.settings, uses.clock, uses.bus, caller)
    try:
        with uses.room.hold() as share:
            body = unpack(await receive_body(request, share, bytes_max=BODY_BYTES_MAX))
            share.claim(len(body))
            # The key: who got no answer sends the same bytes again, perhaps when its ids are
            # forgotten.
            receipt = await service.accept(body, reader.read, reader.name_request(body))
    except BusFullError as error:
        # Prometheus drops what is answered with 429 unless it is told to keep it.
        raise BusWaitError(error.detail, retry_after_s=error.retry_after_s) from None
    reader.count_skipped()
    reader.refuse(receipt)
    return Response(status_code=204)


def build_policy(settings: Settings) -> SeriesPolicy:
    """Return the policy that the settings ask for."""
    return SeriesPolicy(
        stream_labels=settings.remote_write_stream_labels,
        stream=settings.remote_write_stream,
        left_out=frozenset(settings.remote_write_labels_left_out),
    )


def refuse_other_formats(request: Request) -> None:
    """Let only version 1.0 pass: a sender of 2.0 then falls back to it.

    Raises:
        UnsupportedMediaError: It is something else.
    """
    media_type, _, rest = request.headers.get("content-type", "").partition(";")
    encoding = request.headers.get("content-encoding", "")
    is_ours = media_type.strip().lower() == MEDIA_TYPE and VERSION_2 not in rest
    if not is_ours or encoding.lower() != "snappy":
        raise UnsupportedMediaError(
            f"Only remote write 1.0 is read here: {MEDIA_TYPE} (prometheus.WriteRequest) with"
            " Content-Encoding snappy."
        )
