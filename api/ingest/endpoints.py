"""Ingest: the door for events."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Request, Response

from api.deps import Caller, Uses
from api.ingest.examples import ANSWERS, describe_body
from api.ingest.schemas import IngestOut
from api.ingest.service import IngestService
from api.replies import JSON
from core.errors import TooLargeError, UnsupportedMediaError

MEGABYTE: Final = 1_000_000

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
    uses: Uses,
    caller: Caller,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> Response:
    """Put events on the bus. 202 once they would survive the death of this process.

    Good rows are taken even when others are bad; every bad row is named by its place. A request
    repeated with the same ``Idempotency-Key`` counts once.
    """
    body = await _read_body(request, uses.settings.ingest_body_max_mb * MEGABYTE)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    service = IngestService(uses.settings, uses.clock, uses.bus, caller)
    receipt = await service.accept(body, media_type, idempotency_key)
    return Response(receipt.write(), status_code=202, media_type=JSON)


async def _read_body(request: Request, bytes_max: int) -> bytes:
    """Read the body and stop as soon as it is too large.

    Raises:
        TooLargeError: It is over the limit.
        UnsupportedMediaError: It is compressed.
    """
    if (encoding := request.headers.get("content-encoding", "identity")) != "identity":
        raise UnsupportedMediaError(f"Content-Encoding {encoding} is not read. Send it plain.")
    too_large = TooLargeError(
        f"The body is over the limit of {bytes_max // MEGABYTE} MB. Send it in parts;"
        " nothing of it was taken."
    )
    if int(request.headers.get("content-length") or 0) > bytes_max:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > bytes_max:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)
