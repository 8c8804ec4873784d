"""Sweeps: once a second, in every API process, what took too long is ended.

Each is one conditional statement that passes by what another process holds: a command is given up
once, and told of once.
"""

import asyncio
from typing import Final

import structlog

from api.devices.news import DeviceHub
from core import metrics
from core.clock import Clock
from core.devices import Link
from core.errors import TelemetraError
from core.tasks import end
from db.commands import DUE_MAX, CommandStore
from db.device_logs import Numbers
from db.devices import DeviceStore
from db.pool import Pool

EVERY_S: Final = 1.0

log = structlog.get_logger()


class Sweeper:
    """Ends what took too long."""

    def __init__(self, pool: Pool, clock: Clock, hub: DeviceHub, numbers: Numbers) -> None:
        self._pool = pool
        self._clock = clock
        self._hub = hub
        self._numbers = numbers
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to sweep."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop."""
        if self._task is not None:
            await end(self._task)

    async def sweep(self) -> None:
        """Give up commands that are due, and devices whose connection nobody holds."""
        is_more = True
        while is_more:
            now = self._clock.now()
            async with self._pool.connection() as connection:
                moves = await CommandStore(connection, self._numbers).give_up_due(now)
            self._hub.tell_moves(moves, now)
            for moved in moves:
                metrics.commands_moved_total.labels(moved.row["state"]).inc()
            is_more = len(moves) == DUE_MAX
        now = self._clock.now()
        async with self._pool.connection() as connection:
            lost = await DeviceStore(connection).give_up_lost(now)
        for device_id in lost:
            reason = "The process that held its connection ended."
            self._hub.tell_link(device_id, Link.GONE, reason, now)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.sweep()
            except TelemetraError as error:
                log.warning("sweep_waits", code=error.code)
