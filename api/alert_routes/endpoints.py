"""Alert routes: where alerts are sent; made, changed, tested and deleted."""

import asyncio
import secrets
from typing import Annotated, Any, Final, TypeAlias

from fastapi import APIRouter, Body, Path, Query, Response

from api.alert_routes import examples
from api.alert_routes.schemas import (
    AlertRouteChangeIn,
    AlertRouteIn,
    AlertRouteOut,
    AlertRoutePage,
    AlertRouteQuery,
    find_wrong,
)
from api.alert_routes.targets import require_known
from api.answers import send_json, send_row
from api.deliveries.schemas import DeliveryDetailOut
from api.deliveries.stories import read_story
from api.deps import Caller, Resources, Uses
from api.paging import read_cursor, write_page
from core.alert_messages import make_sample
from core.alert_routes import RouteKind
from core.errors import ConflictError, InvalidError
from db.alert_routes import AlertRouteStore
from db.alert_rules import AlertRuleStore
from db.deliveries import DeliveryStore

RouteId: TypeAlias = Annotated[
    str, Path(pattern=r"^rte_[0-9a-f]{16}$", examples=[examples.ROUTE_ID])
]

TESTED_WITHIN_S: Final = 3.0
"""How long a test waits for its outcome; after that its delivery tells."""

LOOK_EVERY_S: Final = 0.05

router = APIRouter(prefix="/alert-routes", tags=["alerts"])


@router.get("", response_model=AlertRoutePage, responses=examples.ROUTES, summary="List routes")
async def list_alert_routes(uses: Uses, query: Annotated[AlertRouteQuery, Query()]) -> Response:
    """Return routes by name, without their secrets."""
    after = read_cursor(query.cursor) if query.cursor else None
    async with uses.pool.connection() as connection:
        rows = await AlertRouteStore(connection).list_routes(after=after, limit=query.limit + 1)
    more = rows[query.limit - 1]["name"] if len(rows) > query.limit else None
    return send_json(write_page(rows[: query.limit], next_position=more))


@router.post(
    "",
    status_code=201,
    response_model=AlertRouteOut,
    responses=examples.CREATED,
    summary="Make a route",
)
async def create_alert_route(
    uses: Uses,
    caller: Caller,
    given: Annotated[AlertRouteIn, Body(openapi_examples=examples.WISHES)],
) -> Response:
    """Make a route. Nothing is sent over it until a rule names it."""
    await _require_target(given.kind, given.target, given.secret)
    route_id = f"rte_{secrets.token_hex(8)}"
    async with uses.pool.connection() as connection:
        row = await AlertRouteStore(connection).insert(route_id, given.to_row(), actor=caller)
    return send_row(row, status=201)


@router.get(
    "/{route_id}", response_model=AlertRouteOut, responses=examples.ONE, summary="Read a route"
)
async def get_alert_route(uses: Uses, route_id: RouteId) -> Response:
    """Return a route without its secrets."""
    async with uses.pool.connection() as connection:
        row = await AlertRouteStore(connection).get(route_id)
    return send_row(row)


@router.patch(
    "/{route_id}",
    response_model=AlertRouteOut,
    responses=examples.CHANGED,
    summary="Change a route",
)
async def patch_alert_route(
    uses: Uses,
    caller: Caller,
    route_id: RouteId,
    given: Annotated[AlertRouteChangeIn, Body(openapi_examples=examples.CHANGES)],
) -> Response:
    """Change what is named of a route; what waits to be sent goes where it leads from now on.

    While it is disabled nothing new is written for it, and what waits goes on waiting.
    """
    chosen = given.to_row()
    async with uses.pool.connection() as connection:
        store = AlertRouteStore(connection)
        before = await store.get_stored(route_id)
    after = {**before, **chosen}
    if {"target", "secret"} & chosen.keys():
        await _require_target(RouteKind(before["kind"]), after["target"], after["secret"])
    async with uses.pool.connection() as connection:
        row = await AlertRouteStore(connection).update(route_id, chosen, actor=caller)
    return send_row(row)


@router.delete("/{route_id}", status_code=204, responses=examples.DELETED, summary="Delete a route")
async def delete_alert_route(uses: Uses, caller: Caller, route_id: RouteId) -> None:
    """Delete a route that no rule names; what waits to be sent over it has failed."""
    async with uses.pool.connection() as connection:
        await AlertRuleStore(connection).delete_route(route_id, actor=caller)


@router.post(
    "/{route_id}/test",
    response_model=DeliveryDetailOut,
    responses=examples.TESTED,
    summary="Send a test over a route",
)
async def send_alert_test(uses: Uses, caller: Caller, route_id: RouteId) -> Response:
    """Send an alert that says it is a test, once, also in quiet hours; return what came of it.

    Where nothing has come of it after three seconds the delivery is returned as it is then, to be
    read again: the receiver is slow, the route has sent as much as it may, or no worker runs.
    """
    delivery_id = f"dlv_{secrets.token_hex(12)}"
    async with uses.pool.connection() as connection:
        route = await AlertRouteStore(connection).get(route_id)
        if not route["enabled"]:
            raise ConflictError("The route is disabled. Enable it first.")
        now = uses.clock.now()
        content = make_sample(route_id, uses.settings.link_base, now)
        await DeliveryStore(connection).insert_test(
            delivery_id, route_id, content, actor=caller, now=now
        )
    return send_row(await _wait_for(uses, delivery_id))


async def _wait_for(uses: Resources, delivery_id: str) -> dict[str, Any]:
    """Return a delivery when it is done, or as it is when waiting is over."""
    story: dict[str, Any] = {}
    for _ in range(round(TESTED_WITHIN_S / LOOK_EVERY_S)):
        async with uses.pool.connection() as connection:
            story = await read_story(connection, delivery_id)
        if story["done_at"] is not None:
            break
        await asyncio.sleep(LOOK_EVERY_S)
    return story


async def _require_target(kind: RouteKind, target: str, secret: str | None) -> None:
    """Let a target and a secret pass.

    Raises:
        InvalidError: They are none of the kind.
    """
    if (wrong := find_wrong(kind, target, secret)) is not None:
        raise InvalidError(f"{wrong}.")
    if kind is RouteKind.APPRISE:
        await require_known(target)
