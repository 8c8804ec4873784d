"""Gate: who may ask the database now, who waits for that, and who is sent away at once.

    20 inside (one connection each) ◄── 1000 waiting, two seconds at most ◄── refused: 503

A queue that grows without end answers nobody: who is at its end has gone when it is their turn.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from core import metrics
from core.errors import DatabaseBusyError
from core.settings import Settings

RETRY_AFTER_S: Final = 1
"""A full queue is served within its time to wait; the load of a moment is over by then."""


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """Decides how many may be inside and how many wait, and for how long."""

    inside_max: int
    waiting_max: int
    wait_max: timedelta

    @classmethod
    def of(cls, settings: Settings) -> "QueuePolicy":
        """Return the policy of the settings."""
        return cls(
            inside_max=settings.db_pool_max_size,
            waiting_max=settings.db_pool_queue_max,
            wait_max=timedelta(milliseconds=settings.db_pool_wait_ms),
        )


class Gate:
    """Lets so many in at once, in the order in which they came."""

    def __init__(self, policy: QueuePolicy) -> None:
        self._policy = policy
        self._places = asyncio.Semaphore(policy.inside_max)
        self.waiting = 0

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Be inside for the length of a block.

        Raises:
            DatabaseBusyError: Too many wait, or it took too long.
        """
        started = time.perf_counter()
        if self._places.locked():
            await self._wait()
        else:
            await self._places.acquire()
        metrics.database_wait_seconds.observe(time.perf_counter() - started)
        metrics.database_connections_used.inc()
        try:
            yield
        finally:
            metrics.database_connections_used.dec()
            self._places.release()

    async def _wait(self) -> None:
        if self.waiting >= self._policy.waiting_max:
            raise _refuse("full")
        self.waiting += 1
        metrics.database_requests_waiting.inc()
        try:
            async with asyncio.timeout(self._policy.wait_max.total_seconds()):
                await self._places.acquire()
        except TimeoutError:
            raise _refuse("slow") from None
        finally:
            self.waiting -= 1
            metrics.database_requests_waiting.dec()


def _refuse(reason: str) -> DatabaseBusyError:
    metrics.database_requests_refused_total.labels(reason).inc()
    return DatabaseBusyError(
        "More requests wait for the database than it can answer. Try again in a moment.",
        retry_after_s=RETRY_AFTER_S,
    )
