"""Listeners: hear from the database at once what would otherwise be found a second later."""

import asyncio
from collections.abc import Mapping
from typing import Final

import asyncpg
import structlog

from db.pool import AWAY

CONNECT_S_MAX: Final = 5.0
PROBE_EVERY_S: Final = 10.0
"""A connection that broke without a word is noticed after so long; polling goes on meanwhile."""

AGAIN_S: Final = 2.0

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Listener:
    """Wakes whoever waits for what the database tells on its channels."""

    def __init__(
        self, database_url: str, process: str, events: Mapping[str, asyncio.Event]
    ) -> None:
        self._database_url = database_url
        self._name = f"telemetra-{process}"
        self._events = events

    async def run(self) -> None:
        """Listen until cancelled, however often the connection breaks."""
        while True:
            try:
                await self._listen()
            except AWAY as error:
                log.debug("listener_broke", error=type(error).__name__)
            await asyncio.sleep(AGAIN_S)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(
            self._database_url,
            timeout=CONNECT_S_MAX,
            command_timeout=CONNECT_S_MAX,
            server_settings={"application_name": self._name},
        )
        try:
            for channel in self._events:
                await connection.add_listener(channel, self._hear)
            # What was told while nobody listened.
            for event in self._events.values():
                event.set()
            while True:
                await asyncio.sleep(PROBE_EVERY_S)
                await connection.execute("SELECT 1")
        finally:
            connection.terminate()

    def _hear(self, connection: object, pid: int, channel: str, payload: object) -> None:
        del connection, pid, payload
        self._events[channel].set()
