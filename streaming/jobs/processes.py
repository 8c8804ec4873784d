"""Processes: what the jobs do beside one another, and who is built for it.

worker (procrastinate) ─► jobs      upkeep      notes of moments
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, TypeAlias

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from core.clock import Clock
from core.settings import Settings
from core.tasks import end
from db.pool import Pool
from streaming.bus.session_news import SessionNews
from streaming.jobs.moment_notes import keep_moment_notes
from streaming.jobs.speech import SpeechJob
from streaming.jobs.sweeps import AudioSweep
from streaming.jobs.transcribers.base import Transcriber
from streaming.jobs.transcribers.openai import OpenAITranscriber
from streaming.jobs.transcribers.pocketsphinx import PocketsphinxTranscriber
from streaming.jobs.upkeep import Upkeep
from streaming.jobs.workers import Worker

REDIS_S_MAX: Final = 1.0

POOL_SPARE: Final = 3
"""Connections beside one for each job that runs: upkeep, notes of moments, and one more."""


KeepNotes: TypeAlias = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


class JobProcess:
    """The jobs while they run."""

    def __init__(self, worker: Worker, upkeep: Upkeep, notes: KeepNotes) -> None:
        self._worker = worker
        self._upkeep = upkeep
        self._keep_notes = notes

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop.

        Raises:
            Exception: Whatever ended one of the parts, none of which ends by itself.
        """
        work = asyncio.create_task(self._worker.run(stop))
        upkeep = asyncio.create_task(self._upkeep.run())
        notes = asyncio.create_task(self._keep_notes(stop))
        parts = (work, upkeep, notes)
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # The worker first, which lets go of its jobs; the others have nothing to let go of.
            stop.set()
            await asyncio.wait((work,))
            await end(upkeep, notes)
        for task in done:
            task.result()


def build_transcriber(settings: Settings) -> Transcriber:
    """Return the transcriber of the settings.

    Raises:
        SettingsInvalidError: Audio would travel where others can hear it.
    """
    if settings.stt_transcriber == "openai":
        return OpenAITranscriber(settings)
    return PocketsphinxTranscriber()


def open_redis(settings: Settings) -> redis.asyncio.Redis:
    """Return Redis, for news; whatever is told must be told at once or not at all."""
    return redis.asyncio.Redis.from_url(
        settings.require_redis_url(),
        socket_timeout=REDIS_S_MAX,
        socket_connect_timeout=REDIS_S_MAX,
        retry=Retry(NoBackoff(), 1),
    )


@asynccontextmanager
async def building(settings: Settings, clock: Clock) -> AsyncIterator[JobProcess]:
    """Lend the jobs over the services of the settings."""
    size = settings.jobs_concurrency + POOL_SPARE
    few = {"db_pool_min_size": 1, "db_pool_max_size": size}
    transcriber = build_transcriber(settings)
    pool = Pool(settings.model_copy(update=few), process="jobs")
    client = open_redis(settings)
    news = SessionNews(client)
    news.start()
    try:
        jobs = [SpeechJob(settings, pool, transcriber, news)]
        sweep = AudioSweep(settings, pool, clock)
        queues = sorted({job.queue for job in jobs})
        upkeep = Upkeep(settings, pool, clock, sweep, queues)
        keep_notes = partial(keep_moment_notes, settings.require_database_url(), pool, news, clock)
        yield JobProcess(Worker(settings, jobs), upkeep, keep_notes)
    finally:
        await transcriber.close()
        await news.stop()
        await client.aclose()
        await pool.close()
