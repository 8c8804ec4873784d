"""Alerts under faults: each moment reaches its receiver, and repeats have the id of the first."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import asyncpg
import pytest

from db.pool import prepare_connection
from infra.services.ports import choose_port
from loadtest.bench.servers import run_servers
from tests.fixtures.alertmanagers import Alertmanager, running_alertmanager
from tests.fixtures.alerts import list_states, name_moment, write_moment, write_route, write_rule
from tests.fixtures.packages import require_program
from tests.fixtures.processes import ModuleProcess
from tests.fixtures.receivers import Manners, Receiver, receiving
from tests.fixtures.waiting import eventually

FAST = {
    "ALERTS_PAUSE_MAX_SECONDS": "1",
    "ALERTS_LEASE_SECONDS": "1",
    "ALERTS_RESEND_SECONDS": "1",
}
"""As it is, with minutes for hours."""


@contextmanager
def working(database_url: str, folder: Path, name: str = "alerts") -> Iterator[ModuleProcess]:
    """Lend a worker, running; killed at the end."""
    environment = {**FAST, "DATABASE_URL": database_url}
    worker = ModuleProcess(["streaming.alerts"], folder / f"{name}.log", environment)
    worker.start()
    try:
        yield worker
    finally:
        worker.kill()


async def write(connection: asyncpg.Connection, *numbers: int, **chosen: Any) -> None:
    for number in numbers:
        await write_moment(connection, number, started_at=now(), **chosen)


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the worker's clock is the machine's.


def opened(*numbers: int) -> list[tuple[str, str]]:
    return [(name_moment(number), "opened") for number in numbers]


async def test_whatever_happens_to_receiver_and_worker_each_moment_arrives_once(
    connection: asyncpg.Connection, database_url: str, tmp_path: Path
):
    absent = Receiver(choose_port())
    async with receiving(Receiver()) as slow, receiving(Receiver()) as rude:
        routes = [
            await write_route(connection, each.url, timeout_s=1.0) for each in (absent, slow, rude)
        ]
        for route in routes:
            await write_rule(connection, route)
        slow.manners = [Manners(waits_s=30.0)] * 2
        rude.manners = [Manners(500), Manners(503, {"Retry-After": "1"}), Manners(429)]
        with (
            working(database_url, tmp_path) as worker,
            working(database_url, tmp_path, "other") as other,
        ):
            await write(connection, 1, 2, 3)
            await slow.wait(lambda it: len(it.received) >= 1)
            # In the middle of what the slow one takes, both are killed; nobody tidies up.
            worker.kill()
            other.kill()
            await write(connection, 4)
            worker.start()
            await rude.wait(lambda it: sorted(it.told) == opened(1, 2, 3, 4))
            await slow.wait(lambda it: sorted(it.told) == opened(1, 2, 3, 4))
            assert not absent.received
            async with receiving(absent):
                await absent.wait(lambda it: sorted(it.told) == opened(1, 2, 3, 4))
                await eventually(
                    lambda: list_states(connection),
                    holds=lambda states: {state for state, _ in states} == {"delivered"},
                )
            assert worker.stop() == 0
        assert max(slow.ids.values()) > 1, "nothing was sent twice: the test proves nothing"
        assert len(absent.ids) == len(absent.received)
        for each in (absent, slow, rude):
            bodies = {(it.event["id"], it.body) for it in each.received}
            assert len(bodies) == len(each.ids), "a repeat is not what it repeats"
        # Attempts that a killed worker began have no end.
        lost = "SELECT count(*) FROM delivery_attempts WHERE ended_at IS NULL"
        assert await connection.fetchval(lost) >= 1
        assert "s" * 12 not in worker.read_log()


async def test_a_slow_receiver_keeps_nobody_else_waiting(
    connection: asyncpg.Connection, database_url: str, receiver: Receiver, tmp_path: Path
):
    async with receiving(Receiver()) as slow:
        slow.manners = [Manners(waits_s=60.0)] * 100
        kept = await write_route(connection, slow.url, timeout_s=60.0)
        quick = await write_route(connection, receiver.url)
        await write_rule(connection, kept, quick, group_by=["stream"])
        with working(database_url, tmp_path):
            for number in range(1, 13):
                await write(connection, number, stream_id=f"s{number}")
            await receiver.wait(lambda it: sorted(it.told) == opened(*range(1, 13)))
        assert len(slow.received) == 4, "a route has four at once"


@pytest.fixture
def own_database(results_dir: Path) -> Iterator[Any]:
    """Servers of this test alone, one of which it may kill."""
    with run_servers(results_dir) as servers:
        yield servers


async def test_a_database_that_is_restarted_loses_no_alert(
    own_database: Any, receiver: Receiver, tmp_path: Path
):
    url = own_database.settings.require_database_url()

    async def connect() -> asyncpg.Connection:
        connection = await asyncpg.connect(url)
        await prepare_connection(connection)
        return connection

    connection = await connect()
    await write_rule(connection, await write_route(connection, receiver.url))
    # What is being sent when the database dies, its end written down when it is back.
    receiver.manners = [Manners(waits_s=1.0)]
    with working(url, tmp_path) as worker:
        await write(connection, 1)
        await receiver.wait(lambda it: len(it.received) == 1)
        own_database.postgres.kill()
        await asyncio.to_thread(own_database.postgres.start)
        connection = await connect()
        await write(connection, 2)
        await receiver.wait(lambda it: sorted(it.told) == opened(1, 2))
        await eventually(
            lambda: list_states(connection),
            holds=lambda states: [state for state, _ in states] == ["delivered"] * 2,
        )
        assert worker.is_running
    await connection.close()


async def test_an_alertmanager_shows_what_goes_on_also_when_it_was_started_anew(
    connection: asyncpg.Connection, database_url: str, tmp_path: Path
):
    # Before anything is sent: the longer its program is not there, the rarer it is tried.
    require_program("prometheus-alertmanager")
    port = choose_port()
    route = await write_route(connection, f"http://127.0.0.1:{port}", kind="alertmanager")
    await write_rule(connection, route, name="spikes", severity="critical")
    started_at = now()
    with working(database_url, tmp_path):
        await write_moment(connection, 1, started_at=started_at)
        with running_alertmanager(tmp_path, port) as first:
            (alert,) = await eventually(first.list_alerts)
        assert alert["labels"] == {
            "alertname": "spikes",
            "severity": "critical",
            "stream": "hall",
            "moment_type": "chat_spike",
            "metric": "chat_count",
        }
        assert alert["annotations"]["reasons"] == "much said: goal"
        assert alert["generatorURL"] == f"/app/moments/{name_moment(1)}"
        with running_alertmanager(tmp_path, port) as second:
            (again,) = await eventually(second.list_alerts)
            assert (again["fingerprint"], again["startsAt"]) == (
                alert["fingerprint"],
                alert["startsAt"],
            )
            # It goes on, longer than an alert stands of which nobody tells.
            stands_until = datetime.fromisoformat(again["endsAt"])
            await eventually(lambda: _read_end(second), holds=lambda end: end > stands_until)
            await write_moment(connection, 1, started_at=started_at, ended_at=now())
            await eventually(second.list_alerts, holds=lambda alerts: alerts == [])
    assert await list_states(connection) == [("delivered", ANY), ("delivered", 1)]


async def _read_end(alertmanager: Alertmanager) -> datetime:
    (alert,) = await alertmanager.list_alerts()
    return datetime.fromisoformat(alert["endsAt"])
