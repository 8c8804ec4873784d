"""Counts: how the jobs and the devices do, as the database knows it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from api.system.schemas import DevicesOut, JobsOut, QueueOut
from core.devices import Link
from db.device_counts import DeviceCountStore
from db.jobs import JobStore, QueueState
from db.pool import Connection

LATELY: Final = timedelta(minutes=15)


async def count_jobs(connection: Connection, now: datetime) -> JobsOut:
    """Tell who works, and what waits for them."""
    store = JobStore(connection)
    work, queues = await store.measure_work(), await store.measure_queues()
    return JobsOut(
        workers=work.workers,
        seen_ms=None if work.heard_at is None else _measure_ms(work.heard_at, now),
        running=work.running,
        retrying=work.retrying,
        failed=work.failed,
        queues=_list_queues(queues, now),
    )


def _list_queues(queues: Mapping[str, QueueState], now: datetime) -> list[QueueOut]:
    return [
        QueueOut(
            queue=name,
            waiting=state.count,
            oldest_ms=0 if state.oldest_at is None else _measure_ms(state.oldest_at, now),
        )
        for name, state in sorted(queues.items())
    ]


async def count_devices(connection: Connection, now: datetime) -> DevicesOut:
    """Tell how many devices are there, and how their commands fare."""
    counted = await DeviceCountStore(connection).count(now - LATELY)
    return DevicesOut(
        connected=counted.links.get(Link.CONNECTED, 0),
        stale=counted.links.get(Link.STALE, 0),
        gone=counted.links.get(Link.GONE, 0),
        commands_open=counted.commands_open,
        commands_timed_out=counted.commands_timed_out,
    )


def _measure_ms(since: datetime, now: datetime) -> int:
    return max(round((now - since).total_seconds() * 1000), 0)
