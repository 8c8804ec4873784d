"""Speech under faults: workers, database and transcriber go away, and each task ends once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from core.settings import Settings
from tests.fixtures.processes import ModuleProcess
from tests.fixtures.proxies import proxying
from tests.fixtures.recordings import write_hum
from tests.fixtures.stt_tasks import read_jobs, read_task, write_task
from tests.fixtures.transcription_servers import KEY, Manners, TranscriptionServer, transcribing
from tests.fixtures.waiting import eventually

WITHIN_S = 120


@contextmanager
def working(
    settings: Settings, server: TranscriptionServer, folder: Path, name: str, **more: str
) -> Iterator[ModuleProcess]:
    """Lend a worker, running; killed at the end."""
    environment = {
        "DATABASE_URL": settings.require_database_url(),
        "REDIS_URL": settings.require_redis_url(),
        "TELEMETRA_DATA_DIR": str(settings.data_dir),
        "STT_TRANSCRIBER": "openai",
        "STT_URL": server.url,
        "STT_API_KEY": KEY,
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


async def wait_until_done(connection: asyncpg.Connection, task_id: str) -> dict[str, object]:
    return await eventually(
        lambda: read_task(connection, task_id),
        holds=lambda task: task["status"] == "done",
        within_s=WITHIN_S,
    )


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    return write_hum(tmp_path / "hum.wav")


async def test_the_job_of_a_killed_worker_runs_again_and_ends_once(
    connection: asyncpg.Connection, settings: Settings, audio: Path, tmp_path: Path
):
    never = asyncio.Event()
    async with transcribing(
        TranscriptionServer(text="heard", manners=[Manners(waits=never)])
    ) as it:
        task_id = await write_task(connection, settings, audio, make_note=True)
        with working(settings, it, tmp_path, "first") as first:
            await eventually(lambda: bool(it.asked), within_s=WITHIN_S)
            first.kill()
            assert (await read_task(connection, task_id))["status"] == "processing"
            assert await read_jobs(connection) == ["doing"]
            with working(settings, it, tmp_path, "second") as second:
                task = await wait_until_done(connection, task_id)
                never.set()
                await eventually(
                    lambda: read_jobs(connection), holds=lambda jobs: jobs == ["succeeded"]
                )
                assert second.stop() == 0
                assert "jobs_taken_up" in second.read_log()
    assert (task["transcript"], task["attempts"]) == ("heard", 2)
    assert await connection.fetchval("SELECT count(*) FROM notes") == 1


async def test_a_database_that_goes_away_costs_only_time(
    connection: asyncpg.Connection, settings: Settings, audio: Path, tmp_path: Path
):
    waiting = asyncio.Event()
    manners = [Manners(waits=waiting)]
    async with (
        transcribing(TranscriptionServer(text="heard", manners=manners)) as server,
        proxying(settings.require_database_url()) as (proxy, url),
    ):
        task_id = await write_task(connection, settings, audio)
        with working(settings, server, tmp_path, "worker", DATABASE_URL=url) as worker:
            await eventually(lambda: bool(server.asked), within_s=WITHIN_S)
            proxy.cut()
            waiting.set()
            await eventually(lambda: "database_away" in worker.read_log(), within_s=WITHIN_S)
            proxy.mend()
            task = await wait_until_done(connection, task_id)
            assert worker.is_running
    assert task["transcript"] == "heard"


async def test_a_transcriber_that_comes_back_is_found(
    connection: asyncpg.Connection, settings: Settings, audio: Path, tmp_path: Path
):
    server = TranscriptionServer(text="heard")
    async with transcribing(server):
        pass
    # Nobody listens there any more.
    task_id = await write_task(connection, settings, audio)
    with working(settings, server, tmp_path, "worker", JOBS_ATTEMPTS_MAX="100"):
        await eventually(
            lambda: read_task(connection, task_id),
            holds=lambda task: task["attempts"] >= 2,
            within_s=WITHIN_S,
        )
        async with transcribing(server, port=int(urlsplit(server.url).port or 0)):
            task = await wait_until_done(connection, task_id)
    assert task["transcript"] == "heard"
