"""Snapshots: the first picture of a stream: its newest minute and what is unusual in it now."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final, cast

import redis.asyncio
import structlog

from api.live.backlogs import AWAY
from core.clock import Clock
from core.errors import TelemetraError
from core.live import LiveMessage, latest_of_stream, tell_moment
from db.moments import MomentStore
from db.pool import Pool

OPEN_MAX: Final = 200
"""Open moments that a client is told when it subscribes, the newest ones."""

OPEN_FOR: Final = timedelta(days=1)
"""An open moment that began earlier is left to the list of moments."""

log = structlog.get_logger()


class Snapshots:
    """Reads first pictures; a service that is away leaves its part out."""

    def __init__(self, client: redis.asyncio.Redis, pool: Pool, clock: Clock) -> None:
        self._redis = client
        self._pool = pool
        self._clock = clock

    async def read_minutes(self, streams: Collection[str]) -> list[LiveMessage]:
        """Return the newest minute of each stream that has one."""
        if not streams:
            return []
        wanted = sorted(streams)
        try:
            found = await self._redis.mget([latest_of_stream(name) for name in wanted])
        except AWAY as error:
            log.warning("latest_away", error=type(error).__name__)
            return []
        # The library's types cannot know that answers are bytes here.
        bodies = cast("list[bytes | None]", found)
        return [
            LiveMessage(name, "metrics", name, body)
            for name, body in zip(wanted, bodies, strict=True)
            if body is not None
        ]

    async def read_moments(self, streams: Collection[str]) -> list[LiveMessage]:
        """Return the moments of streams that are not over."""
        if not streams:
            return []
        now = self._clock.now()
        try:
            async with self._pool.connection() as connection:
                rows = await MomentStore(connection).list_open(
                    sorted(streams), since=now - OPEN_FOR, limit=OPEN_MAX, now=now
                )
        except TelemetraError as error:
            log.warning("open_moments_away", code=error.code)
            return []
        return [tell_moment(row, now) for row in rows]
