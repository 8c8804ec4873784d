"""Links: the connection of one device, as long as it lasts.

    device ── points ───► types? ─┬─► clients, log, readings
                                  └─► conditions of commands in hand ──┐
           ── results ─────────────────────────────────────────────────┴─► moves, one by one
           ◄── commands, cancels ── the queue of the device, by priority and age

The newest connection of a device counts. One that is older learns it from the hub, or from the
database within a second.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, TypeAlias

import orjson
import structlog

from api.devices.messages import Result, list_numbers, read_points, read_result, read_words
from api.devices.parts import Devices
from api.devices.watches import Watches
from api.devices.writers import Reading
from core import metrics
from core.commands import Said, Verdict
from core.device_news import MESSAGE, REGISTERED, RESULT, tell_device, tell_point
from core.device_schemas import TelemetryTypes
from core.devices import Link, find_link
from core.errors import InvalidError, NotFoundError, TelemetraError
from core.live import LiveMessage
from core.tasks import run_together
from db.commands import CommandStore, Moved
from db.device_logs import LogRow
from db.devices import DeviceStore, Registration

TICK_S_MAX: Final = 1.0
"""How often the silence of a device is looked at."""

LOOK_EVERY_S: Final = 5.0
LOOK_DEAF_EVERY_S: Final = 1.0
"""How often the queue of a device is looked at when nobody says that something is in it; and while
Redis is away, when nobody can."""

SAID_MAX: Final = 1000
"""What was said of commands and is not written yet; a device repeats what is not taken."""

RETRY_S: Final = 0.5

Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

log = structlog.get_logger()


class LinkEndedError(Exception):
    """The connection is over, for a reason that the device is told."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class DeviceLink:
    """One connection of one device."""

    def __init__(
        self, parts: Devices, device_id: str, link_id: int, given: Registration, send: Send
    ) -> None:
        self._parts = parts
        self._device_id = device_id
        self._link_id = link_id
        self._types = TelemetryTypes(given.telemetry_types)
        self._heartbeat_s = given.heartbeat_s
        self._at_once = given.at_once
        self._send = send
        self._watches = Watches()
        self._said: asyncio.Queue[tuple[Said, Result | None]] = asyncio.Queue(SAID_MAX)
        self._wake = asyncio.Event()
        self._is_loaded = asyncio.Event()
        """Whether it is known what the device has in hand from before."""

        self._moving = asyncio.Lock()
        """Held by whoever asks or writes what the device has in hand."""

        self._heard_at = parts.clock.now()
        self._state = Link.CONNECTED
        self._is_replaced = False

    async def run(self, receive: Coroutine[Any, Any, None]) -> None:
        """Serve the device until it goes, falls silent or is replaced.

        Raises:
            LinkEndedError: It is we who end it.
        """
        self._parts.hub.listen(self._device_id, self._overhear)
        try:
            await run_together(receive, self._work(), self._write_said())
        finally:
            self._parts.hub.forget(self._device_id, self._overhear)

    async def hear(self, message: dict[str, Any]) -> None:
        """Take a message of the device.

        Raises:
            InvalidError: It is none that a device sends.
        """
        self._heard_at = self._parts.clock.now()
        if self._state is Link.STALE:
            self._wake.set()
        match message["type"]:
            case "points":
                await self._take_points(message.get("points"))
            case "result":
                self._take_result(message)
            case "message":
                self._take_words(message)
            case "heartbeat":
                pass
            case _:
                kinds = "points, heartbeat, result, message"
                raise InvalidError(f"type is one of {kinds}.")

    async def _take_points(self, given: object) -> None:
        if self._is_replaced:
            return
        now = self._heard_at
        points = read_points(given, self._types, now=now, policy=self._parts.times)
        device_id, numbers = self._device_id, self._parts.numbers
        self._parts.hub.tell(tell_point(device_id, p.id, p.text, p.timestamp) for p in points.good)
        rows = [
            LogRow(device_id, p.timestamp, numbers.take(), "data", p.id, p.text.decode(), now)
            for p in points.good
        ]
        readings = [
            Reading(device_id, point.id, number, self._types.units[point.id], point.timestamp)
            for point, number in list_numbers(points)
        ]
        lost = self._parts.log.add(device_id, rows)
        lost_readings = self._parts.readings.add(device_id, readings)
        if self._watches:
            for point in points.good:
                for said in self._watches.look_at(point.id, point.value):
                    self._put_said(said, None)
        metrics.device_points_total.labels("taken").inc(len(points.good))
        metrics.device_points_total.labels("refused").inc(len(points.refused))
        errors = points.refused
        if lost or lost_readings:
            reason = (
                f"{max(lost, lost_readings)} points went to clients only: the database or the bus"
                " is away, and no more can wait"
            )
            errors = [*errors, {"index": None, "reason": reason}]
        if errors:
            await self._send({"type": "refused", "errors": errors})

    def _take_result(self, message: dict[str, Any]) -> None:
        result = read_result(message)
        said = Said(
            self._device_id,
            result.command_id,
            result.state,
            "device",
            result.message,
            result.details,
        )
        self._put_said(said, result)

    def _put_said(self, said: Said, result: Result | None) -> None:
        try:
            self._said.put_nowait((said, result))
        except asyncio.QueueFull:
            raise InvalidError(
                "Too many results wait to be written. Send again what was not taken."
            ) from None

    def _take_words(self, message: dict[str, Any]) -> None:
        text, details = read_words(message)
        if not text:
            raise InvalidError("message: a text is missing.")
        now = self._heard_at
        facts = {"id": MESSAGE, "value": {"message": text, "details": details}, "timestamp": now}
        number = self._parts.numbers.take()
        self._parts.hub.tell([tell_device(self._device_id, MESSAGE, str(number), facts)])
        value = orjson.dumps(facts["value"]).decode()
        row = LogRow(self._device_id, now, number, MESSAGE, MESSAGE, value, now)
        self._parts.log.add(self._device_id, [row])

    def _overhear(self, message: LiveMessage) -> None:
        """Note what the hub tells of this device, here or elsewhere."""
        if message.kind == RESULT:
            self._wake.set()
        elif message.kind == REGISTERED and int(message.key) > self._link_id:
            self._is_replaced = True
            self._wake.set()

    async def _work(self) -> None:
        """Look after the connection, and give the device what waits for it."""
        loop = asyncio.get_running_loop()
        looked_at = -LOOK_EVERY_S
        while True:
            self._require_newest()
            self._watch_silence()
            every_s = LOOK_EVERY_S if self._parts.hub.is_hearing else LOOK_DEAF_EVERY_S
            if self._wake.is_set() or loop.time() - looked_at >= every_s:
                self._wake.clear()
                await self._look()
                looked_at = loop.time()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(TICK_S_MAX, self._heartbeat_s / 4)):
                    await self._wake.wait()

    async def _look(self) -> None:
        try:
            async with self._moving:
                await self._keep_state()
                await self._give_out(is_first=not self._is_loaded.is_set())
        except TelemetraError as error:
            log.debug("device_queue_waits", device_id=self._device_id, code=error.code)
            return
        self._is_loaded.set()

    def _require_newest(self) -> None:
        if self._is_replaced:
            reason = "A newer connection of this device registered, or it was deleted."
            raise LinkEndedError(4409, reason)

    def _watch_silence(self) -> None:
        silent = self._parts.clock.now() - self._heard_at
        state = find_link(silent, self._heartbeat_s)
        if state is Link.GONE:
            raise LinkEndedError(4408, f"Nothing was heard for {silent.total_seconds():.0f} s.")
        if state is not self._state:
            self._state = state
            self._wake.set()

    async def _keep_state(self) -> None:
        """Write that the connection is there, and in which state."""
        async with self._parts.pool.connection() as connection:
            store = DeviceStore(connection)
            stored = await store.touch(self._device_id, self._link_id, self._heard_at)
            if stored is None:
                self._is_replaced = True
                self._require_newest()
            if stored is self._state:
                return
            # Also where a sweep of another process took it for lost while the database was away.
            reason = "It fell silent." if self._state is Link.STALE else "It is heard again."
            await store.set_link(
                self._device_id, self._link_id, self._state, seen_at=self._heard_at, reason=reason
            )
        self._parts.hub.tell_link(self._device_id, self._state, reason, self._parts.clock.now())

    async def _give_out(self, *, is_first: bool) -> None:
        """Send what waits, again what a device that came back has in hand, and cancels."""
        now = self._parts.clock.now()
        async with self._parts.pool.connection() as connection:
            store = CommandStore(connection, self._parts.numbers)
            in_hand = await store.list_in_hand(self._device_id)
            if is_first and in_hand:
                await store.note_resent(in_hand, now)
            room = self._at_once - len(in_hand)
            claimed = (
                await store.claim(self._device_id, self._link_id, limit=room, now=now)
                if room > 0
                else []
            )
        self._tell(claimed, now)
        ended = set(self._watches.list_ids()) - {row["command_id"] for row in in_hand}
        for command_id in ended:
            self._watches.drop(command_id)
            await self._send({"type": "cancel", "command_id": command_id})
        for row in [*(in_hand if is_first else []), *(moved.row for moved in claimed)]:
            self._watches.put(row)
            await self._send(
                {
                    "type": "command",
                    "command_id": row["command_id"],
                    "command": row["command"],
                    "parameters": row["parameters"],
                    "deadline_at": row["deadline_at"],
                }
            )

    async def _write_said(self) -> None:
        """Write what is said of commands, in its order, however long the database is away."""
        await self._is_loaded.wait()
        while True:
            said, result = await self._said.get()
            while True:
                try:
                    async with self._moving:
                        await self._write_one(said)
                    break
                except NotFoundError as error:
                    # A device that waits until it is taken would say it for ever.
                    await self._send({"type": "error", "detail": error.detail})
                    break
                except TelemetraError as error:
                    log.debug("device_result_waits", device_id=self._device_id, code=error.code)
                    await asyncio.sleep(RETRY_S)
            if result is not None:
                await self._send(
                    {
                        "type": "result_taken",
                        "command_id": result.command_id,
                        "stage": result.state,
                    }
                )

    async def _write_one(self, said: Said) -> None:
        now = self._parts.clock.now()
        is_awaited = said.source == "device" and self._watches.awaits(said.command_id, said.state)
        async with self._parts.pool.connection() as connection:
            store = CommandStore(connection, self._parts.numbers)
            moved = await (store.note_awaited(said, now) if is_awaited else store.move(said, now))
        if moved.verdict is Verdict.MOVED and said.command_id in self._watches:
            self._watches.put(moved.row)
        self._tell([moved], now)

    def _tell(self, moves: list[Moved], now: datetime) -> None:
        for moved in moves:
            if moved.verdict is Verdict.MOVED:
                metrics.commands_moved_total.labels(moved.row["state"]).inc()
                self._parts.hub.tell_moves([moved], now)
            else:
                metrics.commands_unmoved_total.labels(moved.verdict).inc()
