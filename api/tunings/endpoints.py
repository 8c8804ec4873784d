"""Tunings: how single series are judged, where people want it otherwise."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Path, Query, Response

from api.answers import send_json, send_row
from api.deps import Caller, Uses
from api.paging import CURSOR_TEXT, read_cursor, write_page
from api.tunings import examples
from api.tunings.schemas import TuningIn, TuningOut, TuningPage, TuningQuery
from core.errors import InvalidError
from core.tunings import make_tuning_id
from db.tunings import TuningStore

TuningId: TypeAlias = Annotated[
    str, Path(pattern="^tun_[0-9a-f]{16}$", examples=["tun_0123456789abcdef"])
]

router = APIRouter(prefix="/tunings", tags=["moments"])


@router.get("", response_model=TuningPage, responses=examples.TUNINGS, summary="List tunings")
async def list_tunings(uses: Uses, query: Annotated[TuningQuery, Query()]) -> Response:
    """Return rules by their patterns. Where several match, each field is the most specific one's.

    A name is more specific than a pattern, more signs than fewer, the stream before the metric.
    """
    after = _read_position(query.cursor) if query.cursor else None
    async with uses.pool.connection() as connection:
        rows = await TuningStore(connection).list_tunings(after=after, limit=query.limit + 1)
    more = None
    if len(rows) > query.limit:
        last = rows[query.limit - 1]
        more = f"{last['stream_pattern']}|{last['metric_pattern']}"
    return send_json(write_page(rows[: query.limit], next_position=more))


@router.post(
    "",
    status_code=201,
    response_model=TuningOut,
    responses=examples.CREATED,
    summary="Tune some streams and metrics",
)
async def create_tuning(uses: Uses, caller: Caller, given: TuningIn) -> Response:
    """Add a rule. The flow judges by it within seconds; moments that are there stay as they are."""
    async with uses.pool.connection() as connection:
        row = await TuningStore(connection).insert(given.to_rule(make_tuning_id()), actor=caller)
    return send_row(row, status=201)


@router.get(
    "/{tuning_id}", response_model=TuningOut, responses=examples.READ, summary="Read one tuning"
)
async def get_tuning(uses: Uses, tuning_id: TuningId) -> Response:
    """Return one rule."""
    async with uses.pool.connection() as connection:
        row = await TuningStore(connection).get(tuning_id)
    return send_row(row)


@router.put(
    "/{tuning_id}",
    response_model=TuningOut,
    responses=examples.REPLACED,
    summary="Change a tuning",
)
async def put_tuning(uses: Uses, caller: Caller, tuning_id: TuningId, given: TuningIn) -> Response:
    """Replace all fields of a rule; one that is left out is no longer set by it."""
    async with uses.pool.connection() as connection:
        row = await TuningStore(connection).replace(given.to_rule(tuning_id), actor=caller)
    return send_row(row)


@router.delete(
    "/{tuning_id}",
    response_model=TuningOut,
    responses=examples.DELETED,
    summary="Delete a tuning",
)
async def delete_tuning(uses: Uses, caller: Caller, tuning_id: TuningId) -> Response:
    """Take a rule away and return it as it was."""
    async with uses.pool.connection() as connection:
        row = await TuningStore(connection).delete(tuning_id, actor=caller)
    return send_row(row)


def _read_position(cursor: str) -> tuple[str, str]:
    # No pattern has the sign between them.
    stream, between, metric = read_cursor(cursor).partition("|")
    if not between:
        raise InvalidError(CURSOR_TEXT)
    return stream, metric
