"""Balancers: one door before several servers, as small as can be.

    client ──► balancer ──► the next server that takes it        round robin, by connection

A connection that is refused goes to the next server; one that breaks is broken for the client too,
who comes back through the same door.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Final, TypeAlias

LOOPBACK: Final = "127.0.0.1"
CHUNK_BYTES: Final = 65_536

Address: TypeAlias = tuple[str, int]


@asynccontextmanager
async def run_balancer(servers: Sequence[Address]) -> AsyncIterator[int]:
    """Share connections out among servers for the length of a block; lend the port."""
    turns = count()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server = await _connect(servers, next(turns))
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(_pass_on(reader, server[1]), _pass_on(server[0], writer))

    listener = await asyncio.start_server(serve, LOOPBACK, 0)
    async with listener:
        yield listener.sockets[0].getsockname()[1]


async def _connect(
    servers: Sequence[Address], turn: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first server from a turn on that takes it.

    Raises:
        OSError: None does.
    """
    for step in range(len(servers)):
        with suppress(ConnectionError):
            return await asyncio.open_connection(*servers[(turn + step) % len(servers)])
    raise ConnectionRefusedError


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()
