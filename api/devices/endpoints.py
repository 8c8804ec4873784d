"""Devices: what each is, what it registered, and when it was there."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Body, Path, Query, Response

from api.answers import send_json, send_row
from api.deps import Caller, Uses
from api.devices import examples
from api.devices.schemas import (
    CommandTemplatesOut,
    DeletedOut,
    DeviceIn,
    DeviceOut,
    DevicePage,
    LinkPage,
    PageQuery,
    TelemetryTypesOut,
)
from api.devices.views import show_device, show_templates, show_types
from api.paging import CURSOR_TEXT, read_cursor, write_page
from core.device_news import REGISTERED, tell_device
from core.errors import InvalidError
from core.ids import NAME_PATTERN
from db.devices import DeviceStore

DeviceId: TypeAlias = Annotated[str, Path(pattern=NAME_PATTERN, examples=[examples.DEVICE_ID])]
Wish: TypeAlias = Annotated[DeviceIn, Body(openapi_examples=examples.TITLES)]

router = APIRouter(prefix="/devices", tags=["devices"])


@router.get("", response_model=DevicePage, responses=examples.DEVICES, summary="List devices")
async def list_devices(
    uses: Uses, caller: Caller, query: Annotated[PageQuery, Query()]
) -> Response:
    """Return the devices within reach, by id, with the state of their links."""
    after = read_cursor(query.cursor) if query.cursor else None
    async with uses.pool.connection() as connection:
        rows = await DeviceStore(connection).list_devices(after=after, limit=query.limit + 1)
    more = rows[query.limit - 1]["device_id"] if len(rows) > query.limit else None
    shown = [row for row in rows[: query.limit] if caller.allows_stream(row["device_id"])]
    return send_json(write_page(shown, next_position=more))


@router.get(
    "/{device_id}", response_model=DeviceOut, responses=examples.READ, summary="Read a device"
)
async def get_device(uses: Uses, device_id: DeviceId) -> Response:
    """Return one device."""
    async with uses.pool.connection() as connection:
        return send_row(show_device(await DeviceStore(connection).get(device_id)))


@router.put(
    "/{device_id}", response_model=DeviceOut, responses=examples.READ, summary="Name a device"
)
async def put_device(uses: Uses, caller: Caller, device_id: DeviceId, given: Wish) -> Response:
    """Give a device a title, which stays when it registers again."""
    async with uses.pool.connection() as connection:
        row = await DeviceStore(connection).put_title(device_id, given.title, actor=caller)
    return send_row(show_device(row))


@router.delete(
    "/{device_id}",
    response_model=DeletedOut,
    responses=examples.DELETED,
    summary="Delete a device",
)
async def delete_device(uses: Uses, caller: Caller, device_id: DeviceId) -> Response:
    """Forget a device, its commands and its links; its log and its stream stay.

    One that is connected is asked to register again, and so comes back.
    """
    async with uses.pool.connection() as connection:
        row = await DeviceStore(connection).delete(device_id, actor=caller)
    # No connection from before counts any more, and every later one does.
    after = str(row["link_id"] + 1)
    uses.devices.hub.tell([tell_device(device_id, REGISTERED, after, {})])
    return send_row({"device_id": device_id, "title": row["title"]})


@router.get(
    "/{device_id}/telemetry-types",
    response_model=TelemetryTypesOut,
    responses=examples.TYPES,
    summary="List telemetry types",
)
async def list_telemetry_types(uses: Uses, device_id: DeviceId) -> Response:
    """Return what a device measures, as it registered it."""
    async with uses.pool.connection() as connection:
        return send_row(show_types(await DeviceStore(connection).get(device_id)))


@router.get(
    "/{device_id}/command-templates",
    response_model=CommandTemplatesOut,
    responses=examples.TEMPLATES,
    summary="List command templates",
)
async def list_command_templates(uses: Uses, device_id: DeviceId) -> Response:
    """Return the commands that a device knows, as it registered them."""
    async with uses.pool.connection() as connection:
        return send_row(show_templates(await DeviceStore(connection).get(device_id)))


@router.get(
    "/{device_id}/links",
    response_model=LinkPage,
    responses=examples.LINKS,
    summary="List when a device was there",
)
async def list_links(
    uses: Uses, device_id: DeviceId, query: Annotated[PageQuery, Query()]
) -> Response:
    """Return when a device came, fell silent, went or was replaced, newest first."""
    before = _read_number(query.cursor) if query.cursor else None
    async with uses.pool.connection() as connection:
        store = DeviceStore(connection)
        await store.get(device_id)
        rows = await store.list_links(device_id, before=before, limit=query.limit + 1)
    more = str(rows[query.limit - 1]["id"]) if len(rows) > query.limit else None
    return send_json(write_page(rows[: query.limit], next_position=more))


def _read_number(cursor: str) -> int:
    text = read_cursor(cursor)
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise InvalidError(CURSOR_TEXT)
    return int(text)
