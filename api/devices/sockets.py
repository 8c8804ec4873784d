"""Sockets of devices: how one comes in, and what it is told when it has to go."""

import asyncio
import re
from contextlib import suppress
from enum import IntEnum
from typing import Any, Final

import orjson
import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.websockets import WebSocketState

from api.deps import SocketUses
from api.devices.links import DeviceLink, LinkEndedError
from api.devices.messages import read_message
from api.devices.parts import Devices
from api.devices.registrations import read_registration
from core import metrics
from core.device_news import REGISTERED, tell_device
from core.devices import Link
from core.errors import InvalidError, TelemetraError
from core.ids import NAME_PATTERN
from db.devices import DeviceStore, Registration

REGISTER_S_MAX: Final = 10.0
"""How long a device may take until it registers."""

SEND_S_MAX: Final = 10.0
"""A device that takes nothing for so long is ended: it comes back, and is told then."""

REASON_BYTES_MAX: Final = 120
"""What a close can carry."""

_NAME: Final = re.compile(NAME_PATTERN)

log = structlog.get_logger()

router = APIRouter(tags=["devices"])


class CloseCode(IntEnum):
    """Why the server ends the connection of a device; 4401 is said at the door."""

    AWAY = 1013
    BAD_REGISTRATION = 4400
    SILENT = 4408
    REPLACED = 4409


@router.websocket("/ws/devices/{device_id}")
async def serve_device(socket: WebSocket, uses: SocketUses, device_id: str) -> None:
    """Serve a device: it registers, says points and results, and is given commands."""
    await socket.accept()
    parts = uses.devices
    try:
        parts.enter()
    except TelemetraError as error:
        await _close(socket, CloseCode.AWAY, error.detail)
        return
    metrics.device_links.labels(Link.CONNECTED).inc()
    try:
        await _Guest(socket, parts, device_id).serve()
    finally:
        parts.links -= 1
        metrics.device_links.labels(Link.CONNECTED).dec()


class _Guest:
    """A device that came, from its registration to its end."""

    def __init__(self, socket: WebSocket, parts: Devices, device_id: str) -> None:
        self._socket = socket
        self._parts = parts
        self._device_id = device_id
        self._sending = asyncio.Lock()

    async def serve(self) -> None:
        """Let it register, and serve it until it goes."""
        try:
            given = await self._read_registration()
            link_id = await self._register(given)
        except LinkEndedError as ended:
            await self._send({"type": "error", "detail": ended.reason})
            await _close(self._socket, ended.code, ended.reason)
            return
        except (WebSocketDisconnect, TimeoutError, RuntimeError):
            return
        link = DeviceLink(self._parts, self._device_id, link_id, given, self._send)
        reason = "It closed the connection."
        try:
            await self._send(
                {
                    "type": "registered",
                    "device_id": self._device_id,
                    "heartbeat_seconds": given.heartbeat_s,
                }
            )
            await link.run(self._receive(link))
        except LinkEndedError as ended:
            reason = ended.reason
            await _close(self._socket, ended.code, ended.reason)
        except TimeoutError:
            reason = f"It took nothing for {SEND_S_MAX:g} s."
            await _close(self._socket, CloseCode.SILENT, reason)
        except (WebSocketDisconnect, RuntimeError):
            reason = "The connection broke."
        finally:
            await self._leave(link_id, reason)

    async def _read_registration(self) -> Registration:
        try:
            async with asyncio.timeout(REGISTER_S_MAX):
                message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            if _NAME.match(self._device_id):
                return read_registration(read_message(message.get("text")))
            reason = "The id of a device is 1 to 128 letters, digits or _.:@~+=#-."
        except TimeoutError:
            reason = f"Register within {REGISTER_S_MAX:g} s."
        except InvalidError as error:
            reason = error.detail
        raise LinkEndedError(CloseCode.BAD_REGISTRATION, reason)

    async def _register(self, given: Registration) -> int:
        now = self._parts.clock.now()
        try:
            async with self._parts.pool.connection() as connection:
                link_id = await DeviceStore(connection).register(self._device_id, given, now)
        except TelemetraError as error:
            raise LinkEndedError(CloseCode.AWAY, error.detail) from None
        log.info("device_registered", device_id=self._device_id, link_id=link_id)
        hub = self._parts.hub
        hub.tell([tell_device(self._device_id, REGISTERED, str(link_id), {})])
        hub.tell_link(self._device_id, Link.CONNECTED, "It registered.", now)
        return link_id

    async def _receive(self, link: DeviceLink) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                await link.hear(read_message(message.get("text")))
            except InvalidError as error:
                await self._send({"type": "error", "detail": error.detail})

    async def _send(self, message: dict[str, Any]) -> None:
        text = orjson.dumps(message, option=orjson.OPT_UTC_Z).decode()
        async with asyncio.timeout(SEND_S_MAX), self._sending:
            await self._socket.send_text(text)

    async def _leave(self, link_id: int, reason: str) -> None:
        """Write that the device is gone, unless a newer connection of it is there.

        While the database is away nobody can; a sweep finds it later.
        """
        now = self._parts.clock.now()
        with suppress(TelemetraError):
            async with self._parts.pool.connection() as connection:
                is_news = await DeviceStore(connection).set_link(
                    self._device_id, link_id, Link.GONE, seen_at=now, reason=reason
                )
            if is_news:
                self._parts.hub.tell_link(self._device_id, Link.GONE, reason, now)
        log.info("device_left", device_id=self._device_id, link_id=link_id, reason=reason)


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    metrics.device_links_refused_total.labels(str(int(code))).inc()
    if socket.application_state is not WebSocketState.CONNECTED:
        return
    text = reason.encode()[:REASON_BYTES_MAX].decode(errors="ignore")
    with suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
        async with asyncio.timeout(SEND_S_MAX):
            await socket.close(code, text)
