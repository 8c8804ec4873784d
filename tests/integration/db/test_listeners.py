"""Listeners: whoever waits is woken at once, also after the connection broke."""

import asyncio

import asyncpg
import pytest

from db.deliveries import CHANNEL as DELIVERIES
from db.deliveries import SQL
from db.listeners import Listener
from db.moment_changes import CHANNEL as MOMENT_CHANGES
from tests.fixtures.alerts import write_moment
from tests.fixtures.waiting import eventually

END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"
NAME = "telemetra-alerts"


async def test_a_change_wakes_who_decides_and_a_delivery_who_sends(
    connection: asyncpg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("db.listeners.AGAIN_S", 0.05)
    monkeypatch.setattr("db.listeners.PROBE_EVERY_S", 0.05)
    changed, due = asyncio.Event(), asyncio.Event()
    events = {MOMENT_CHANGES: changed, DELIVERIES: due}
    listener = asyncio.create_task(Listener(database_url, "alerts", events).run())
    for _ in range(2):
        # Who begins to listen may have missed something.
        await asyncio.wait_for(asyncio.gather(changed.wait(), due.wait()), 10)
        changed.clear()
        due.clear()
        await write_moment(connection)
        await asyncio.wait_for(changed.wait(), 10)
        assert not due.is_set()
        changed.clear()
        await connection.execute(SQL["notify"])
        await asyncio.wait_for(due.wait(), 10)
        assert not changed.is_set()
        due.clear()
        await connection.execute(END, NAME)
        await eventually(lambda: connection.fetchval(COUNT, NAME), holds=bool)
    listener.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listener
