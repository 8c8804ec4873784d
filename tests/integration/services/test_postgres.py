"""The private TimescaleDB server, really run."""

import asyncio
import os
import socket
import stat
from subprocess import Popen

import asyncpg
import psutil
import pytest

from core.errors import ServiceMissingError
from infra.services.identities import choose_identity
from infra.services.ports import LOOPBACK, is_port_free
from infra.services.postgres import PROCESS_NAMES, Postgres
from infra.services.processes import find_process_ids
from tests.integration.services.servers import running, stop

WRITES_BEFORE_KILL = 200
CONNECTION_LOST = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)


async def query(service: Postgres, sql: str) -> object:
    connection = await asyncpg.connect(service.url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def wait_until_busy(service: Postgres) -> None:
    """Return once another session of the server runs a query."""
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
    )
    async with asyncio.timeout(10):
        while await query(service, others) == 0:
            pass


async def insert_until_killed(service: Postgres, process: Popen[bytes]) -> int:
    """Insert numbers one by one while the server is killed; return how many were acknowledged."""
    connection = await asyncpg.connect(service.url)
    committed = 0
    try:
        while True:
            await connection.execute("INSERT INTO acknowledged VALUES ($1)", committed)
            committed += 1
            if committed == WRITES_BEFORE_KILL:
                process.kill()
    except CONNECTION_LOST:
        return committed
    finally:
        connection.terminate()


async def test_a_fresh_server_makes_hypertables(throwaway_postgres: Postgres):
    assert not await throwaway_postgres.is_ready()
    async with running(throwaway_postgres):
        await query(throwaway_postgres, "CREATE EXTENSION timescaledb")
        await query(throwaway_postgres, "CREATE TABLE points (at timestamptz NOT NULL, v float8)")
        await query(throwaway_postgres, "SELECT create_hypertable('points', 'at')")
        await query(throwaway_postgres, "INSERT INTO points VALUES ('2026-01-01T00:00Z', 1.5)")
        bucket = "SELECT count(*) FROM points GROUP BY time_bucket('1 minute', at)"
        assert await query(throwaway_postgres, bucket) == 1
    assert not await throwaway_postgres.is_ready()


async def test_settings_are_the_ones_that_were_written(postgres: Postgres):
    async with running(postgres):
        settings = {
            name: await query(postgres, f"SHOW {name}")
            for name in (
                "fsync",
                "synchronous_commit",
                "data_checksums",
                "server_encoding",
                "jit",
                "timescaledb.telemetry_level",
                "unix_socket_directories",
                "password_encryption",
                "timezone",
            )
        }
    assert settings == {
        "fsync": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "jit": "off",
        "timescaledb.telemetry_level": "off",
        "unix_socket_directories": "",
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
    }


async def test_text_beyond_ascii_is_lowered_and_sorted_by_code_point(throwaway_postgres: Postgres):
    async with running(throwaway_postgres):
        assert await query(throwaway_postgres, "SELECT lower('ÄÉ')") == "äé"
        assert await query(throwaway_postgres, "SELECT 'Z' < 'a' AND 'z' < 'ä'") is True


async def test_it_listens_on_loopback_only_and_asks_for_the_password(throwaway_postgres: Postgres):
    async with running(throwaway_postgres) as process:
        listening = [
            connection.laddr.ip
            for connection in psutil.Process(process.pid).net_connections()
            if connection.status == psutil.CONN_LISTEN
        ]
        assert listening == [LOOPBACK]
        _, _, place = throwaway_postgres.url.partition("@")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(f"postgresql://telemetra:wrong@{place}")


async def test_a_second_prepare_keeps_rows_port_and_password(throwaway_postgres: Postgres):
    async with running(throwaway_postgres):
        await query(throwaway_postgres, "CREATE TABLE kept AS SELECT 42 AS n")
        url = throwaway_postgres.url
    async with running(throwaway_postgres):
        assert throwaway_postgres.url == url
        assert await query(throwaway_postgres, "SELECT n FROM kept") == 42


async def test_rows_that_were_committed_survive_kill_9(postgres: Postgres):
    async with running(postgres) as process:
        await query(postgres, "CREATE TABLE acknowledged (n bigint)")
        committed = await asyncio.wait_for(insert_until_killed(postgres, process), timeout=30)
        assert process.wait() != 0
        async with running(postgres):
            kept = await query(postgres, "SELECT array_agg(n ORDER BY n) FROM acknowledged")
    assert isinstance(kept, list)
    assert kept[:committed] == list(range(committed))
    assert committed >= WRITES_BEFORE_KILL


async def test_a_backend_that_outlives_its_killed_server_is_ended(throwaway_postgres: Postgres):
    async with running(throwaway_postgres) as process:
        connection = await asyncpg.connect(throwaway_postgres.url)
        endless = asyncio.create_task(connection.execute("DO $$ BEGIN LOOP END LOOP; END $$"))
        await wait_until_busy(throwaway_postgres)
        process.kill()
        process.wait()
        assert find_process_ids(throwaway_postgres.cluster, PROCESS_NAMES)
        async with running(throwaway_postgres):
            with pytest.raises(CONNECTION_LOST):
                await endless


async def test_a_running_server_is_left_alone(throwaway_postgres: Postgres):
    async with running(throwaway_postgres):
        other = Postgres(throwaway_postgres.programs, throwaway_postgres.folder, durable=False)
        url = throwaway_postgres.url
        other.prepare()
        assert other.url == url
        assert await other.is_ready()


async def test_a_port_that_was_taken_meanwhile_is_replaced(throwaway_postgres: Postgres):
    throwaway_postgres.prepare()
    url = throwaway_postgres.url
    port = int(url.rpartition(":")[2].partition("/")[0])
    with socket.create_server((LOOPBACK, port)):
        async with running(throwaway_postgres):
            assert throwaway_postgres.url != url
    assert is_port_free(port)


def test_secrets_and_rows_are_readable_by_their_owner_only(throwaway_postgres: Postgres):
    throwaway_postgres.prepare()
    folder = throwaway_postgres.folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600
    password = (folder / "password").read_text().strip()
    command = throwaway_postgres.command()
    assert command is not None
    assert password not in " ".join(command)


def test_a_folder_of_another_version_is_refused(throwaway_postgres: Postgres):
    throwaway_postgres.prepare()
    (throwaway_postgres.cluster / "PG_VERSION").write_text("13\n")
    with pytest.raises(ServiceMissingError, match="made by PostgreSQL 13"):
        throwaway_postgres.prepare()


def test_an_interrupted_first_prepare_is_done_again(throwaway_postgres: Postgres):
    leftover = throwaway_postgres.folder / "cluster.new-abc"
    leftover.mkdir(parents=True)
    (leftover / "PG_VERSION").write_text("17\n")
    throwaway_postgres.prepare()
    assert not leftover.exists()
    assert (throwaway_postgres.cluster / "PG_VERSION").is_file()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
async def test_as_root_it_runs_as_nobody_where_namespaces_are_forbidden(
    throwaway_postgres: Postgres,
):
    throwaway_postgres._identity = choose_identity(
        can_run=lambda prefix: prefix[0] == "setpriv", is_root=True
    )
    async with running(throwaway_postgres) as process:
        assert psutil.Process(process.pid).username() == "nobody"
        await query(throwaway_postgres, "CREATE TABLE kept AS SELECT 42 AS n")
    throwaway_postgres._identity = None
    async with running(throwaway_postgres):
        assert await query(throwaway_postgres, "SELECT n FROM kept") == 42
    assert stop(throwaway_postgres, process) == 0
