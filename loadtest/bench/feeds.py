"""Feeds: files of chat lines onto the bus, written as the door writes them.

    file -> bodies -> the door's own service -> entries of the bus

Only HTTP is left out.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

import asyncpg
import orjson
import redis

from api.ingest.readers import read_lines
from api.ingest.service import IngestService
from core.batches import make_offset
from core.clock import ManualClock
from loadtest.bench.bodies import read_bodies
from loadtest.bench.servers import Servers
from loadtest.peers.tasks import MinuteRow
from streaming.bus.redis import RedisBusWriter, name_shard

BODY_BYTES: Final = 650_000
"""About 5 000 chat lines: what a busy sender puts into one request."""


def fill_bus(servers: Servers, file: Path, *, now: datetime, size: int = BODY_BYTES) -> int:
    """Put all lines of a file on the bus and return how many they were.

    Args:
        servers: Where the bus is.
        file: The lines.
        now: The time of the door's clock: the lines may be old.
        size: Bytes a request.
    """
    return asyncio.run(_fill(servers, read_bodies(file, size), now))


def find_ends(servers: Servers) -> dict[int, int]:
    """Return the offset of the last entry of each shard that has one."""
    ends: dict[int, int] = {}
    with redis.from_url(servers.redis_url) as client:
        for shard in range(servers.settings.bus_shards):
            for key, _ in client.xrevrange(name_shard(shard), count=1):
                ms, _, sequence = key.partition(b"-")
                ends[shard] = make_offset(int(ms), int(sequence))
    return ends


class Follower:
    """Watches from outside how far the flow has come, through the database."""

    def __init__(self, servers: Servers) -> None:
        self._url = servers.database_url
        self._loop = asyncio.new_event_loop()
        self._connection = self._loop.run_until_complete(asyncpg.connect(self._url))

    def has_reached(self, ends: dict[int, int]) -> bool:
        """Tell whether everything up to these offsets is committed."""
        applied = self.list_offsets()
        return all(applied.get(shard, 0) >= offset for shard, offset in ends.items())

    def list_offsets(self) -> dict[int, int]:
        """Return the applied offset of each shard."""
        rows = self._ask("SELECT shard, applied_offset FROM source_offsets")
        return {row["shard"]: row["applied_offset"] for row in rows}

    def count_messages(self) -> int:
        """Return how many messages the stored minutes have together."""
        return int(self._ask("SELECT coalesce(sum(chat_count), 0) FROM chat_summary_minute")[0][0])

    def list_minutes(self) -> list[MinuteRow]:
        """Return all stored minutes."""
        rows = self._ask(
            "SELECT stream_id, window_start, chat_count, unique_chatters, emote_counts::text"
            " FROM chat_summary_minute"
        )
        return [
            MinuteRow(stream_id, minute, count, users, orjson.loads(emotes))
            for stream_id, minute, count, users, emotes in rows
        ]

    def close(self) -> None:
        """Let go of the connection."""
        self._loop.run_until_complete(self._connection.close())
        self._loop.close()

    def _ask(self, query: str) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = self._loop.run_until_complete(self._connection.fetch(query))
        return rows


async def _fill(servers: Servers, bodies: Iterable[bytes], now: datetime) -> int:
    settings = servers.settings
    bus = RedisBusWriter(servers.redis_url, max_entries=settings.bus_max_entries)
    service = IngestService(settings, ManualClock(now), bus)
    accepted = 0
    try:
        for body in bodies:
            receipt = await service.accept(body, read_lines)
            if receipt.rejected:
                raise ValueError(f"A line was refused: {receipt.rejected[0].reason}")
            accepted += receipt.accepted
    finally:
        await bus.close()
    return accepted
