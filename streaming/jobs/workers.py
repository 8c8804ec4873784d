"""Workers: procrastinate runs what waits, and comes back however often the database goes away.

    queue ─► worker ─► job ─► done, or later: 5 s, 10 s, 20 s, …

What a worker held that fell silent is taken up by ``streaming.jobs.upkeep``.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import procrastinate
import psycopg
import psycopg_pool
import structlog
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import AbortReason, JobContext
from procrastinate.jobs import Job as StoredJob
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from typing_extensions import override

from core import metrics
from core.doublings import double
from core.settings import Settings
from streaming.jobs.base import InterruptedJobError, Job, RunLaterError

FIRST_PAUSE_S: Final = 5.0
AGAIN_S: Final = 2.0
"""Between two attempts to reach a database that is away."""

FINISH_S_MAX: Final = 5.0
"""How long a job may still take when the worker is told to stop; then another one has it."""

POLL_S: Final = 2.0
"""How late a job may begin of which no notification came."""

OPEN_S_MAX: Final = 10.0
POOL_SIZE: Final = 4
"""Connections of procrastinate: fetching, listening, and two to write down what became of jobs."""

AWAY: Final = (ConnectorException, OSError, psycopg.Error, psycopg_pool.PoolTimeout)

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Retries(BaseRetryStrategy):
    """Tries again whatever failed, later and later; a job itself says when it is enough."""

    def __init__(self, pause_s_max: float) -> None:
        self._pause_s_max = pause_s_max

    @override
    def get_retry_decision(
        self, *, exception: BaseException, job: StoredJob
    ) -> RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):
            return None
        if isinstance(exception, InterruptedJobError):
            return RetryDecision(retry_in={"seconds": 0})
        # An even draw: jobs that failed together do not come back together.
        pause_s = double(FIRST_PAUSE_S, self._pause_s_max, job.attempts) * random.uniform(0.5, 1.0)  # noqa: S311 (no secret)
        if isinstance(exception, RunLaterError) and exception.after_s is not None:
            pause_s = min(max(pause_s, exception.after_s), self._pause_s_max)
        return RetryDecision(retry_in={"seconds": max(round(pause_s), 1)})


class Worker:
    """Runs jobs until it is told to stop."""

    def __init__(
        self,
        settings: Settings,
        jobs: Sequence[Job],
        *,
        concurrency: int,
        finish_s: float = FINISH_S_MAX,
    ) -> None:
        """Take charge of some kinds of jobs.

        Args:
            settings: Where the database is.
            jobs: What is run.
            concurrency: How many of them at once.
            finish_s: How long they may still take when the worker is told to stop.
        """
        self._settings = settings
        self._jobs = jobs
        self._concurrency = concurrency
        self._finish_s = finish_s

    async def run(self, stop: asyncio.Event) -> None:
        """Work; an end of the connection is no end of the work.

        A job that runs when it is told to stop has some seconds left; then it waits again. Who
        cancels this twice leaves jobs behind that are taken up later.
        """
        while not stop.is_set():
            work = asyncio.create_task(self._work())
            waiting = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait((work, waiting), return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiting.cancel()
                # Once: it lets go of its jobs then, and must not be disturbed.
                work.cancel()
            try:
                await work
            except asyncio.CancelledError:
                return
            except AWAY as error:
                log.warning("jobs_database_away", error=type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    await stop.wait()

    async def _work(self) -> None:
        app = build_app(self._settings, self._jobs)
        async with app.open_async():
            stalled_s = float(self._settings.jobs_stalled_seconds)
            await app.run_worker_async(
                queues=sorted({job.queue for job in self._jobs}),
                concurrency=self._concurrency,
                install_signal_handlers=False,
                fetch_job_polling_interval=POLL_S,
                abort_job_polling_interval=POLL_S,
                shutdown_graceful_timeout=self._finish_s,
                update_heartbeat_interval=stalled_s / 3,
                stalled_worker_timeout=stalled_s,
            )


def build_app(settings: Settings, jobs: Sequence[Job]) -> procrastinate.App:
    """Return procrastinate with our jobs."""
    connector = procrastinate.PsycopgConnector(
        conninfo=settings.require_database_url(),
        min_size=1,
        max_size=POOL_SIZE,
        timeout=OPEN_S_MAX,
        kwargs={"application_name": "telemetra-jobs", "connect_timeout": round(OPEN_S_MAX)},
    )
    app = procrastinate.App(connector=connector)
    retries = Retries(float(settings.jobs_pause_max_seconds))
    for job in jobs:
        app.task(name=job.name, queue=job.queue, pass_context=True, retry=retries)(_watch(job))
    return app


def _watch(job: Job) -> Callable[..., Awaitable[None]]:
    """Return a job as procrastinate calls it, measured."""

    async def run(context: JobContext, **arguments: Any) -> None:  # noqa: ANN401 (as stored)
        started = asyncio.get_running_loop().time()
        outcome = "retried"
        metrics.jobs_running.labels(job.queue).inc()
        try:
            await job.run(**arguments)
            outcome = "done"
        except asyncio.CancelledError:
            if context.abort_reason() is AbortReason.USER_REQUEST:
                outcome = "cancelled"
                raise
            raise InterruptedJobError from None
        finally:
            metrics.jobs_running.labels(job.queue).dec()
            metrics.jobs_finished_total.labels(job.name, outcome).inc()
            taken_s = asyncio.get_running_loop().time() - started
            metrics.job_seconds.labels(job.name).observe(taken_s)

    return run
