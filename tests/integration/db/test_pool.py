"""Pool: a bounded queue, and a database that takes questions and answers none."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from core.breakers import BreakerPolicy
from core.errors import DatabaseAwayError, DatabaseBusyError, NotFoundError
from db import pool as pools
from db.pool import Pool
from db.streams import StreamNames, StreamStore
from tests.fixtures.api_keys import ACTOR
from tests.fixtures.proxies import Proxy, proxying
from tests.fixtures.settings import make_settings
from tests.fixtures.waiting import eventually


def read_metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"telemetra_{name}", labels) or 0


def count_refused(reason: str) -> float:
    return read_metric("database_requests_refused_total", reason=reason)


@asynccontextmanager
async def pooling(url: str, **chosen: Any) -> AsyncIterator[Pool]:
    """Lend a pool with settings of a test's own."""
    pool = Pool(make_settings(database_url=url, **chosen), BreakerPolicy(time_outs_max=2))
    try:
        yield pool
    finally:
        await pool.close()


async def ask(pool: Pool) -> int:
    async with pool.connection() as connection:
        number: int = await connection.fetchval("SELECT 1")
        return number


async def test_more_than_may_wait_are_refused_at_once_and_the_others_served(database_url: str):
    refused, waits = count_refused("full"), read_metric("database_wait_seconds_count")
    async with pooling(database_url, db_pool_max_size=1, db_pool_queue_max=2) as pool:
        async with pool.connection():
            assert read_metric("database_connections_used") == 1
            waiting = [asyncio.create_task(ask(pool)) for _ in range(2)]
            await eventually(lambda: read_metric("database_requests_waiting"), holds=(2.0).__eq__)
            with pytest.raises(DatabaseBusyError) as caught:
                await ask(pool)
            assert (caught.value.status, caught.value.retry_after_s) == (503, 1)
            assert not any(task.done() for task in waiting)
        assert await asyncio.gather(*waiting) == [1, 1]
    assert count_refused("full") == refused + 1
    assert read_metric("database_wait_seconds_count") == waits + 3
    assert read_metric("database_connections_used") == 0
    assert read_metric("database_requests_waiting") == 0


async def test_who_waits_too_long_is_refused_and_leaves_the_queue(database_url: str):
    refused = count_refused("slow")
    async with pooling(database_url, db_pool_max_size=1, db_pool_wait_ms=10) as pool:
        async with pool.connection() as connection:
            with pytest.raises(DatabaseBusyError):
                await ask(pool)
            assert read_metric("database_requests_waiting") == 0
            assert await connection.fetchval("SELECT 2") == 2
        assert await ask(pool) == 1
    assert count_refused("slow") == refused + 1


async def test_who_gives_up_waiting_leaves_the_queue(database_url: str):
    async with pooling(database_url, db_pool_max_size=1, db_pool_queue_max=1) as pool:
        async with pool.connection():
            for _ in range(3):
                waiting = asyncio.create_task(ask(pool))
                await eventually(lambda: read_metric("database_requests_waiting"))
                waiting.cancel()
                await asyncio.wait([waiting])
                assert read_metric("database_requests_waiting") == 0
        assert await ask(pool) == 1


async def test_a_connection_in_a_state_that_cannot_be_is_away_and_not_lent_again(database_url: str):
    seen: list[int] = []

    async def note(pool: Pool, error: Exception | None = None) -> None:
        async with pool.connection() as connection:
            seen.append(await connection.fetchval("SELECT pg_backend_pid()"))
            if error is not None:
                raise error

    async with pooling(database_url, db_pool_min_size=1, db_pool_max_size=1) as pool:
        # What asyncpg raised when the server was killed in the middle of a statement.
        with pytest.raises(DatabaseAwayError):
            await note(pool, asyncpg.InternalClientError("cannot switch to state 11"))
        await note(pool)
    assert len(set(seen)) == 2


