"""Doors: ways for lines to become acknowledged events, over HTTP or straight onto the bus."""

import asyncio
from typing import Final, Protocol

from api.ingest.readers import read_lines
from api.ingest.service import IngestService
from core.clock import SystemClock
from loadtest.bench.servers import Servers
from streaming.bus.redis import RedisBusWriter
from streaming.ingest.clients import ApiClient

PATH: Final = "/api/v1/ingest"
NDJSON: Final = "application/x-ndjson"


class RefusedError(Exception):
    """A body was not taken whole; the text has the answer."""


class Door(Protocol):
    """Takes bodies."""

    async def send(self, body: bytes) -> None:
        """Return when the body is acknowledged.

        Raises:
            RefusedError: It was not taken whole.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class HttpDoor:
    """The API, over one kept-alive connection."""

    def __init__(self, url: str) -> None:
        self._client = ApiClient(url)

    async def send(self, body: bytes) -> None:
        """Return when the API has answered 202."""
        answer = await asyncio.to_thread(
            self._client.request, "POST", PATH, body, {"Content-Type": NDJSON}
        )
        if answer.status != 202 or b'"rejected":0' not in answer.body:
            raise RefusedError(f"{answer.status}: {answer.excerpt}")

    async def close(self) -> None:
        """Close the connection."""
        self._client.close()


class BusDoor:
    """The API's own service, in this process."""

    def __init__(self, servers: Servers) -> None:
        settings = servers.settings
        self._bus = RedisBusWriter(servers.redis_url, max_entries=settings.bus_max_entries)
        self._service = IngestService(settings, SystemClock(), self._bus)

    async def send(self, body: bytes) -> None:
        """Return when the bus has taken the entries."""
        receipt = await self._service.accept(body, read_lines)
        if receipt.rejected:
            raise RefusedError(receipt.rejected[0].reason)

    async def close(self) -> None:
        """Let go of the bus."""
        await self._bus.close()
