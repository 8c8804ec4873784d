"""Processes: what the jobs do beside one another, and who is built for it.

workers (procrastinate) ─► jobs      upkeep      notes of moments

Scripts have a worker of their own: they wait for hours, and speech takes a core for a minute.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from secrets import randbits
from typing import Any, Final, TypeAlias

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from core.clock import Clock
from core.settings import Settings
from core.tasks import end
from db.device_logs import Numbers
from db.pool import Pool
from streaming.bus.device_news import DeviceNews
from streaming.bus.session_news import SessionNews
from streaming.jobs.askers import Askers
from streaming.jobs.conductors import ConductorParts
from streaming.jobs.moment_notes import keep_moment_notes
from streaming.jobs.script_commands import ScriptCommands
from streaming.jobs.script_looks import ScriptLooks
from streaming.jobs.scripts import ScriptJob
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

SCRIPTS_POOL: Final = 4
"""Connections of all scripts together, which take turns: a step is one short transaction."""

SCRIPTS_FINISH_S: Final = 0.1
"""A script that waits for hours is let go of at once; the next worker goes on with it."""

KeepNotes: TypeAlias = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


class JobProcess:
    """The jobs while they run."""

    def __init__(self, workers: Sequence[Worker], upkeep: Upkeep, notes: KeepNotes) -> None:
        self._workers = workers
        self._upkeep = upkeep
        self._keep_notes = notes

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop.

        Raises:
            Exception: Whatever ended one of the parts, none of which ends by itself.
        """
        works = [asyncio.create_task(worker.run(stop)) for worker in self._workers]
        upkeep = asyncio.create_task(self._upkeep.run())
        notes = asyncio.create_task(self._keep_notes(stop))
        parts = (*works, upkeep, notes)
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # The workers first, which let go of their jobs; the others have nothing to let go of.
            stop.set()
            await asyncio.wait(works)
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


def open_pool(settings: Settings, size: int) -> Pool:
    """Return a pool of a few connections."""
    few = {"db_pool_min_size": 1, "db_pool_max_size": size}
    return Pool(settings.model_copy(update=few), process="jobs")


@asynccontextmanager
async def building(settings: Settings, clock: Clock) -> AsyncIterator[JobProcess]:
    """Lend the jobs over the services of the settings."""
    size = settings.jobs_concurrency + POOL_SPARE
    transcriber = build_transcriber(settings)
    pool = open_pool(settings, size)
    scripts_pool = open_pool(settings, SCRIPTS_POOL)
    client = open_redis(settings)
    news = SessionNews(client)
    news.start()
    device_news = DeviceNews(client)
    device_news.start()
    looks = ScriptLooks(scripts_pool)
    looks.start()
    try:
        numbers = Numbers(clock.now_ms() << 20 | randbits(20))
        commands = ScriptCommands(settings, clock, numbers, Askers(settings, clock))
        parts = ConductorParts(scripts_pool, clock, device_news, looks, commands)
        speech, script = SpeechJob(settings, pool, transcriber, news), ScriptJob(parts)
        sweep = AudioSweep(settings, pool, clock)
        queues = sorted({speech.queue, script.queue})
        upkeep = Upkeep(settings, pool, clock, sweep, queues)
        keep_notes = partial(keep_moment_notes, pool, news, clock)
        workers = (
            Worker(settings, [speech], concurrency=settings.jobs_concurrency),
            Worker(
                settings,
                [script],
                concurrency=settings.jobs_scripts_concurrency,
                finish_s=SCRIPTS_FINISH_S,
            ),
        )
        yield JobProcess(workers, upkeep, keep_notes)
    finally:
        await transcriber.close()
        await looks.stop()
        await device_news.stop()
        await news.stop()
        await client.aclose()
        await scripts_pool.close()
        await pool.close()
