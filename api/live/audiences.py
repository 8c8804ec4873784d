"""Audiences: says in Redis whose chat the clients of this process look at.

a client subscribes to ``chat`` ──► at once, and again every few seconds while it stays
"""

import asyncio
from collections.abc import Callable

import redis.asyncio
import structlog

from api.live.backlogs import AWAY
from core.audiences import AUDIENCES, STREAMS_MAX, SURE_FOR_MS, TOLD_EVERY_S
from core.clock import Clock
from core.tasks import end

log = structlog.get_logger()


class Audiences:
    """Keeps Redis told."""

    def __init__(
        self, client: redis.asyncio.Redis, clock: Clock, list_streams: Callable[[], set[str]]
    ) -> None:
        self._redis = client
        self._clock = clock
        self._list_streams = list_streams
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to tell."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop telling."""
        if self._task is not None:
            await end(self._task)

    def note_change(self) -> None:
        """Tell now: somebody came."""
        self._changed.set()

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            try:
                await self._tell(self._list_streams())
            except AWAY as error:
                log.debug("audiences_untold", error=type(error).__name__)
            try:
                async with asyncio.timeout(TOLD_EVERY_S):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _tell(self, streams: set[str]) -> None:
        if not streams:
            return
        now_ms = self._clock.now_ms()
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.zadd(AUDIENCES, dict.fromkeys(streams, now_ms + SURE_FOR_MS), gt=True)
            pipeline.zremrangebyscore(AUDIENCES, "-inf", now_ms)
            pipeline.zremrangebyrank(AUDIENCES, 0, -STREAMS_MAX - 1)
            await pipeline.execute()
