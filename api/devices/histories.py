"""Histories: the log of a device, asked and, on purpose, cleared."""

from typing import Annotated, TypeAlias

import orjson
from fastapi import APIRouter, Query, Response

from api.answers import send_json, send_row
from api.deps import Caller, Resources, Uses
from api.devices import examples
from api.devices.endpoints import DeviceId
from api.devices.schemas import ClearedOut, HistoryPage, HistoryQuery
from api.devices.views import Row, show_line
from api.paging import read_numbered_place, write_cursor, write_place
from core import keys
from core.errors import InvalidError
from core.ids import NAME_PATTERN
from db.device_logs import DeviceLogStore, LogFilter
from db.minutes import BEGINNING, END

Confirm: TypeAlias = Annotated[
    str | None,
    Query(
        pattern=NAME_PATTERN,
        description="The id of the device, so that nobody clears a log by accident.",
        examples=[examples.DEVICE_ID],
    ),
]

router = APIRouter(prefix="/devices/{device_id}/history", tags=["devices"])


@router.get(
    "",
    response_model=HistoryPage,
    responses=examples.HISTORY,
    summary="Read the log of a device",
)
async def read_history(
    uses: Uses, device_id: DeviceId, query: Annotated[HistoryQuery, Query()]
) -> Response:
    """Return all that a device said and that became of its commands, newest first."""
    page = await read_page(uses, device_id, query)
    return send_json(orjson.dumps(page, option=orjson.OPT_UTC_Z))


@router.delete(
    "",
    response_model=ClearedOut,
    responses=examples.CLEARED,
    summary="Clear the log of a device",
)
async def clear_history(
    uses: Uses, caller: Caller, device_id: DeviceId, confirm: Confirm = None
) -> Response:
    """Delete the log of a device for good; the audit log keeps who did. Commands stay."""
    return send_row(await clear_log(uses, caller, device_id, confirm))


async def read_page(uses: Resources, device_id: str, query: HistoryQuery) -> Row:
    """Return a page of a log, and how long it is."""
    wanted = _to_filter(device_id, query)
    async with uses.pool.connection() as connection:
        store = DeviceLogStore(connection)
        rows = await store.list_rows(wanted, limit=query.limit + 1)
        total = await store.count_all(device_id)
        is_all = not any((query.since, query.until, query.type, query.id))
        filtered = total if is_all else await store.count(_to_filter(device_id, query, paged=False))
    more = None
    if len(rows) > query.limit:
        last = rows[query.limit - 1]
        more = write_cursor(write_place(last["timestamp"], last["seq"]))
    return {
        "data": [show_line(row) for row in rows[: query.limit]],
        "next_cursor": more,
        "total_records": total,
        "filtered_records": filtered,
    }


async def clear_log(
    uses: Resources, caller: keys.Caller, device_id: str, confirm: str | None
) -> Row:
    """Delete a log.

    Raises:
        InvalidError: The device is not named twice.
    """
    if confirm != device_id:
        raise InvalidError(f"confirm: name the device whose log is cleared: {device_id!r}.")
    async with uses.pool.connection() as connection:
        cleared = await DeviceLogStore(connection).clear(device_id, actor=caller)
    return {
        "device_id": device_id,
        "deleted_records": cleared.rows,
        "complete": cleared.is_complete,
    }


def _to_filter(device_id: str, query: HistoryQuery, *, paged: bool = True) -> LogFilter:
    until, before = query.until or END, None
    if paged and query.cursor:
        until, before = read_numbered_place(query.cursor)
    return LogFilter(device_id, query.since or BEGINNING, until, query.type, query.id, before)
