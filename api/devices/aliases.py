"""Aliases: the paths of front ends that know one device, for the device that is meant.

The setting ``DEVICE_DEFAULT`` names it; else it is the only one. ``?device_id=`` names another.
"""

from typing import Annotated, TypeAlias

import orjson
from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import Field

from api.answers import send_json, send_row
from api.deps import Caller, Uses
from api.devices import examples
from api.devices.histories import Confirm, clear_log, read_page
from api.devices.schemas import (
    ClearedOut,
    CommandTemplatesOut,
    HistoryOut,
    HistoryQuery,
    SummaryOut,
    TelemetryTypesOut,
    ValidationOut,
)
from api.devices.service import CommandService
from api.devices.views import (
    Row,
    show_summary,
    show_templates,
    show_types,
    show_validation,
)
from core.access import require_streams
from core.errors import NotFoundError
from core.ids import NAME_PATTERN
from db.device_logs import DeviceLogStore
from db.devices import DeviceStore

router = APIRouter(tags=["devices"], include_in_schema=False)

Named: TypeAlias = Annotated[
    str | None, Query(pattern=NAME_PATTERN, description="Which device; else the one that is meant.")
]


class NamedHistoryQuery(HistoryQuery):
    """The parameters of a log, and whose it is."""

    device_id: str | None = Field(None, pattern=NAME_PATTERN)


async def find_device(uses: Uses, caller: Caller, device_id: Named = None) -> Row:
    """Return the device that is meant, with what it registered."""
    async with uses.pool.connection() as connection:
        store = DeviceStore(connection)
        if device_id is None:
            device_id = await CommandService(uses.devices, uses.settings, caller).choose(store)
        require_streams(caller, [device_id])
        return await store.get(device_id)


Meant: TypeAlias = Annotated[Row, Depends(find_device)]


@router.get(
    "/telemetry-types",
    response_model=TelemetryTypesOut,
    responses=examples.TYPES | examples.SEVERAL,
    summary="List telemetry types",
)
async def list_types_of_one(device: Meant) -> Response:
    """Return what the device measures."""
    return send_row(show_types(device))


@router.get(
    "/command-templates",
    response_model=CommandTemplatesOut,
    responses=examples.TEMPLATES | examples.SEVERAL,
    summary="List command templates",
)
async def list_templates_of_one(device: Meant) -> Response:
    """Return the commands that the device knows."""
    return send_row(show_templates(device))


@router.get("/config-summary", response_model=SummaryOut, summary="Sum up a device")
async def read_config_summary(uses: Uses, device: Meant) -> Response:
    """Return what the device registered, in numbers and names."""
    async with uses.pool.connection() as connection:
        total = await DeviceLogStore(connection).count_all(device["device_id"])
    return send_row(show_summary(device, total))


@router.get(
    "/command-validation/{command}",
    response_model=ValidationOut,
    summary="Tell what a command needs",
)
async def read_command_validation(
    device: Meant, command: Annotated[str, Path(pattern=NAME_PATTERN)]
) -> Response:
    """Return what the parameters of a command have to be, also as JSON Schema."""
    if command not in device["command_templates"]:
        raise NotFoundError(f"{device['device_id']} has no command {command!r}.")
    return send_row(show_validation(device, command))


@router.get(
    "/historical-data",
    response_model=HistoryOut,
    responses=examples.HISTORY,
    summary="Read the log of a device",
)
async def read_historical_data(
    uses: Uses, caller: Caller, query: Annotated[NamedHistoryQuery, Query()]
) -> Response:
    """Return what the device said and what became of its commands, newest first."""
    device = await find_device(uses, caller, query.device_id)
    page = await read_page(uses, device["device_id"], query)
    return send_json(orjson.dumps(page, option=orjson.OPT_UTC_Z))


@router.delete(
    "/historical-data",
    response_model=ClearedOut,
    responses=examples.CLEARED,
    summary="Clear the log of a device",
)
async def clear_historical_data(
    uses: Uses, caller: Caller, device: Meant, confirm: Confirm = None
) -> Response:
    """Delete the log of the device for good, if its id is named in ``confirm``."""
    return send_row(await clear_log(uses, caller, device["device_id"], confirm))
