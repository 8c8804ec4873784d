"""Tuning watches: the rules that people change, as the flow judges by them.

    table ──a thread looks every two seconds──► current ──► shards

The thread has a connection of its own and waits for nobody but the database: while that is away,
what was last read holds on. The flow takes what is there and never waits.
"""

import asyncio
import contextlib
import threading
from typing import Final

import asyncpg
import structlog

from core.tunings import NO_TUNINGS, Tunings
from db.pool import AWAY
from db.tunings import TuningStore

LOOK_EVERY_S: Final = 2.0
"""People who change a rule watch what happens; a look is one hash of a thousand rows at most."""

ANSWER_S_MAX: Final = 5.0
"""A database that takes longer is away."""

STOP_S_MAX: Final = 1.0
"""The longest that the flow waits for its end, and a connection for its goodbye."""

log = structlog.get_logger()


class TuningWatch:
    """Reads the rules again when they have changed."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._current = NO_TUNINGS
        self._is_away = False
        self._connection: asyncpg.Connection | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tunings", daemon=True)

    @property
    def current(self) -> Tunings:
        """The rules as they were last read; none before they were."""
        return self._current

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S_MAX)

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            while not self._stopped.is_set():
                runner.run(self._look())
                self._stopped.wait(LOOK_EVERY_S)
            runner.run(self._hang_up())

    async def _look(self) -> None:
        try:
            await self._read()
        # Whatever it is must not end the looking: the rules of now would hold for ever.
        except Exception as error:  # noqa: BLE001
            await self._hang_up()
            if not self._is_away:
                rules = len(self._current.rules)
                log.warning("tunings_away", error=type(error).__name__, rules=rules)
            self._is_away = True
        else:
            if self._is_away:
                log.info("tunings_back", rules=len(self._current.rules))
            self._is_away = False

    async def _read(self) -> None:
        async with asyncio.timeout(ANSWER_S_MAX):
            if self._connection is None:
                self._connection = await self._connect()
            store = TuningStore(self._connection)
            if await store.stamp() != self._current.version:
                self._current = await store.load()
                log.info("tunings_read", rules=len(self._current.rules))

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self._database_url,
            timeout=ANSWER_S_MAX,
            server_settings={"application_name": "telemetra-tunings"},
        )

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(*AWAY):
                await connection.close(timeout=STOP_S_MAX)
