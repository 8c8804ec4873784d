"""Jobs as a process, with a transcription server that answers at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.clock import SystemClock
from core.settings import Settings
from streaming.jobs.processes import building
from tests.fixtures.recordings import write_hum
from tests.fixtures.transcription_servers import KEY, TranscriptionServer, transcribing


@pytest.fixture
async def server() -> AsyncIterator[TranscriptionServer]:
    async with transcribing(TranscriptionServer(text="open the left valve now")) as server:
        yield server


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """Audio in which the server hears what it says."""
    return write_hum(tmp_path / "hum.wav")


@pytest.fixture
def chosen(settings: Settings, server: TranscriptionServer) -> Settings:
    """Settings of jobs that ask the server."""
    return choose(settings, server)


def choose(settings: Settings, server: TranscriptionServer, **more: Any) -> Settings:
    wanted: dict[str, Any] = {
        "stt_transcriber": "openai",
        "stt_url": server.url,
        "stt_api_key": KEY,
        "stt_timeout_seconds": 60,
        "jobs_pause_max_seconds": 1,
        "jobs_stalled_seconds": 3,
    }
    return settings.model_copy(update={**wanted, **more})


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[None]:
    """Run the jobs beside the test."""
    stop = asyncio.Event()
    async with building(settings, SystemClock()) as process:
        task = asyncio.create_task(process.run(stop))
        try:
            yield
        finally:
            stop.set()
            await task
