"""Jobs: deferred, cancelled and measured beside the rows they are about.

    a row ─┬─ one transaction ─► both, or neither
    a job ─┘

The tables and the functions are procrastinate's, whose worker (``streaming.jobs``) runs the jobs.
What is called here is held against the release that is installed by a test.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from core.errors import QueueFullError
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("jobs")

LOCK_ID: Final = 0x7E1E3E7F
"""First key of the advisory lock under which jobs are deferred; the second is the queue's."""

RETRY_AFTER_S: Final = 10

STALLED_MAX: Final = 100
"""Jobs that are given to others at once."""

MEASURED_MAX: Final = 10_000
NEWEST_MAX: Final = 1000
"""Jobs among which those are counted that were given up."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """How much waits in a queue."""

    count: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Workload:
    """Who works, and what became of jobs."""

    workers: int
    """Those that the queue knows; one that died is forgotten some time after."""

    heard_at: datetime | None
    running: int
    retrying: int
    """They wait, and were tried before."""

    failed: int
    """They are not tried again; of the newest thousand."""


class JobStore:
    """Defers and follows jobs through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def defer(
        self, queue: str, job: str, about: str, arguments: Mapping[str, Any], *, waiting_max: int
    ) -> int:
        """Let a job wait for a worker, and return its id; begin a transaction first.

        Args:
            queue: Where it waits.
            job: Which one, by the name that the worker knows.
            about: The id of what it is about: two of the same never run or wait at once.
            arguments: What the worker hands to it.
            waiting_max: How many may wait in the queue.

        Raises:
            QueueFullError: As many wait already.
        """
        await self._connection.execute(SQL["lock_queue"], _as_signed(LOCK_ID), queue)
        waiting = await self._connection.fetchval(SQL["count_waiting"], queue, waiting_max)
        if waiting >= waiting_max:
            raise QueueFullError(
                f"{waiting} jobs wait already. Nothing was kept; send it again in a while.",
                retry_after_s=RETRY_AFTER_S,
            )
        job_id: int = await self._connection.fetchval(
            SQL["defer_job"], queue, job, about, dict(arguments)
        )
        return job_id

    async def cancel(self, job_id: int) -> None:
        """Take a job away, or ask it to end; one that is over is left as it is."""
        await self._connection.fetchval(SQL["cancel_job"], job_id)

    async def retry_stalled(self, silent_for: timedelta) -> list[int]:
        """Let jobs wait again whose workers fell silent, and return their ids."""
        rows = await self._connection.fetch(SQL["retry_stalled"], silent_for, STALLED_MAX)
        return [row["id"] for row in rows]

    async def delete_ended(self, before: datetime, *, limit: int) -> int:
        """Delete jobs that ended before a time, and return how many there were."""
        done = await self._connection.execute(SQL["delete_ended"], before, limit)
        return int(done.split()[-1])

    async def measure_queues(self) -> dict[str, QueueState]:
        """Return how much waits, by queue."""
        rows = await self._connection.fetch(SQL["measure_queues"], MEASURED_MAX)
        return {row["queue_name"]: QueueState(row["count"], row["oldest_at"]) for row in rows}

    async def measure_work(self) -> Workload:
        """Return who works, and what became of jobs; of each no more than some are counted."""
        (row,) = await self._connection.fetch(SQL["measure_work"], MEASURED_MAX, NEWEST_MAX)
        return Workload(**row)

    async def find_last_beat(self) -> datetime | None:
        """Return when a worker was last heard of; None when there is none."""
        rows = await self._connection.fetch(SQL["list_workers"], 1)
        return rows[0]["last_heartbeat"] if rows else None


def _as_signed(number: int) -> int:
    """Return the same 32 bits as PostgreSQL takes them."""
    return number - 2**32 if number >= 2**31 else number
