"""Deliveries: the life of one live connection, the same for sockets and server-sent events.

connected -> first picture -> what happens ... until the client goes, is too slow, or we stop
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

import structlog
from fastapi import WebSocketDisconnect

from api.live.connections import Connection, Told
from api.live.hub import Hub
from core import metrics
from core.live import KINDS_USUAL
from core.settings import Settings
from core.tasks import end

Send: TypeAlias = Callable[[Told], Awaitable[None]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a connection is left alone."""

    ping_s: float
    """Without news for so long, the client is told that all is well."""

    send_s: float
    """A client that takes nothing for so long is closed as too slow."""

    @classmethod
    def of(cls, settings: Settings) -> "Patience":
        """Return the patience of the settings."""
        return cls(settings.live_ping_seconds, settings.live_send_seconds)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client wants from the start."""

    streams: Collection[str]
    since: int | None = None
    """The last position it saw, when it was here before."""

    kinds: Collection[str] = KINDS_USUAL


async def deliver(
    hub: Hub,
    connection: Connection,
    wish: Wish,
    *,
    send: Send,
    receive: Coroutine[Any, Any, None],
    patience: Patience,
) -> None:
    """Send a client what it wants until either side has enough, then forget it."""

    async def begin() -> None:
        # Who says where it was goes on from there, also if it is cut before it got what it missed.
        position = await hub.find_position() if wish.since is None else None
        connection.kinds = wish.kinds
        connection.say("connected", streams=sorted(wish.streams), position=position)
        await hub.subscribe(connection, wish.streams, wish.since)

    exchange = Exchange(connection, begin=begin, forget=lambda: hub.disconnect(connection))
    await exchange.run(send=send, receive=receive, patience=patience)


class Exchange:
    """What goes to a client and comes from it, from its first message to its last."""

    def __init__(
        self,
        connection: Connection,
        *,
        begin: Callable[[], Awaitable[None]],
        forget: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._begin = begin
        self._forget = forget

    async def run(
        self, *, send: Send, receive: Coroutine[Any, Any, None], patience: Patience
    ) -> None:
        """Greet the client, and send it what is offered until either side has enough."""
        tasks: list[asyncio.Task[None]] = []
        try:
            tasks = [
                asyncio.create_task(_send(self._connection, send, patience)),
                asyncio.create_task(self._connection.wait_until_too_slow()),
            ]
            await self._begin()
            # What a client asks is answered after its first picture.
            tasks.append(asyncio.create_task(receive))
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._forget()
            if len(tasks) < 3:
                receive.close()
            await end(*tasks)
            for task in tasks:
                _note(task)


async def _send(connection: Connection, send: Send, patience: Patience) -> None:
    loop = asyncio.get_running_loop()
    connection.told_at = loop.time()
    while not connection.is_too_slow:
        try:
            async with asyncio.timeout_at(connection.told_at + patience.ping_s):
                told = await connection.take()
        except TimeoutError:
            # What went the short way meanwhile was news, too.
            if connection.told_at + patience.ping_s <= loop.time():
                connection.say("ping")
            continue
        for one in told:
            try:
                async with asyncio.timeout(patience.send_s):
                    await send(one)
            except TimeoutError:
                connection.give_up()
                return
        metrics.live_messages_sent_total.inc(len(told))
        if connection.is_leaving:
            return


def _note(task: asyncio.Task[None]) -> None:
    """Log what ended a connection, unless the client simply went."""
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, WebSocketDisconnect | OSError):
        log.error("live_connection_crashed", exc_info=error)
