"""Influx: the doors where clients of InfluxDB write, as both of its versions have them.

What lines become is said in ``core.line_protocol``, how refusals read in ``api.dialects``.
"""

import re
from functools import partial
from typing import Annotated, Final, Literal
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request, Response

from api.deps import Caller, Resources, Uses
from api.influx import examples
from api.influx.service import accept_lines, read_lines
from api.ingest.bodies import MEGABYTE, read_body
from api.ingest.service import IngestService
from api.replies import JSON
from core import keys
from core.access import PING, QUERY, WRITE_V1, WRITE_V2
from core.errors import InvalidError
from core.line_protocol import LinePolicy
from core.settings import VERSION

router = APIRouter(tags=["influx"])

PRECISION: Final = "What times count. Without it, nanoseconds."
CREATE_DATABASE: Final = re.compile(r"\s*CREATE\s+DATABASE\b", re.IGNORECASE)


@router.post(
    WRITE_V2,
    status_code=204,
    summary="Write lines as to InfluxDB 2",
    operation_id="write_lines",
    responses=examples.answer(WRITE_V2),
    openapi_extra={"requestBody": examples.describe_body()},
)
async def write_v2(
    request: Request,
    uses: Uses,
    caller: Caller,
    bucket: Annotated[
        str, Query(min_length=1, description="Names the stream of lines without a tag that does.")
    ],
    precision: Annotated[Literal["ns", "us", "ms", "s"], Query(description=PRECISION)] = "ns",
) -> Response:
    """Put readings on the bus. 204 once all of them would survive the death of this process.

    Where lines are bad, the others are taken all the same, and 400 names the bad ones: a client
    need not send them again. ``org`` is not needed. The key may be shown as ``Token tk_…``.
    """
    return await _write(request, uses, caller, bucket, precision)


@router.post(
    WRITE_V1,
    status_code=204,
    summary="Write lines as to InfluxDB 1",
    operation_id="write_lines_old",
    responses=examples.answer(WRITE_V1),
    openapi_extra={"requestBody": examples.describe_body()},
)
async def write_v1(
    request: Request,
    uses: Uses,
    caller: Caller,
    db: Annotated[
        str, Query(min_length=1, description="Names the stream of lines without a tag that does.")
    ],
    precision: Annotated[
        Literal["ns", "n", "us", "u", "µ", "ms", "s", "m", "h"], Query(description=PRECISION)
    ] = "ns",
) -> Response:
    """Put readings on the bus, as `/api/v2/write` does.

    ``rp`` and ``consistency`` are not needed. The key may be the password of Basic
    authentication. Whoever has to wait gets 503, since clients of this version drop what 429
    refuses.
    """
    return await _write(request, uses, caller, db, precision)


async def _write(
    request: Request, uses: Resources, caller: keys.Caller, bucket: str, precision: str
) -> Response:
    policy = LinePolicy(uses.settings.influx_stream_tags, bucket, precision)
    service = IngestService(uses.settings, uses.clock, uses.bus, caller)
    bytes_max = uses.settings.ingest_body_max_mb * MEGABYTE
    with uses.room.hold() as share:
        body = await read_body(request, share, bytes_max=bytes_max)
        await accept_lines(service, body, partial(read_lines, policy=policy, now=uses.clock.now()))
    return Response(status_code=204)


@router.post(
    QUERY,
    summary="Let clients of InfluxDB 1 make a database",
    operation_id="make_database",
    responses=examples.QUERIED,
    openapi_extra={"requestBody": examples.describe_query()},
)
async def answer_query(request: Request, uses: Uses) -> Response:
    """Say yes to ``CREATE DATABASE``, which clients send first: a database needs no making."""
    with uses.room.hold() as share:
        body = await read_body(request, share, bytes_max=MEGABYTE)
    asked = parse_qs(body.decode(errors="replace")).get("q", [])
    if not CREATE_DATABASE.match((asked or request.query_params.getlist("q") or [""])[0]):
        raise InvalidError(
            "Only CREATE DATABASE is answered here. What was written is read under /api/v1/streams."
        )
    return Response(examples.QUERIED_BODY, media_type=JSON)


@router.get(PING, status_code=204, summary="Is it there?", operation_id="ping")
@router.head(PING, status_code=204, include_in_schema=False)
async def ping() -> Response:
    """Answer without asking anyone else, as clients of InfluxDB expect it."""
    return Response(status_code=204, headers={"X-Influxdb-Version": f"telemetra-{VERSION}"})
