"""Sweeps: audio that no task has any more, or that was kept long enough, is removed.

audio/SESSION/TASK.FORMAT     removed with its task by the API, or here when that died half-way
audio/incoming/…, audio/work/…   what a process left that was killed
"""

import asyncio
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from core import metrics
from core.audio import AudioFormat
from core.clock import Clock
from core.settings import Settings
from core.stt_tasks import AUDIO_FOLDER, name_audio
from db.pool import Pool
from db.stt_tasks import SttTaskStore

UNTOUCHED_FOR: Final = timedelta(days=1)
"""What is younger may be on its way to its task, or a job's that takes hours."""

BATCH: Final = 500

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class AudioSweep:
    """Removes what is not needed below the folder of audio."""

    def __init__(self, settings: Settings, pool: Pool, clock: Clock) -> None:
        self._folder = settings.data_dir / AUDIO_FOLDER
        days = settings.stt_audio_retention_days
        self._keep_for = timedelta(days=days) if days else None
        self._pool = pool
        self._clock = clock

    async def run_round(self) -> None:
        """Remove what was kept long enough, then what belongs to nothing."""
        removed = await self._remove_expired() if self._keep_for is not None else 0
        before_s = (self._clock.now() - UNTOUCHED_FOR).timestamp()
        old = await asyncio.to_thread(lambda: list(_list_old(self._folder, before_s)))
        for start in range(0, len(old), BATCH):
            removed += await self._remove_orphans(old[start : start + BATCH])
        if removed:
            metrics.stt_files_swept_total.inc(removed)
            log.info("audio_swept", files=removed)

    async def _remove_expired(self) -> int:
        assert self._keep_for is not None  # noqa: S101 (asked before)
        before = self._clock.now() - self._keep_for
        removed = 0
        while True:
            async with self._pool.connection() as connection:
                tasks = await SttTaskStore(connection).list_expired(before, limit=BATCH)
            for task in tasks:
                form = AudioFormat(task["audio_format"])
                file = name_audio(self._folder, task["session_id"], task["task_id"], form)
                await asyncio.to_thread(file.unlink, missing_ok=True)
            async with self._pool.connection() as connection:
                await SttTaskStore(connection).forget_audio([task["task_id"] for task in tasks])
            removed += len(tasks)
            if len(tasks) < BATCH:
                return removed

    async def _remove_orphans(self, paths: list[Path]) -> int:
        async with self._pool.connection() as connection:
            kept = await SttTaskStore(connection).list_existing([path.stem for path in paths])
        orphans = [path for path in paths if path.stem not in kept]
        await asyncio.to_thread(_remove, orphans)
        return len(orphans)


def _list_old(folder: Path, before_s: float) -> Iterator[Path]:
    """Return what lies one step below the folders in here and was not touched since a time."""
    for path in folder.glob("*/*"):
        try:
            if path.stat().st_mtime < before_s:
                yield path
        except FileNotFoundError:
            continue


def _remove(paths: list[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
