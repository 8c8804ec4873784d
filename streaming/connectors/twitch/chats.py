"""Chats: many channels on few sockets, and what is said there as events.

channels -> circuits of up to 100 -> a socket each, two while one takes over from the other
                                      └-> lines -> events -> outlet
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import structlog

from core.clock import Clock
from core.tasks import end, run_together
from streaming.connectors.base import keep_reading
from streaming.connectors.health import Health
from streaming.connectors.outlets import Outlet
from streaming.connectors.pauses import BackOff, BackOffPolicy
from streaming.connectors.twitch.events import read_events
from streaming.connectors.twitch.joins import JoinGate, JoinPolicy
from streaming.connectors.twitch.lines import LINES_MAX, LineQueue
from streaming.connectors.twitch.sockets import ChatSocket, SocketPolicy

CHANNELS_A_SOCKET_MAX: Final = 100
"""What one connection carries without being cut off as too slow."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

OpenSocket: TypeAlias = Callable[[Sequence[str]], ChatSocket]


@dataclass(frozen=True, slots=True)
class ChatPolicy:
    """Decides how chats are read."""

    socket: SocketPolicy = field(default_factory=SocketPolicy)
    join: JoinPolicy = field(default_factory=JoinPolicy)
    back_off: BackOffPolicy = field(default_factory=BackOffPolicy)
    channels_a_socket_max: int = CHANNELS_A_SOCKET_MAX
    lines_max: int = LINES_MAX


class Circuit:
    """Some channels, heard on one socket after the other without a gap."""

    def __init__(
        self, channels: Sequence[str], open_socket: OpenSocket, note: Callable[[], None]
    ) -> None:
        self._channels = channels
        self._open_socket = open_socket
        self._note = note
        self.is_heard = False

    async def listen(self) -> None:
        """Listen until a connection ends that no other has taken over from.

        Raises:
            SourceAwayError: It ended.
        """
        tasks: list[asyncio.Task[None]] = []
        try:
            socket, task = self._open(tasks)
            await _wait_for(socket.ready, task)
            while not task.done():
                self._become(is_heard=True)
                await _wait_for(socket.retiring, task)
                if task.done():
                    break
                log.info("socket_retiring", channels=len(self._channels))
                following, next_task = self._open(tasks)
                # Both are heard until the new one hears everything; repeats count once.
                await _wait_for(following.ready, next_task)
                if next_task.done():
                    log.warning("socket_not_replaced", reason=str(next_task.exception()))
                    break
                await end(task)
                socket, task = following, next_task
            await task
        finally:
            self._become(is_heard=False)
            await end(*tasks)

    def _become(self, *, is_heard: bool) -> None:
        self.is_heard = is_heard
        self._note()

    def _open(self, tasks: list[asyncio.Task[None]]) -> tuple[ChatSocket, asyncio.Task[None]]:
        socket = self._open_socket(self._channels)
        task = asyncio.create_task(socket.run())
        tasks.append(task)
        return socket, task


class ChatSource:
    """The chats of some channels."""

    def __init__(
        self, channels: Sequence[str], prefix: str, clock: Clock, policy: ChatPolicy | None = None
    ) -> None:
        self._channels = channels
        self._prefix = prefix
        self._clock = clock
        self._policy = policy or ChatPolicy()
        self._lines = LineQueue(self._policy.lines_max)
        self._gate = JoinGate(self._policy.join)

    async def read(self, outlet: Outlet, health: Health) -> None:
        """Read until cancelled."""
        circuits: list[Circuit] = []

        def note() -> None:
            health.note_connected(is_connected=all(circuit.is_heard for circuit in circuits))

        size = self._policy.channels_a_socket_max
        for first in range(0, len(self._channels), size):
            part = self._channels[first : first + size]
            circuits.append(Circuit(part, self._open_socket, note))
        listening = (
            keep_reading(circuit.listen, health, BackOff(self._clock, self._policy.back_off))
            for circuit in circuits
        )
        try:
            await run_together(self._tell(outlet, health), *listening)
        finally:
            await self._hand_on(self._lines.take_now(), outlet, health)

    async def _tell(self, outlet: Outlet, health: Health) -> None:
        while True:
            await self._hand_on(await self._lines.take(), outlet, health)

    def _open_socket(self, channels: Sequence[str]) -> ChatSocket:
        return ChatSocket(channels, self._lines, self._gate, self._policy.socket)

    async def _hand_on(self, lines: list[str], outlet: Outlet, health: Health) -> None:
        if not lines:
            return
        heard = read_events(lines, prefix=self._prefix, now_ms=self._clock.now_ms())
        for kind, count in heard.ignored.items():
            health.note_ignored(kind, count)
        if heard.lines:
            health.note_read(len(heard.lines))
            await outlet.put_lines(heard.lines, newest_ms=heard.newest_ms)


async def _wait_for(event: asyncio.Event, task: asyncio.Task[None]) -> None:
    """Wait for an event, or until the task that would set it has ended."""
    waiting = asyncio.create_task(_wait(event))
    try:
        await asyncio.wait({waiting, task}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(waiting)


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
