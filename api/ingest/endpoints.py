"""Ingest: the door for events."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from api.deps import get_caller, get_resources
from api.ingest.bodies import MEGABYTE, read_body
from api.ingest.examples import ANSWERS, describe_body
from api.ingest.readers import choose_reader
from api.ingest.schemas import IngestOut
from api.ingest.service import IngestService
from api.replies import JSON

router = APIRouter(tags=["ingest"])


@router.post(
    "/ingest",
    status_code=202,
    response_model=IngestOut,
    summary="Send events",
    operation_id="send_events",
    responses=ANSWERS,
    openapi_extra={"requestBody": describe_body()},
)
async def ingest(
    request: Request,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> Response:
    """Put events on the bus. 202 once they would survive the death of this process.

    Good rows are taken even when others are bad; every bad row is named by its place and its field.
    A request repeated with the same ``Idempotency-Key`` counts once. The body may be compressed:
    ``Content-Encoding: gzip`` or ``zstd``.
    """
    # Asked for as dependencies, these two would cost as much as all the rest of the way here.
    uses, caller = await get_resources(request), await get_caller(request)
    bytes_max = uses.settings.ingest_body_max_mb * MEGABYTE
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    service = IngestService(uses.settings, uses.clock, uses.bus, caller, uses.small_bodies)
    with uses.room.hold() as share:
        body = await read_body(request, share, bytes_max=bytes_max)
        read = choose_reader(media_type, bytes_max=bytes_max)
        receipt = await service.accept(body, read, idempotency_key)
    return Response(receipt.write(), status_code=202, media_type=JSON)
