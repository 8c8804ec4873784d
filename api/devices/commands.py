"""Commands: asked for, looked at, confirmed and cancelled."""

from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Body, Header, Path, Query, Response

from api.answers import send_json, send_row
from api.deps import Caller, Uses
from api.devices import examples
from api.devices.endpoints import DeviceId
from api.devices.schemas import (
    CommandDetailOut,
    CommandIn,
    CommandOut,
    CommandPage,
    CommandQuery,
    ConfirmIn,
    QueuedOut,
    WaitQuery,
)
from api.devices.service import CommandService
from api.devices.views import show_command, show_queued
from api.paging import read_place, write_page, write_place
from core.commands import COMMAND_ID_PATTERN, REQUEST_ID_LENGTH_MAX
from core.wishes import Asked
from db.commands import CommandFilter, CommandStore
from db.devices import DeviceStore

CommandId: TypeAlias = Annotated[
    str, Path(pattern=COMMAND_ID_PATTERN, examples=[examples.COMMAND_ID])
]
RequestId: TypeAlias = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=REQUEST_ID_LENGTH_MAX,
        description="Sent again with the same, a command is queued once.",
    ),
]

router = APIRouter(prefix="/devices/{device_id}/commands", tags=["devices"])


@router.post(
    "",
    status_code=202,
    response_model=QueuedOut,
    responses=examples.ASKED,
    summary="Send a command",
)
async def send_command(
    uses: Uses,
    caller: Caller,
    device_id: DeviceId,
    given: Annotated[CommandIn, Body(openapi_examples=examples.WISHES)],
    idempotency_key: RequestId = None,
) -> Response:
    """Queue a command; 202 once it is stored. Its outcome is told to every client.

    A dangerous one is held until it is confirmed with the token of the answer; unconfirmed it is
    cancelled when that expires.
    """
    asked = Asked(
        given.command,
        given.parameters,
        given.priority,
        given.deadline_seconds,
        idempotency_key,
    )
    row, _ = await CommandService(uses.devices, uses.settings, caller).queue(device_id, asked)
    return send_row(show_queued(row), status=202)


@router.get(
    "",
    response_model=CommandPage,
    responses=examples.COMMANDS_LISTED,
    summary="List commands",
)
async def list_commands(
    uses: Uses, device_id: DeviceId, query: Annotated[CommandQuery, Query()]
) -> Response:
    """Return the commands of a device, newest first."""
    until, before = query.until, None
    if query.cursor:
        until, before = read_place(query.cursor)
    wanted = CommandFilter(
        device_id,
        state=query.state,
        command=query.command,
        asker=query.asker,
        since=query.since,
        until=until,
        before=before,
    )
    async with uses.pool.connection() as connection:
        await DeviceStore(connection).get(device_id)
        store = CommandStore(connection, uses.devices.numbers)
        rows = await store.list_commands(wanted, limit=query.limit + 1)
    more = None
    if len(rows) > query.limit:
        last = rows[query.limit - 1]
        more = write_place(last["created_at"], last["command_id"])
    shown = [show_command(row) for row in rows[: query.limit]]
    return send_json(write_page(shown, next_position=more))


@router.get(
    "/{command_id}",
    response_model=CommandDetailOut,
    responses=examples.COMMAND_READ,
    summary="Read a command",
)
async def get_command(
    uses: Uses,
    caller: Caller,
    device_id: DeviceId,
    command_id: CommandId,
    query: Annotated[WaitQuery, Query()],
) -> Response:
    """Return a command with all that was said of it; waits for its end, if that is wished."""
    service = CommandService(uses.devices, uses.settings, caller)
    row = await service.wait(device_id, command_id, seconds=query.wait)
    async with uses.pool.connection() as connection:
        events = await CommandStore(connection, uses.devices.numbers).list_events(command_id)
    return send_row({**show_command(row), "events": events})


@router.post(
    "/{command_id}/confirm",
    response_model=CommandOut,
    responses=examples.CONFIRMED,
    summary="Confirm a dangerous command",
)
async def confirm_command(
    uses: Uses,
    caller: Caller,
    device_id: DeviceId,
    command_id: CommandId,
    given: Annotated[ConfirmIn, Body(openapi_examples=examples.TOKENS)],
) -> Response:
    """Release a command that is held; once more changes nothing."""
    service = CommandService(uses.devices, uses.settings, caller)
    return _send(await service.confirm(device_id, command_id, given.token))


@router.post(
    "/{command_id}/cancel",
    response_model=CommandOut,
    responses=examples.CANCELLED,
    summary="Cancel a command",
)
async def cancel_command(
    uses: Uses, caller: Caller, device_id: DeviceId, command_id: CommandId
) -> Response:
    """End a command that has not ended. A device that has it is told, and may have done it."""
    service = CommandService(uses.devices, uses.settings, caller)
    return _send(await service.cancel(device_id, command_id))


def _send(row: dict[str, Any]) -> Response:
    return send_row(show_command(row))
