"""Deliveries: what was sent or is to be, to whom, and what came of it."""

from datetime import timedelta
from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Path, Query, Response

from api.answers import send_json, send_row
from api.deliveries import examples
from api.deliveries.schemas import (
    DeliveryCounts,
    DeliveryDetailOut,
    DeliveryPage,
    DeliveryQuery,
)
from api.deliveries.stories import read_story, show_delivery
from api.deps import Caller, Uses
from api.paging import read_place, write_page, write_place
from db.deliveries import DeliveryFilter, DeliveryStore

DeliveryId: TypeAlias = Annotated[
    str, Path(pattern=r"^dlv_[0-9a-f]{24}$", examples=[examples.DELIVERY_ID])
]

COUNTED_FOR: Final = timedelta(days=7)
NEWER: Final = timedelta(hours=24)

COUNTS_MAX: Final = 4000
"""Rows of the counts: 200 rules over a few routes each, in four states."""

router = APIRouter(prefix="/deliveries", tags=["alerts"])


@router.get(
    "", response_model=DeliveryPage, responses=examples.DELIVERIES, summary="List deliveries"
)
async def list_deliveries(uses: Uses, query: Annotated[DeliveryQuery, Query()]) -> Response:
    """Return deliveries, newest first; those that are done are kept for 30 days."""
    wanted = DeliveryFilter(
        state=query.state,
        route_id=query.route_id,
        rule_id=query.rule_id,
        moment_id=query.moment_id,
        after=read_place(query.cursor) if query.cursor else None,
    )
    async with uses.pool.connection() as connection:
        rows = await DeliveryStore(connection).list_deliveries(wanted, limit=query.limit + 1)
    more = None
    if len(rows) > query.limit:
        last = rows[query.limit - 1]
        more = write_place(last["created_at"], last["delivery_id"])
    page = [show_delivery(row) for row in rows[: query.limit]]
    return send_json(write_page(page, next_position=more))


@router.get(
    "/counts",
    response_model=DeliveryCounts,
    responses=examples.COUNTS,
    summary="Count deliveries",
)
async def count_deliveries(uses: Uses) -> Response:
    """Return what became of the deliveries of the last seven days, by rule and route."""
    now = uses.clock.now()
    async with uses.pool.connection() as connection:
        rows = await DeliveryStore(connection).count_recent(
            since=now - COUNTED_FOR, newer=now - NEWER, limit=COUNTS_MAX
        )
    return send_row({"data": rows})


@router.get(
    "/{delivery_id}",
    response_model=DeliveryDetailOut,
    responses=examples.ONE,
    summary="Read a delivery",
)
async def get_delivery(uses: Uses, delivery_id: DeliveryId) -> Response:
    """Return a delivery with what it says and every attempt."""
    async with uses.pool.connection() as connection:
        story = await read_story(connection, delivery_id)
    return send_row(story)


@router.post(
    "/{delivery_id}/retry",
    response_model=DeliveryDetailOut,
    responses=examples.RETRIED,
    summary="Send a delivery again",
)
async def retry_delivery(uses: Uses, caller: Caller, delivery_id: DeliveryId) -> Response:
    """Send a delivery that failed once more, with the id that it has."""
    async with uses.pool.connection() as connection:
        await DeliveryStore(connection).retry(delivery_id, actor=caller, now=uses.clock.now())
        story = await read_story(connection, delivery_id)
    return send_row(story)
