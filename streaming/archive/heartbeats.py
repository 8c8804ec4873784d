"""Heartbeats: that the archive is alive, how fast it writes, and what troubles it.

heartbeat:archive    gone when the archive is; ``api.health`` reads it
"""

import asyncio
from collections import deque
from typing import Final

import orjson
import redis.asyncio
import redis.exceptions
import structlog

from core import metrics
from core.clock import Clock
from core.heartbeats import describe_process
from streaming.archive.archivers import Round

KEY: Final = "heartbeat:archive"
HEARTBEAT_S: Final = 1.0
HEARTBEAT_TTL_S: Final = 10
"""An archive that says nothing for so long counts as gone."""

RATE_WINDOW_MS: Final = 60_000
"""Span over which events a second are counted; two rounds of the usual length."""

log = structlog.get_logger()


class Pulse:
    """How the archive is."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._recent: deque[tuple[int, int]] = deque()
        self._lag_ms = 0
        self._trouble: str | None = None

    def note_round(self, done: Round) -> None:
        """Count a round."""
        now_ms = self._clock.now_ms()
        self._trouble = None
        self._recent.append((now_ms, done.events))
        self._lag_ms = now_ms - done.newest_ms if done.is_behind and done.newest_ms else 0
        metrics.archive_lag_seconds.set(self._lag_ms / 1000)
        metrics.archive_troubled.set(0)

    def note_trouble(self, trouble: str) -> None:
        """Note why a round failed."""
        self._trouble = trouble
        metrics.archive_troubled.set(1)
        metrics.archive_rounds_failed_total.inc()

    def describe(self) -> dict[str, object]:
        """Return the heartbeat."""
        now_ms = self._clock.now_ms()
        while self._recent and self._recent[0][0] < now_ms - RATE_WINDOW_MS:
            self._recent.popleft()
        return {
            "at_ms": now_ms,
            "lag_ms": self._lag_ms,
            "events_per_second": sum(events for _, events in self._recent)
            / (RATE_WINDOW_MS / 1000),
            "trouble": self._trouble,
        }


async def beat(url: str, pulse: Pulse) -> None:
    """Say again and again how the archive is, until cancelled; then that it is gone."""
    async with redis.asyncio.from_url(
        url, socket_timeout=2, socket_connect_timeout=2
    ) as connection:
        try:
            while True:
                try:
                    said = orjson.dumps({**pulse.describe(), **describe_process()})
                    await connection.set(KEY, said, ex=HEARTBEAT_TTL_S)
                except (redis.exceptions.RedisError, OSError) as error:
                    log.debug("heartbeat_failed", error=type(error).__name__)
                await asyncio.sleep(HEARTBEAT_S)
        finally:
            try:
                await connection.delete(KEY)
            except (redis.exceptions.RedisError, OSError) as error:
                log.debug("heartbeat_failed", error=type(error).__name__)
