"""Upkeep: what nobody needs any more is removed, and nothing else."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from prometheus_client import REGISTRY

from core.clock import ManualClock, SystemClock
from core.settings import Settings
from core.stt_tasks import AUDIO_FOLDER, Outcome, TaskStatus
from db.pool import Pool
from db.stt_tasks import SttTaskStore
from streaming.jobs.sweeps import AudioSweep
from streaming.jobs.upkeep import Upkeep
from tests.fixtures.api_keys import ACTOR
from tests.fixtures.recordings import write_hum
from tests.fixtures.stt_tasks import SESSION, read_jobs, read_task, write_task

DAY_S = 86_400


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[Pool]:
    pool = Pool(settings, process="jobs")
    yield pool
    await pool.close()


@pytest.fixture
def clock() -> ManualClock:
    """The machine's time, which files and the database have, and what comes after it."""
    return ManualClock(SystemClock().now())


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    return write_hum(tmp_path / "hum.wav")


def put_file(settings: Settings, place: str, age_s: float, clock: ManualClock) -> Path:
    path = settings.data_dir / AUDIO_FOLDER / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    time_s = clock.now().timestamp() - age_s
    os.utime(path, (time_s, time_s))
    return path


def list_files(settings: Settings) -> set[str]:
    folder = settings.data_dir / AUDIO_FOLDER
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


async def test_only_old_files_of_no_task_are_swept_away(
    connection: asyncpg.Connection,
    settings: Settings,
    pool: Pool,
    clock: ManualClock,
    audio: Path,
):
    task_id = await write_task(connection, settings, audio)
    orphan = f"{SESSION}/stt_00000000000000ff.wav"
    for place in (orphan, "incoming/abc", "work/stt_00000000000000ff-x"):
        put_file(settings, place, 2 * DAY_S, clock)
    young = f"{SESSION}/stt_00000000000000fe.wav"
    put_file(settings, young, 60, clock)
    kept = settings.data_dir / AUDIO_FOLDER / SESSION / f"{task_id}.wav"
    os.utime(kept, (0, 0))
    await AudioSweep(settings, pool, clock).run_round()
    assert list_files(settings) == {f"{SESSION}/{task_id}.wav", young}


async def test_audio_is_removed_some_time_after_its_task_has_ended(
    connection: asyncpg.Connection,
    settings: Settings,
    pool: Pool,
    clock: ManualClock,
    audio: Path,
):
    ended, waiting = [await write_task(connection, settings, audio) for _ in range(2)]
    await SttTaskStore(connection).end(ended, Outcome(TaskStatus.DONE, "said"))
    sweep = AudioSweep(settings, pool, clock)
    clock.advance(timedelta(days=settings.stt_audio_retention_days - 1))
    await sweep.run_round()
    assert len(list_files(settings)) == 2
    clock.advance(timedelta(days=2))
    await sweep.run_round()
    assert list_files(settings) == {f"{SESSION}/{waiting}.wav"}
    task = await read_task(connection, ended)
    assert (task["transcript"], task["audio_format"]) == ("said", None)


async def test_what_waits_is_measured_and_what_is_over_is_deleted(
    connection: asyncpg.Connection,
    settings: Settings,
    pool: Pool,
    clock: ManualClock,
    audio: Path,
):
    over, _ = [await write_task(connection, settings, audio) for _ in range(2)]
    await SttTaskStore(connection).delete(SESSION, over, actor=ACTOR)
    sweep = AudioSweep(settings, pool, clock)
    clock.advance(timedelta(hours=settings.jobs_retention_hours, minutes=1))
    await Upkeep(settings, pool, clock, sweep, ["speech"]).run_round()
    assert await read_jobs(connection) == ["todo"]
    labels = {"queue": "speech"}
    assert REGISTRY.get_sample_value("telemetra_jobs_waiting", labels) == 1
    age_s = REGISTRY.get_sample_value("telemetra_jobs_oldest_seconds", labels)
    assert age_s is not None
    assert age_s > settings.jobs_retention_hours * 3600