@pytest.fixture
async def proxied(database_url: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before the test's database."""
    async with proxying(database_url) as (proxy, url):
        yield proxy, url


async def time_out(pool: Pool, times: int) -> None:
    """Ask so often, all at once, a database that hangs."""
    answers = await asyncio.gather(*(ask(pool) for _ in range(times)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [DatabaseAwayError] * times


@pytest.fixture
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes that a test need not wait long for."""
    monkeypatch.setattr(pools, "PROBE_EVERY_S", 0.02)
    monkeypatch.setattr(pools, "PROBE_TIMEOUT_S", 0.05)


@pytest.mark.usefixtures("quick_probes")
async def test_a_database_that_hangs_is_not_asked_until_a_probe_is_answered(
    proxied: tuple[Proxy, str],
):
    proxy, url = proxied
    async with pooling(url, db_statement_timeout_ms=100) as pool:
        assert await ask(pool) == 1
        refused = count_refused("hanging")
        proxy.hang()
        with capture_logs() as lines:
            await time_out(pool, 2)
            assert read_metric("database_hanging") == 1
            # Probes are the only ones that ask now, each over a connection of its own.
            probes = proxy.accepted
            for number in range(50):
                sent = proxy.bytes_in
                with pytest.raises(DatabaseAwayError):
                    await ask(pool)
                assert proxy.bytes_in == sent, number
            await eventually(lambda: proxy.accepted, holds=lambda count: count > probes + 2)
            assert count_refused("hanging") == refused + 50
            proxy.go_on()
            await eventually(lambda: read_metric("database_hanging"), holds=(0.0).__eq__)
            assert await ask(pool) == 1
    events = [line["event"] for line in lines if line["event"].startswith("database_")]
    assert events == ["database_hanging", "database_answers"]


@pytest.mark.usefixtures("quick_probes")
async def test_who_waits_when_it_begins_to_hang_is_refused_with_the_others(
    proxied: tuple[Proxy, str],
):
    proxy, url = proxied
    chosen = {"db_pool_max_size": 2, "db_pool_min_size": 2, "db_statement_timeout_ms": 100}
    async with pooling(url, db_pool_wait_ms=60_000, **chosen) as pool:
        assert await ask(pool) == 1
        refused = count_refused("hanging")
        proxy.hang()
        # Two have a connection and time out; the others are never let near it.
        await time_out(pool, 12)
        assert count_refused("hanging") == refused + 10
        proxy.go_on()


async def test_an_answer_between_time_outs_keeps_it_closed(proxied: tuple[Proxy, str]):
    proxy, url = proxied
    async with pooling(url, db_statement_timeout_ms=100) as pool:
        for _ in range(3):
            proxy.hang()
            await time_out(pool, 1)
            proxy.go_on()
            # That there is no such stream is an answer, too.
            with pytest.raises(NotFoundError):
                async with pool.connection() as connection:
                    await StreamStore(connection).get("nobody")
        assert read_metric("database_hanging") == 0


async def test_slow_statements_alone_do_not_count_as_hanging(database_url: str):
    async with pooling(database_url, db_statement_timeout_ms=100) as pool:
        for _ in range(4):
            with pytest.raises(DatabaseAwayError):
                async with pool.connection() as connection:
                    await connection.execute("SELECT pg_sleep(30)")
        assert await ask(pool) == 1


async def test_a_pool_closes_while_the_database_hangs(
    proxied: tuple[Proxy, str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pools, "CLOSE_TIMEOUT_S", 0.05)
    proxy, url = proxied
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(pooling(url, db_statement_timeout_ms=100))
        assert await ask(pool) == 1
        proxy.hang()
        await time_out(pool, 3)
    assert read_metric("database_hanging") == 0


Run = Callable[[Pool], Any]


async def run_named(pool: Pool) -> None:
    async with pool.connection() as connection:
        await StreamStore(connection).put("a", StreamNames("secret-word", None, None), actor=ACTOR)


async def run_unnamed(pool: Pool) -> None:
    async with pool.connection() as connection:
        await connection.fetch("SELECT $1::text FROM generate_series(1, 3)", "secret-word")


@pytest.mark.parametrize(
    ("run", "name", "rows"), [(run_named, "streams.put_stream", 1), (run_unnamed, "unnamed", 3)]
)
async def test_a_slow_statement_is_told_by_name_without_its_values(
    database_url: str, monkeypatch: pytest.MonkeyPatch, run: Run, name: str, rows: int
):
    slow = read_metric("queries_slow_total", query=name)
    async with pooling(database_url, db_slow_query_ms=0) as pool:
        await run(pool)
    assert read_metric("queries_slow_total", query=name) == slow
    async with pooling(database_url) as pool:
        # Everything is slower than this.
        monkeypatch.setattr(pool, "_settings", SlowAtOnce(pool._settings))
        with capture_logs() as lines:
            await run(pool)
    told = [line for line in lines if line["event"] == "query_slow" and line["query"] == name]
    assert [line["rows"] for line in told] == [rows]
    assert told[0]["ms"] >= 0
    assert "secret-word" not in repr(lines)
    assert read_metric("queries_slow_total", query=name) == slow + 1


class SlowAtOnce:
    """Settings by which every statement is slow."""

    db_slow_query_ms = 1e-9

    def __init__(self, settings: Any) -> None:
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settings, name)


async def test_a_statement_that_failed_for_its_slowness_is_told_without_rows(database_url: str):
    chosen = {"db_statement_timeout_ms": 100, "db_slow_query_ms": 50}
    async with pooling(database_url, **chosen) as pool:
        with capture_logs() as lines, pytest.raises(DatabaseAwayError):
            async with pool.connection() as connection:
                await connection.execute("SELECT pg_sleep(30)")
    assert [(line["query"], line["rows"]) for line in lines] == [("unnamed", None)]
