"""Scripts under faults: each command is sent once, and each run ends once, whatever dies."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from core.settings import Settings
from tests.fixtures.api_processes import ApiProcess
from tests.fixtures.devices import Device, a_device
from tests.fixtures.processes import ModuleProcess
from tests.fixtures.proxies import proxying
from tests.fixtures.scripts import (
    abort_run,
    start_script,
    wait_for_run,
    wait_for_step,
)
from tests.fixtures.stt_tasks import read_jobs
from tests.fixtures.waiting import eventually
from tests.integration.devices.asking import read_command
from tests.integration.devices.test_faults import require_one_end

WITHIN_S = 120
COUNT = "steps:\n" + "".join(
    f"  - command: count_to\n    parameters: {{number: {n}}}\n    timeout_seconds: 600\n"
    for n in range(1, 5)
)


@contextmanager
def working(settings: Settings, folder: Path, name: str, **more: str) -> Iterator[ModuleProcess]:
    """Lend a worker, running; killed at the end."""
    environment = {
        "DATABASE_URL": settings.require_database_url(),
        "REDIS_URL": settings.require_redis_url(),
        "TELEMETRA_DATA_DIR": str(settings.data_dir),
        "JOBS_STALLED_SECONDS": "3",
        "JOBS_PAUSE_MAX_SECONDS": "1",
        **more,
    }
    worker = ModuleProcess(["streaming.jobs"], folder / f"{name}.log", environment)
    worker.start()
    try:
        yield worker
    finally:
        worker.kill()


async def obey(device: Device, count: int) -> list[dict[str, Any]]:
    """Do the next commands as they come."""
    done = []
    for _ in range(count):
        command = await device.hear(lambda m: m["type"] == "command", within_s=WITHIN_S)
        await device.result(command, "succeeded")
        done.append(command)
    return done


async def require_each_once(
    connection: asyncpg.Connection, served: str, run_id: str, state: str, count: int
) -> dict[str, Any]:
    """Hold what is stored against what may be: one command a step, one end of the run."""
    run = await wait_for_run(served, run_id, state, within_s=WITHIN_S)
    sent = [step["command_id"] for step in run["steps"] if step["command_id"] is not None]
    rows = await connection.fetch("SELECT command_id FROM commands ORDER BY created_at")
    assert [row["command_id"] for row in rows] == sent
    assert len(sent) == len(set(sent)) == count
    for command_id in sent:
        require_one_end(await read_command(served, command_id))
    await eventually(
        lambda: read_jobs(connection), holds=lambda jobs: jobs == ["succeeded"], within_s=WITHIN_S
    )
    return run


async def test_a_worker_killed_amid_a_step_costs_no_command_and_doubles_none(
    connection: asyncpg.Connection, served: str, settings: Settings, tmp_path: Path
) -> None:
    async with a_device(served) as device:
        with working(settings, tmp_path, "first") as first:
            run_id = await start_script(served, COUNT)
            await obey(device, 1)
            second = await device.hear(lambda m: m["type"] == "command", within_s=WITHIN_S)
            await wait_for_step(served, run_id, 2, "running", within_s=WITHIN_S)
            first.kill()
        # It ends while nobody listens.
        await device.result(second, "succeeded", message="done alone")
        await device.hear_kind("result_taken")
        assert await read_jobs(connection) == ["doing"]
        with working(settings, tmp_path, "second") as other:
            await obey(device, 1)
            # At any moment, also between the end of a command and the next one.
            other.kill()
            with working(settings, tmp_path, "third"):
                await obey(device, 1)
                run = await require_each_once(connection, served, run_id, "succeeded", 4)
    assert run["steps"][1]["message"] == "done alone"
    assert [step["state"] for step in run["steps"]] == ["succeeded"] * 4


async def test_a_worker_that_comes_back_from_the_dead_does_no_harm(
    connection: asyncpg.Connection, served: str, settings: Settings, tmp_path: Path
) -> None:
    async with (
        a_device(served) as device,
        proxying(settings.require_database_url()) as (proxy, url),
    ):
        with working(settings, tmp_path, "first", DATABASE_URL=url) as first:
            run_id = await start_script(served, COUNT)
            command = await device.hear(lambda m: m["type"] == "command", within_s=WITHIN_S)
            proxy.cut()
            with working(settings, tmp_path, "second"):
                await eventually(
                    lambda: connection.fetchval("SELECT attempts FROM script_runs"),
                    holds=lambda attempts: attempts == 2,
                    within_s=WITHIN_S,
                )
                proxy.mend()
                await device.result(command, "succeeded")
                await obey(device, 3)
                await require_each_once(connection, served, run_id, "succeeded", 4)
            assert first.is_running


async def test_a_database_that_goes_away_costs_only_time(
    connection: asyncpg.Connection, served: str, settings: Settings, tmp_path: Path
) -> None:
    async with (
        a_device(served) as device,
        proxying(settings.require_database_url()) as (proxy, url),
    ):
        with working(settings, tmp_path, "worker", DATABASE_URL=url) as worker:
            run_id = await start_script(served, COUNT)
            command = await device.hear(lambda m: m["type"] == "command", within_s=WITHIN_S)
            proxy.cut()
            await device.result(command, "succeeded")
            await eventually(lambda: "database_away" in worker.read_log(), within_s=WITHIN_S)
            proxy.mend()
            await obey(device, 3)
            await require_each_once(connection, served, run_id, "succeeded", 4)
            assert worker.is_running


async def test_without_redis_a_script_goes_on_by_looking(
    connection: asyncpg.Connection, served: str, settings: Settings, tmp_path: Path
) -> None:
    text = (
        "steps:\n  - command: open\n  - wait: {telemetry: temperature, is: '>', value: 50,"
        " within_seconds: 600}\n  - command: open\n  - pause: 600\n"
    )
    async with (
        a_device(served) as device,
        proxying(settings.require_redis_url()) as (proxy, url),
    ):
        proxy.cut()
        with working(settings, tmp_path, "worker", REDIS_URL=url):
            run_id = await start_script(served, text)
            await obey(device, 1)
            await wait_for_step(served, run_id, 2, "running", within_s=WITHIN_S)
            await device.point("temperature", 60.0)
            await obey(device, 1)
            await wait_for_step(served, run_id, 4, "running", within_s=WITHIN_S)
            await abort_run(served, run_id)
            await require_each_once(connection, served, run_id, "aborted", 2)


async def test_a_script_goes_on_though_the_api_that_took_it_is_killed(
    connection: asyncpg.Connection, settings: Settings, tmp_path: Path
) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    first, second = (ApiProcess(settings, folder) for folder in folders)
    try:
        await first.start()
        await second.start()
        here, there = (process.url.removeprefix("http://") for process in (first, second))
        with working(settings, tmp_path, "worker"):
            async with a_device(here) as device:
                run_id = await start_script(here, COUNT)
                command = await device.hear(lambda m: m["type"] == "command", within_s=WITHIN_S)
                first.kill()
                await device.hear_close()
            async with a_device(there) as device:
                again = await device.hear(lambda m: m["type"] == "command", within_s=WITHIN_S)
                assert again["command_id"] == command["command_id"]
                await device.result(again, "succeeded")
                await obey(device, 3)
                await require_each_once(connection, there, run_id, "succeeded", 4)
    finally:
        first.kill()
        second.kill()


async def test_an_abort_while_no_worker_lives_is_done_by_the_next_one(
    connection: asyncpg.Connection, served: str, settings: Settings, tmp_path: Path
) -> None:
    async with a_device(served) as device:
        with working(settings, tmp_path, "first") as first:
            run_id = await start_script(served, COUNT)
            command = await device.hear(lambda m: m["type"] == "command", within_s=WITHIN_S)
            first.kill()
        asked = await asyncio.gather(*(abort_run(served, run_id) for _ in range(5)))
        assert {answer.status_code for answer in asked} == {200}
        with working(settings, tmp_path, "second"):
            cancelled = await device.hear(lambda m: m["type"] == "cancel", within_s=WITHIN_S)
            assert cancelled["command_id"] == command["command_id"]
            await require_each_once(connection, served, run_id, "aborted", 1)
