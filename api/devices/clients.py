"""Clients: sockets on which the data of devices arrives, and over which they are commanded.

data, command_result, device_message, device_link, script_run ─► client
client ─► command, confirm, cancel, ping
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, TypeAlias

import orjson
from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.deps import Resources, SocketUses, get_caller
from api.devices.connections import DeviceConnection
from api.devices.service import CommandService
from api.live.connections import CloseCode, Told
from api.live.deliveries import Exchange, Patience
from api.live.protocols import find_write_frames
from api.live.sockets import find_visitor, say_goodbye
from core.access import require_streams
from core.commands import (
    COMMAND_ID_PATTERN,
    PRIORITY_MAX,
    PRIORITY_USUAL,
    REQUEST_ID_LENGTH_MAX,
    SECONDS_MAX,
    describe_result,
)
from core.device_news import TOLD
from core.errors import ForbiddenError, TelemetraError
from core.events import NAME_PATTERN
from core.keys import Caller, Scope
from core.wishes import Asked
from db.commands import Row

router = APIRouter(tags=["devices"])

Device: TypeAlias = Annotated[str | None, Query(pattern=NAME_PATTERN)]

Step: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

KINDS: Final = "command, confirm, cancel, ping"


class CommandMessage(BaseModel):
    """A command as a client of the socket sends it."""

    model_config = ConfigDict(extra="ignore")

    command: str = Field(min_length=1, max_length=128)
    parameters: dict[str, Any] = {}
    device_id: str | None = Field(None, pattern=NAME_PATTERN)
    request_id: str | None = Field(
        None, min_length=1, max_length=REQUEST_ID_LENGTH_MAX, pattern=r"^[^\x00]*$"
    )
    priority: int = Field(PRIORITY_USUAL, ge=0, le=PRIORITY_MAX)
    deadline_seconds: float | None = Field(None, gt=0, le=SECONDS_MAX, allow_inf_nan=False)


class StepMessage(BaseModel):
    """A step that a client takes with a command that it asked for."""

    model_config = ConfigDict(extra="ignore")

    device_id: str = Field(pattern=NAME_PATTERN)
    command_id: str = Field(pattern=COMMAND_ID_PATTERN)
    token: str = Field("", max_length=100)


@router.websocket("/ws")
@router.websocket("/ws/devices")
async def follow_devices(socket: WebSocket, uses: SocketUses, device: Device = None) -> None:
    """Push what devices say and what becomes of commands, and take commands."""
    await socket.accept()
    caller = await get_caller(socket)
    try:
        if device is not None:
            require_streams(caller, [device])
        connection = uses.hub.admit(find_visitor(socket), DeviceConnection)
    except ForbiddenError as error:
        await socket.close(4403, error.detail)
        return
    except TelemetraError as error:
        await socket.close(CloseCode.AWAY, error.detail)
        return
    await _Client(socket, uses, connection, caller, device).serve()


class _Client:
    """One client, from its greeting to its end."""

    def __init__(
        self,
        socket: WebSocket,
        uses: Resources,
        connection: DeviceConnection,
        caller: Caller,
        device: str | None,
    ) -> None:
        self._socket = socket
        self._uses = uses
        self._connection = connection
        self._caller = caller
        self._device = device
        self._service = CommandService(uses.devices, uses.settings, caller)

    async def serve(self) -> None:
        """Send and receive until either side has enough."""
        connection = self._connection
        connection.kinds = TOLD
        limited = self._caller.allows_stream if self._caller.streams is not None else None
        connection.reach(self._device, limited)
        connection.write_frames_with(find_write_frames(self._socket.scope))
        # The short way passes by the door that closes a socket with its key.
        self._socket.scope["gone"].add_done_callback(lambda _: connection.write_frames_with(None))
        exchange = Exchange(connection, begin=self._begin, forget=self._forget)
        await exchange.run(
            send=self._send, receive=self._receive(), patience=Patience.of(self._uses.settings)
        )
        await say_goodbye(self._socket, connection)

    async def _begin(self) -> None:
        self._connection.say("connected", device_id=self._device)
        self._uses.devices.hub.join(self._connection)

    def _forget(self) -> None:
        self._uses.devices.hub.leave(self._connection)
        self._uses.hub.disconnect(self._connection)

    async def _send(self, told: Told) -> None:
        await self._socket.send_text(told.body.decode())

    async def _receive(self) -> None:
        try:
            while True:
                await self._obey(await self._socket.receive_text())
        except (WebSocketDisconnect, KeyError):
            # KeyError: the client sent bytes where text is spoken.
            return

    async def _obey(self, text: str) -> None:
        try:
            message = orjson.loads(text)
            kind = message["type"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            self._connection.say("error", detail='A message is JSON with a "type".')
            return
        match kind:
            case "ping":
                self._connection.say("pong")
            case "command":
                await self._try(message, self._command)
            case "confirm" | "cancel":
                await self._try(message, self._step)
            case _:
                self._connection.say("error", detail=f"type is one of {KINDS}.")

    async def _try(self, message: dict[str, Any], do: Step) -> None:
        """Do what is wished; whatever is wrong with it only its sender hears."""
        try:
            if not self._caller.allows(Scope.OPERATE):
                raise ForbiddenError(f"This needs a key with the scope {Scope.OPERATE}.")
            await do(message)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False, include_context=False)
            self._refuse(
                message,
                "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in faults[:10]),
            )
        except TelemetraError as error:
            self._refuse(message, error.detail)

    async def _command(self, message: dict[str, Any]) -> None:
        given = CommandMessage.model_validate(message)
        device_id = given.device_id or self._device
        if device_id is not None:
            require_streams(self._caller, [device_id])
        asked = Asked(
            given.command,
            given.parameters,
            given.priority,
            given.deadline_seconds,
            given.request_id,
        )
        row, is_new = await self._service.queue(device_id, asked)
        if row["held"]:
            self._tell_held(row)
        elif not is_new:
            # Nothing moves, so that the stream does not tell it: only who asks again hears it.
            self._answer(row)

    async def _step(self, message: dict[str, Any]) -> None:
        given = StepMessage.model_validate(message)
        require_streams(self._caller, [given.device_id])
        if message["type"] == "confirm":
            await self._service.confirm(given.device_id, given.command_id, given.token)
        else:
            await self._service.cancel(given.device_id, given.command_id)

    def _tell_held(self, row: Row) -> None:
        self._connection.say(
            "confirmation_needed",
            device_id=row["device_id"],
            command=row["command"],
            command_id=row["command_id"],
            request_id=row["request_id"],
            token=row["confirm_token"],
            expires_at=row["confirm_expires_at"],
        )

    def _answer(self, row: Row) -> None:
        told = describe_result(row, self._uses.clock.now())
        self._connection.say("command_result", **{k: told[k] for k in told if k != "type"})

    def _refuse(self, message: dict[str, Any], reason: str) -> None:
        value = {
            "command": str(message.get("command") or message["type"])[:128],
            "command_id": None,
            "request_id": str(message["request_id"])[:REQUEST_ID_LENGTH_MAX]
            if message.get("request_id")
            else None,
            "status": "error",
            "state": "refused",
            "message": reason,
            "details": None,
        }
        self._connection.say(
            "command_result",
            id="command_result",
            device_id=message.get("device_id") or self._device,
            value=value,
        )
