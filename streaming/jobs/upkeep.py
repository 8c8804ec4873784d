"""Upkeep: jobs of dead workers are taken up again, old ones deleted, what waits is measured."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

import structlog

from core import metrics
from core.clock import Clock
from core.errors import DatabaseAwayError
from core.settings import Settings
from db.jobs import JobStore
from db.pool import Pool
from streaming.jobs.sweeps import AudioSweep

MEASURE_EVERY_S: Final = 5.0
TIDY_EVERY_S: Final = 600.0
DELETED_MAX: Final = 1000
"""Jobs deleted in one statement."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Upkeep:
    """Keeps the queue in order beside the work."""

    def __init__(
        self, settings: Settings, pool: Pool, clock: Clock, sweep: AudioSweep, queues: list[str]
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._clock = clock
        self._sweep = sweep
        self._queues = queues
        self._silent_for = timedelta(seconds=settings.jobs_stalled_seconds)
        self._tidied_at: float | None = None
        self._heard_at: datetime | None = None

    async def run(self) -> None:
        """Keep order until cancelled."""
        every_s = min(MEASURE_EVERY_S, self._settings.jobs_stalled_seconds / 3)
        while True:
            try:
                await self.run_round()
            except DatabaseAwayError:
                log.warning("database_away", part="upkeep")
            await asyncio.sleep(every_s)

    async def run_round(self) -> None:
        """Look once."""
        async with self._pool.connection() as connection:
            taken_up = await JobStore(connection).retry_stalled(self._silent_for)
            states = await JobStore(connection).measure_queues()
            heard_at = await JobStore(connection).find_last_beat()
        if taken_up:
            metrics.jobs_taken_up_total.inc(len(taken_up))
            log.warning("jobs_taken_up", job_ids=taken_up)
        now = self._clock.now()
        for queue in self._queues:
            state = states.get(queue)
            metrics.jobs_waiting.labels(queue).set(0 if state is None else state.count)
            oldest_at = None if state is None else state.oldest_at
            age_s = 0.0 if oldest_at is None else (now - oldest_at).total_seconds()
            metrics.jobs_oldest_seconds.labels(queue).set(max(age_s, 0.0))
        silent_s = (now - self._note_heard(heard_at, now)).total_seconds()
        metrics.jobs_workers_silent_seconds.set(max(silent_s, 0.0))
        await self._tidy_when_due()

    def _note_heard(self, heard_at: datetime | None, now: datetime) -> datetime:
        """Return when a worker was last heard: since the start none may have been."""
        self._heard_at = heard_at or self._heard_at or now
        return self._heard_at

    async def _tidy_when_due(self) -> None:
        time = asyncio.get_running_loop().time()
        if self._tidied_at is not None and time - self._tidied_at < TIDY_EVERY_S:
            return
        before = self._clock.now() - timedelta(hours=self._settings.jobs_retention_hours)
        deleted = DELETED_MAX
        while deleted == DELETED_MAX:
            async with self._pool.connection() as connection:
                deleted = await JobStore(connection).delete_ended(before, limit=DELETED_MAX)
        await self._sweep.run_round()
        # Only now: what was cut short is done again at the next look.
        self._tidied_at = time
