"""The store of jobs: both or neither, so many and no more, taken up from the dead."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from core.errors import QueueFullError
from db.jobs import JobStore
from tests.fixtures.stt_tasks import read_jobs

DIE = "UPDATE procrastinate_workers SET last_heartbeat = now() - INTERVAL '1 minute'"


async def defer(connection: asyncpg.Connection, about: str, *, waiting_max: int = 10) -> int:
    async with connection.transaction():
        return await JobStore(connection).defer(
            "speech", "transcribe", about, {"task_id": about}, waiting_max=waiting_max
        )


async def begin(connection: asyncpg.Connection) -> int:
    """Begin the next job as a worker; return the worker."""
    worker: int = await connection.fetchval("SELECT procrastinate_register_worker_v1()")
    await connection.execute("SELECT (procrastinate_fetch_job_v2(ARRAY['speech'], $1)).id", worker)
    return worker


async def test_a_job_goes_with_what_is_rolled_back(connection: asyncpg.Connection):
    transaction = connection.transaction()
    await transaction.start()
    await defer(connection, "a")
    await transaction.rollback()
    assert await read_jobs(connection) == []


async def test_a_full_queue_takes_no_more_until_one_begins(connection: asyncpg.Connection):
    await defer(connection, "a", waiting_max=2)
    await defer(connection, "b", waiting_max=2)
    with pytest.raises(QueueFullError) as raised:
        await defer(connection, "c", waiting_max=2)
    assert raised.value.retry_after_s
    await begin(connection)
    await defer(connection, "c", waiting_max=2)


async def test_a_job_that_waits_is_taken_away_and_one_that_runs_is_asked_to_end(
    connection: asyncpg.Connection,
):
    running, waiting = await defer(connection, "a"), await defer(connection, "b")
    await begin(connection)
    for job_id in (running, waiting, 10_000):
        await JobStore(connection).cancel(job_id)
    assert await read_jobs(connection) == ["doing", "cancelled"]
    assert await connection.fetchval(
        "SELECT abort_requested FROM procrastinate_jobs WHERE id = $1", running
    )


async def test_only_the_jobs_of_silent_workers_are_taken_up(connection: asyncpg.Connection):
    dead, alive = await defer(connection, "a"), await defer(connection, "b")
    await begin(connection)
    await connection.execute(DIE)
    await begin(connection)
    store = JobStore(connection)
    assert await store.retry_stalled(timedelta(seconds=30)) == [dead]
    assert await store.retry_stalled(timedelta(seconds=30)) == []
    assert await read_jobs(connection) == ["todo", "doing"]
    assert alive


async def test_the_job_of_a_worker_that_is_gone_is_taken_up(connection: asyncpg.Connection):
    job_id = await defer(connection, "a")
    worker = await begin(connection)
    await connection.execute("DELETE FROM procrastinate_workers WHERE id = $1", worker)
    assert await JobStore(connection).retry_stalled(timedelta(hours=1)) == [job_id]


async def test_jobs_are_deleted_when_they_have_been_over_for_long(connection: asyncpg.Connection):
    over, _ = await defer(connection, "a"), await defer(connection, "b")
    await JobStore(connection).cancel(over)
    now = datetime.now(UTC)  # noqa: TID251 - the events have the server's time.
    store = JobStore(connection)
    assert await store.delete_ended(now - timedelta(hours=1), limit=10) == 0
    assert await store.delete_ended(now + timedelta(hours=1), limit=10) == 1
    assert await read_jobs(connection) == ["todo"]


async def test_what_waits_is_counted_by_queue(connection: asyncpg.Connection):
    await defer(connection, "a")
    await defer(connection, "b")
    (state,) = (await JobStore(connection).measure_queues()).values()
    assert state.count == 2
    assert state.oldest_at is not None
    assert await JobStore(connection).find_last_beat() is None
    await begin(connection)
    assert await JobStore(connection).find_last_beat() is not None
