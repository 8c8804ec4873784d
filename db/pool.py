"""Pool: connections of the API to TimescaleDB, bounded in number and time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

import asyncpg
import orjson

from core.errors import DatabaseAwayError, InvalidError
from core.settings import Settings

Connection: TypeAlias = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
"""A connection, of its own or lent by the pool."""

CONNECT_TIMEOUT_S: Final = 5
"""A server that does not greet within this time is away."""

AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.QueryCanceledError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DeadlockDetectedError,
)
"""What asyncpg raises when the server is gone, starting, ending, full or too slow, or when it let
another go first: the same again may succeed."""


UNSTORABLE: Final = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
"""What asyncpg raises for a null character in a text or in jsonb."""


class Pool:
    """Lends connections; the database may be away when the process starts and come back later."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection.

        Raises:
            DatabaseAwayError: No connection can be had, it broke, or the statement took too long.
            InvalidError: A text holds a character that the database cannot store.
        """
        try:
            pool = self._pool or await self._open()
            async with pool.acquire(timeout=CONNECT_TIMEOUT_S) as connection:
                yield connection
        except AWAY as error:
            raise DatabaseAwayError(
                "The database did not answer. Stored data is safe. Try again in a moment.",
                retry_after_s=2,
            ) from error
        except UNSTORABLE as error:
            raise InvalidError("A text holds a null character. Send it without.") from error

    async def close(self) -> None:
        """Give every connection back."""
        if self._pool is not None:
            await self._pool.close()

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
                "application_name": "telemetra-api",
                "statement_timeout": str(settings.db_statement_timeout_ms),
            },
            init=prepare_connection,
        )


async def prepare_connection(connection: asyncpg.Connection) -> None:
    """Teach a connection to read and write jsonb."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: orjson.dumps(value).decode(),
        decoder=orjson.loads,
    )
