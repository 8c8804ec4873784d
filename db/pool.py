"""Pool: connections of the API and the alerts to TimescaleDB, bounded in number and time.

    request ─► hanging? 503 ─► gate: full or slow? 503 ─► a connection ─► time-outs? hanging

While the database hangs nobody waits for it: requests are refused at once, and a probe a second
asks whether it answers again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

import asyncpg
import orjson
import structlog

from core import metrics
from core.breakers import Breaker, BreakerPolicy
from core.errors import DatabaseAwayError, InvalidError, TelemetraError
from core.settings import Settings
from core.tasks import end
from db.connections import WatchedConnection
from db.gates import Gate, QueuePolicy

Connection: TypeAlias = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
"""A connection, of its own or lent by the pool."""

CONNECT_TIMEOUT_S: Final = 5
"""A server that does not greet within this time is away."""

CLOSE_TIMEOUT_S: Final = 5
"""Connections that take longer to say goodbye are cut."""

PROBE_EVERY_S: Final = 1.0
PROBE_TIMEOUT_S: Final = 1.0
"""A probe asks for nothing: a database that takes longer would keep everybody else waiting too."""

BREAKER: Final = BreakerPolicy()

AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.QueryCanceledError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DeadlockDetectedError,
)
"""What asyncpg raises when the server is gone, starting, ending, full or too slow, or when it let
another go first: the same again may succeed. A server that goes at the wrong moment leaves a
connection in a state of which asyncpg says that it cannot be."""


UNSTORABLE: Final = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
"""What asyncpg raises for a null character in a text or in jsonb."""


log = structlog.get_logger()


class Pool:
    """Lends connections; the database may be away when the process starts and come back later."""

    def __init__(
        self, settings: Settings, breaker: BreakerPolicy = BREAKER, *, process: str = "api"
    ) -> None:
        self._settings = settings
        self._process = process
        self._gate = Gate(QueuePolicy.of(settings))
        self._breaker = Breaker(breaker)
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()
        self._probing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection.

        Raises:
            DatabaseBusyError: Too many wait for one, or it took too long.
            DatabaseAwayError: No connection can be had, it broke, or the statement took too long.
            InvalidError: A text holds a character that the database cannot store.
        """
        self._refuse_while_hanging()
        try:
            async with self._gate.enter():
                # It may have begun to hang while this one waited.
                self._refuse_while_hanging()
                async with self._lend() as connection:
                    yield connection
        except AWAY as error:
            raise _say_away() from error
        except UNSTORABLE as error:
            raise InvalidError("A text holds a null character. Send it without.") from error

    async def close(self) -> None:
        """Give every connection back."""
        if self._probing is not None:
            await end(self._probing)
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), CLOSE_TIMEOUT_S)
            except TimeoutError:
                self._pool.terminate()

    @asynccontextmanager
    async def _lend(self) -> AsyncIterator[Connection]:
        """Lend a connection, and note whether the database answered."""
        try:
            pool = self._pool or await self._open()
            connection = await pool.acquire(timeout=CONNECT_TIMEOUT_S)
            try:
                yield connection
            except (TimeoutError, asyncio.CancelledError, asyncpg.InternalClientError):
                # Before it was taken back, the end of its statement would be waited for.
                connection.terminate()
                raise
            finally:
                await pool.release(connection)
        except TimeoutError:
            self._note_time_out()
            raise
        except (asyncpg.PostgresError, TelemetraError):
            self._breaker.note_answer()
            raise
        self._breaker.note_answer()

    def _refuse_while_hanging(self) -> None:
        if self._breaker.is_open:
            metrics.database_requests_refused_total.labels("hanging").inc()
            raise _say_away()

    def _note_time_out(self) -> None:
        self._breaker.note_time_out()
        if self._breaker.is_open and (self._probing is None or self._probing.done()):
            self._probing = asyncio.create_task(self._probe_until_answered())

    async def _probe_until_answered(self) -> None:
        """Ask every second whether the database answers, so that no request has to try it."""
        log.warning("database_hanging", probe_every_s=PROBE_EVERY_S)
        metrics.database_hanging.set(1)
        try:
            while self._breaker.is_open:
                await asyncio.sleep(PROBE_EVERY_S)
                if await self._is_answering():
                    self._breaker.note_answer()
            log.info("database_answers")
        finally:
            metrics.database_hanging.set(0)

    async def _is_answering(self) -> bool:
        """Ask over a connection of its own: those of the pool may be the ones that hang."""
        try:
            connection = await asyncpg.connect(
                self._settings.require_database_url(), timeout=PROBE_TIMEOUT_S
            )
        except AWAY:
            return False
        try:
            await connection.fetchval("SELECT 1", timeout=PROBE_TIMEOUT_S)
        except AWAY:
            return False
        finally:
            connection.terminate()
        return True

    async def _open(self) -> asyncpg.Pool:
        """Make the pool; requests that come first and together share one."""
        async with self._opening:
            self._pool = self._pool or await self._create()
            return self._pool

    async def _create(self) -> asyncpg.Pool:
        settings = self._settings
        return await asyncpg.create_pool(
            settings.require_database_url(),
            min_size=min(settings.db_pool_min_size, settings.db_pool_max_size),
            max_size=settings.db_pool_max_size,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=settings.db_statement_timeout_ms / 1000 + 1,
            server_settings={
                "application_name": f"telemetra-{self._process}",
                "statement_timeout": str(settings.db_statement_timeout_ms),
                # A plan for any parameters would look at every chunk, and use no index for what
                # is asked for only sometimes.
                "plan_cache_mode": "force_custom_plan",
            },
            connection_class=WatchedConnection,
            init=self._prepare,
        )

    async def _prepare(self, connection: asyncpg.Connection) -> None:
        if isinstance(connection, WatchedConnection):
            connection.slow_after_s = self._settings.db_slow_query_ms / 1000
        await prepare_connection(connection)


def _say_away() -> DatabaseAwayError:
    return DatabaseAwayError(
        "The database did not answer. Stored data is safe. Try again in a moment.",
        retry_after_s=2,
    )


async def prepare_connection(connection: asyncpg.Connection) -> None:
    """Teach a connection to read and write jsonb."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: orjson.dumps(value, option=orjson.OPT_UTC_Z).decode(),
        decoder=orjson.loads,
    )
