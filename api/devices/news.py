"""News: what devices and commands tell, to the clients of this process and to all others.

    tell ─► a few ms together ─┬─► connections here: the same bytes, one write each
                               └─► wire ─► the hubs of the other processes

What is told while Redis is away is not kept: of points only the newest counts, and what became of
commands and scripts is read again from the database, once a second until Redis is back, and once
more then.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import redis.asyncio
import redis.exceptions
import structlog

from api.devices.connections import DeviceConnection
from api.live.protocols import frame_text
from core.clock import Clock
from core.commands import describe_result
from core.device_news import (
    DATA,
    LINK,
    RESULT,
    SCRIPT,
    SCRIPT_END,
    TOLD,
    tell_device,
)
from core.errors import TelemetraError
from core.live import LiveMessage
from core.script_views import tell_run
from db.commands import CommandStore, Moved
from db.device_logs import Numbers
from db.pool import Pool
from db.script_runs import ScriptRunStore
from streaming.bus.device_wires import DeviceWire

TOGETHER_S: Final = 0.005
"""What is told within this time after the last write goes with the next: fifty clients of ten
devices with a hundred points a second each are 10 000 writes a second instead of 50 000."""

LATEST_MAX: Final = 100_000
"""Newest points that are at hand for clients that come; of more, the oldest are let go."""

REMEMBERED_MAX: Final = 20_000
"""Moves of commands that were told, so that none is told twice; as many runs of scripts."""

MISSED: Final = timedelta(seconds=10)
"""What is read again reaches so far back beyond what was last heard: clocks and commits differ."""

Ear: TypeAlias = Callable[[LiveMessage], None]

log = structlog.get_logger()


class DeviceHub:
    """Tells what devices say."""

    def __init__(self, client: redis.asyncio.Redis, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._wire = DeviceWire(
            client, hear=self._hand_on, make_up=self._make_up, note_sign=self._note_sign
        )
        self._connections: set[DeviceConnection] = set()
        self._ears: dict[str, set[Ear]] = {}
        self._latest: dict[tuple[str, str, str], LiveMessage] = {}
        self._remembered: dict[str, None] = {}
        self._revisions: dict[str, int] = {}
        self._waiting: list[LiveMessage] = []
        self._planned: asyncio.TimerHandle | None = None
        self._told_at = 0.0
        self._heard_at: datetime = clock.now()

    @property
    def is_hearing(self) -> bool:
        """Whether what other processes tell is heard."""
        return self._wire.is_hearing

    def start(self) -> None:
        """Begin to hear other processes, and to tell them."""
        self._note_sign()
        self._wire.start()

    async def stop(self) -> None:
        """Stop both."""
        if self._planned is not None:
            self._planned.cancel()
        await self._wire.stop()

    def join(self, connection: DeviceConnection) -> None:
        """Tell a client from now on, and what was last said by each device first."""
        self._connections.add(connection)
        for message in self._latest.values():
            if connection.wants_device(message.stream_id):
                connection.offer(message)

    def leave(self, connection: DeviceConnection) -> None:
        """Tell a client nothing more."""
        self._connections.discard(connection)

    def listen(self, device_id: str, ear: Ear) -> None:
        """Hand on what is told of a device that is no point, also by other processes."""
        self._ears.setdefault(device_id, set()).add(ear)

    def forget(self, device_id: str, ear: Ear) -> None:
        """Hand on nothing more."""
        ears = self._ears.get(device_id, set())
        ears.discard(ear)
        if not ears:
            self._ears.pop(device_id, None)

    def tell(self, messages: Iterable[LiveMessage]) -> None:
        """Tell everybody."""
        self._waiting += messages
        if self._planned is None and self._waiting:
            loop = asyncio.get_running_loop()
            self._planned = loop.call_at(self._told_at + TOGETHER_S, self._tell_waiting)

    def tell_moves(self, moves: Iterable[Moved], now: datetime) -> None:
        """Tell everybody what became of commands."""
        self.tell(self._write_move(moved.row, moved.event_id, now) for moved in moves)

    def tell_link(self, device_id: str, state: str, reason: str, now: datetime) -> None:
        """Tell everybody that a device came or went."""
        facts = {"state": state, "reason": reason, "timestamp": now}
        self.tell([tell_device(device_id, LINK, device_id, facts)])

    def _write_move(self, row: dict[str, Any], event_id: int, now: datetime) -> LiveMessage:
        told = describe_result(row, now)
        key = f"{row['command_id']}/{event_id}"
        return tell_device(row["device_id"], RESULT, key, told)

    def _tell_waiting(self) -> None:
        """Write what waits, to the clients here and to the other processes."""
        self._planned = None
        self._told_at = asyncio.get_running_loop().time()
        messages, self._waiting = self._waiting, []
        self._wire.tell(messages)
        self._hand_on(messages)

    def _hand_on(self, messages: Sequence[LiveMessage]) -> None:
        fresh = [message for message in messages if self._is_news(message)]
        for message in fresh:
            if message.kind in {DATA, LINK}:
                self._keep(message)
            if message.kind != DATA:
                for ear in tuple(self._ears.get(message.stream_id, ())):
                    ear(message)
        batches = _Batches([message for message in fresh if message.kind in TOLD])
        for connection in self._connections:
            chosen = batches.choose(connection)
            if chosen[0]:
                connection.offer_all(*chosen)

    def _is_news(self, message: LiveMessage) -> bool:
        if message.kind in {SCRIPT, SCRIPT_END}:
            return self._is_newer(message)
        if message.kind != RESULT:
            return True
        if message.key in self._remembered:
            return False
        self._remembered[message.key] = None
        if len(self._remembered) > REMEMBERED_MAX:
            del self._remembered[next(iter(self._remembered))]
        return True

    def _is_newer(self, message: LiveMessage) -> bool:
        """Whether nothing later was told of a run."""
        run_id, _, number = message.key.partition("/")
        if self._revisions.get(run_id, -1) >= int(number):
            return False
        self._revisions.pop(run_id, None)
        self._revisions[run_id] = int(number)
        if len(self._revisions) > REMEMBERED_MAX:
            del self._revisions[next(iter(self._revisions))]
        return True

    def _keep(self, message: LiveMessage) -> None:
        slot = (message.kind, message.stream_id, message.key)
        # The newest goes to the end, so that whoever says nothing any more is let go first.
        self._latest.pop(slot, None)
        self._latest[slot] = message
        if len(self._latest) > LATEST_MAX:
            del self._latest[next(iter(self._latest))]

    def _note_sign(self) -> None:
        self._heard_at = self._clock.now()

    async def _make_up(self) -> None:
        """Tell what became of commands and scripts while nothing could be heard."""
        try:
            async with self._pool.connection() as connection:
                store = CommandStore(connection, Numbers(0))
                moved = await store.list_moved(self._heard_at - MISSED)
                runs = await ScriptRunStore(connection).list_changed(self._heard_at - MISSED)
        except TelemetraError as error:
            log.debug("device_news_not_made_up", code=error.code)
            return
        now = self._clock.now()
        moves = [self._write_move(row, event_id, now) for row, event_id in moved]
        self._hand_on([*moves, *map(tell_run, runs)])


class _Batches:
    """Messages, framed once for all who want the same of them."""

    def __init__(self, messages: Sequence[LiveMessage]) -> None:
        self._messages = messages
        self._devices = {message.stream_id for message in messages}
        self._known: dict[frozenset[str], tuple[Sequence[LiveMessage], bytes]] = {}

    def choose(self, connection: DeviceConnection) -> tuple[Sequence[LiveMessage], bytes]:
        """Return what a client wants, and its frames."""
        devices = self._devices
        if not connection.wants_all:
            devices = {name for name in devices if connection.wants_device(name)}
        wanted = frozenset(devices)
        if wanted not in self._known:
            messages = [message for message in self._messages if message.stream_id in wanted]
            self._known[wanted] = messages, b"".join(frame_text(m.body) for m in messages)
        return self._known[wanted]
