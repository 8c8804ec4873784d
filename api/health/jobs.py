"""How the jobs are, as the database sees them: their queue and their signs of life are there.

no sign of life: nobody works      old jobs: they do not keep up
"""

import asyncio
from datetime import timedelta
from typing import Final

from api.deps import Resources
from api.health.schemas import JobsHealth
from core.errors import TelemetraError
from db.jobs import JobStore

OLDEST_MAX: Final = timedelta(minutes=10)
"""As long as the longest piece of audio takes: a queue that is behind more grows."""


async def ask_jobs(uses: Resources, within_s: float) -> JobsHealth:
    """Ask the database who works, and what waits."""
    try:
        async with asyncio.timeout(within_s), uses.pool.connection() as connection:
            store = JobStore(connection)
            beat, states = await store.find_last_beat(), await store.measure_queues()
    except (TelemetraError, TimeoutError):
        return say_unknown()
    now = uses.clock.now()
    ages = [now - state.oldest_at for state in states.values() if state.oldest_at is not None]
    oldest = max((*ages, timedelta(0)))
    silent = None if beat is None else now - beat
    if silent is None or silent > timedelta(seconds=uses.settings.jobs_stalled_seconds):
        status, detail = "error", "No jobs are running. What they have to do waits until they do."
    elif oldest > OLDEST_MAX:
        status, detail = "degraded", f"{oldest.total_seconds():.0f} s behind."
    else:
        status, detail = "ok", "running"
    return JobsHealth(
        status=status,
        latency_ms=None if silent is None else _to_ms(silent),
        detail=detail,
        waiting=sum(state.count for state in states.values()),
        oldest_ms=_to_ms(oldest),
    )


def say_unknown() -> JobsHealth:
    """Say that nobody can tell how the jobs are."""
    return JobsHealth(
        status="degraded",
        latency_ms=None,
        detail="Not known: the database does not answer.",
        waiting=None,
        oldest_ms=None,
    )


def _to_ms(time: timedelta) -> int:
    return max(round(time.total_seconds() * 1000), 0)
