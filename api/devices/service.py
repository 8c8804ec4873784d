"""Service: a command that somebody wishes, from the wish to the queue, for every door the same."""

import asyncio
from typing import Final

from api.devices.parts import Devices
from core import metrics
from core.commands import ENDS, Verdict
from core.device_news import RESULT
from core.errors import ForbiddenError, InvalidError, NotFoundError
from core.keys import Caller
from core.live import LiveMessage
from core.settings import Settings
from core.wishes import Asked, make_wish
from db.commands import CommandStore, Moved, Row
from db.devices import DeviceStore

NAMED_MAX: Final = 10
"""Devices that are named when it is not clear which one is meant."""

LOOK_EVERY_S: Final = 1.0
"""How often who waits for the end of a command looks by itself: Redis may be away."""

WAITING_MAX: Final = 500
"""Requests of one process that wait for the end of a command; more are answered at once."""


class CommandService:
    """Takes commands of one caller."""

    def __init__(self, parts: Devices, settings: Settings, caller: Caller) -> None:
        self._parts = parts
        self._settings = settings
        self._caller = caller

    async def queue(self, device_id: str | None, asked: Asked) -> tuple[Row, bool]:
        """Queue a command; return it, and whether it is new.

        Raises:
            NotFoundError: There is no such device, or it has no such command.
            InvalidError: The parameters do not fit.
            ConflictError: The request was made for another command, or too many wait.
        """
        now = self._parts.clock.now()
        async with self._parts.pool.connection() as connection:
            devices = DeviceStore(connection)
            if device_id is None:
                device_id = await self.choose(devices, asked.command)
            device = await devices.get(device_id)
            usual = self._settings.device_command_seconds
            wish = make_wish(device, asked, now=now, seconds_usual=usual)
            store = CommandStore(connection, self._parts.numbers)
            queued = await store.queue(wish, asker=self._caller, now=now)
        if not isinstance(queued, Moved):
            return queued, False
        self._tell(queued)
        return queued.row, True

    async def confirm(self, device_id: str, command_id: str, token: str) -> Row:
        """Release a dangerous command."""
        async with self._parts.pool.connection() as connection:
            store = CommandStore(connection, self._parts.numbers)
            found = await store.confirm(
                device_id, command_id, token, actor=self._caller, now=self._parts.clock.now()
            )
        if not isinstance(found, Moved):
            return found
        self._tell(found)
        return found.row

    async def cancel(self, device_id: str, command_id: str) -> Row:
        """End a command that has not ended."""
        async with self._parts.pool.connection() as connection:
            store = CommandStore(connection, self._parts.numbers)
            moved = await store.cancel(
                device_id, command_id, actor=self._caller, now=self._parts.clock.now()
            )
        if moved.verdict is Verdict.MOVED:
            self._tell(moved)
        return moved.row

    async def choose(self, devices: DeviceStore, command: str | None = None) -> str:
        """Return the device that is meant where none is named.

        Raises:
            NotFoundError: There is none.
            InvalidError: There are several.
        """
        if self._settings.device_default is not None:
            return self._require_reach(self._settings.device_default)
        known = [
            name
            for name in await devices.list_ids(command=None, limit=1000)
            if self._caller.allows_stream(name)
        ]
        if command is not None and len(known) > 1:
            fitting = set(await devices.list_ids(command=command, limit=1000))
            known = [name for name in known if name in fitting] or known
        if not known:
            raise NotFoundError("There is no device yet. One appears when it connects.")
        if len(known) > 1:
            names = ", ".join(known[:NAMED_MAX])
            raise InvalidError(f"There are several devices: {names}. Name one in device_id.")
        return known[0]

    async def wait(self, device_id: str, command_id: str, *, seconds: float) -> Row:
        """Return a command when it has ended, or as it is when the time is over.

        Raises:
            NotFoundError: The device has no such command.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        news = asyncio.Event()

        def hear(message: LiveMessage) -> None:
            if message.kind == RESULT and message.key.startswith(command_id):
                news.set()

        self._parts.hub.listen(device_id, hear)
        self._parts.waiting += 1
        try:
            while True:
                news.clear()
                async with self._parts.pool.connection() as connection:
                    store = CommandStore(connection, self._parts.numbers)
                    row = await store.get(device_id, command_id)
                left = min(until - loop.time(), LOOK_EVERY_S)
                if row["state"] in ENDS or left <= 0 or self._parts.waiting > WAITING_MAX:
                    return row
                try:
                    async with asyncio.timeout(left):
                        await news.wait()
                except TimeoutError:
                    continue
        finally:
            self._parts.waiting -= 1
            self._parts.hub.forget(device_id, hear)

    def _require_reach(self, device_id: str) -> str:
        if not self._caller.allows_stream(device_id):
            raise ForbiddenError("This key does not reach that stream.")
        return device_id

    def _tell(self, moved: Moved) -> None:
        metrics.commands_moved_total.labels(moved.row["state"]).inc()
        self._parts.hub.tell_moves([moved], self._parts.clock.now())
