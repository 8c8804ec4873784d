"""The job that transcribes: one outcome, whatever happens on the way."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
import redis.asyncio

from core.session_events import channel_of_session
from core.settings import Settings
from core.stt_tasks import AUDIO_FOLDER, Outcome, TaskStatus
from db.stt_tasks import SttTaskStore
from tests.fixtures.api_keys import ACTOR
from tests.fixtures.stt_tasks import SESSION, read_jobs, read_task, write_session, write_task
from tests.fixtures.transcription_servers import Manners, TranscriptionServer
from tests.fixtures.waiting import eventually
from tests.integration.jobs.conftest import choose, working

SAID = "open the left valve now"


async def wait_for(connection: asyncpg.Connection, task_id: str, status: str) -> dict[str, object]:
    return await eventually(
        lambda: read_task(connection, task_id), holds=lambda task: task["status"] == status
    )


def list_work(settings: Settings) -> list[Path]:
    return list((settings.data_dir / AUDIO_FOLDER / "work").glob("*"))


async def test_a_transcript_is_told_and_becomes_a_note(
    connection: asyncpg.Connection, chosen: Settings, audio: Path, redis_url: str
):
    await write_session(connection)
    client = redis.asyncio.Redis.from_url(redis_url)
    async with client.pubsub() as listening, working(chosen):
        await listening.subscribe(channel_of_session(SESSION))
        said_at = datetime(2026, 1, 26, 10, 32, tzinfo=UTC)
        task_id = await write_task(
            connection, chosen, audio, make_note=True, speaker="Ada", started_at=said_at
        )
        task = await wait_for(connection, task_id, "done")
        events: list[dict[str, Any]] = []
        while "note.created" not in [each["event"] for each in events]:
            message = await listening.get_message(ignore_subscribe_messages=True, timeout=30)
            if message is not None:
                events.append(orjson.loads(message["data"]))
    await client.aclose()
    assert task["transcript"] == SAID
    assert task["progress"] == 1
    note = await connection.fetchrow("SELECT * FROM notes WHERE note_id = $1", task["note_id"])
    assert note is not None
    assert (note["content"], note["speaker"], note["type"]) == (SAID, "Ada", "observation")
    assert (note["timestamp"], note["author"]) == (said_at, "me")
    names = [each["event"] for each in events]
    assert names[-2:] == ["stt.task.done", "note.created"]
    assert set(names[:-2]) == {"stt.task.updated"}
    assert events[0]["data"]["partial"] == ""
    assert events[-2]["data"]["transcript"] == SAID
    assert events[-1]["data"]["id"] == task["note_id"]
    assert await read_jobs(connection) == ["succeeded"]
    assert list_work(chosen) == []


async def test_without_a_wish_no_note_is_written(
    connection: asyncpg.Connection, chosen: Settings, audio: Path
):
    async with working(chosen):
        task_id = await write_task(connection, chosen, audio)
        await wait_for(connection, task_id, "done")
    assert await connection.fetchval("SELECT count(*) FROM notes") == 0


async def test_a_transcriber_that_is_away_is_asked_again_later(
    connection: asyncpg.Connection, chosen: Settings, audio: Path, server: TranscriptionServer
):
    server.manners = [Manners(429, {"Retry-After": "120"})]
    async with working(chosen):
        task_id = await write_task(connection, chosen, audio)
        task = await wait_for(connection, task_id, "done")
    assert task["attempts"] == 2


async def test_it_is_asked_only_so_often(
    connection: asyncpg.Connection, settings: Settings, audio: Path, server: TranscriptionServer
):
    chosen = choose(settings, server, jobs_attempts_max=2)
    server.manners = [Manners(429, {"Retry-After": "120"})] * 9
    async with working(chosen):
        task_id = await write_task(connection, chosen, audio)
        task = await wait_for(connection, task_id, "failed")
    assert "429" in str(task["error"])
    assert "2 times" in str(task["error"])
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [((Manners(400), SAID), "The server had an error"), ((Manners(), " "), "No speech was heard")],
)
async def test_what_cannot_be_transcribed_has_failed_with_the_reason(
    answer: tuple[Manners, str],
    reason: str,
    connection: asyncpg.Connection,
    chosen: Settings,
    audio: Path,
    server: TranscriptionServer,
):
    server.manners, server.text = [answer[0]], answer[1]
    async with working(chosen):
        task_id = await write_task(connection, chosen, audio)
        task = await wait_for(connection, task_id, "failed")
    assert reason in str(task["error"])
    assert task["transcript"] is None
    assert len(server.asked) == 1


async def test_audio_that_is_gone_is_said_to_be(
    connection: asyncpg.Connection, chosen: Settings, audio: Path
):
    task_id = await write_task(connection, chosen, audio)
    (chosen.data_dir / AUDIO_FOLDER / SESSION / f"{task_id}.wav").unlink()
    async with working(chosen):
        task = await wait_for(connection, task_id, "failed")
    assert "Upload it again" in str(task["error"])


async def test_a_task_that_is_taken_away_stops_its_job(
    connection: asyncpg.Connection, chosen: Settings, audio: Path, server: TranscriptionServer
):
    never = asyncio.Event()
    server.manners = [Manners(waits=never)]
    async with working(chosen):
        task_id = await write_task(connection, chosen, audio)
        await eventually(lambda: bool(server.asked))
        await SttTaskStore(connection).delete(SESSION, task_id, actor=ACTOR)
        await eventually(lambda: read_jobs(connection), holds=lambda jobs: jobs == ["aborted"])
    never.set()
    assert list_work(chosen) == []


async def test_an_outcome_from_elsewhere_stands(
    connection: asyncpg.Connection, chosen: Settings, audio: Path, server: TranscriptionServer
):
    never = asyncio.Event()
    server.manners = [Manners(waits=never)]
    async with working(chosen):
        task_id = await write_task(connection, chosen, audio)
        await eventually(lambda: bool(server.asked))
        outcome = Outcome(TaskStatus.DONE, "said elsewhere")
        store = SttTaskStore(connection)
        _, is_new = await store.put_outcome(SESSION, task_id, outcome, actor=ACTOR)
        assert is_new
        await eventually(lambda: read_jobs(connection), holds=lambda jobs: jobs == ["aborted"])
    never.set()
    task = await read_task(connection, task_id)
    assert (task["status"], task["transcript"]) == ("done", "said elsewhere")


async def test_a_worker_that_stops_hands_its_job_on(
    connection: asyncpg.Connection, chosen: Settings, audio: Path, server: TranscriptionServer
):
    never = asyncio.Event()
    server.manners = [Manners(waits=never)]
    async with working(chosen):
        task_id = await write_task(connection, chosen, audio)
        await eventually(lambda: bool(server.asked))
    assert await read_jobs(connection) == ["todo"]
    assert list_work(chosen) == []
    never.set()
    async with working(chosen):
        task = await wait_for(connection, task_id, "done")
    assert task["attempts"] == 2


async def test_a_try_that_was_overtaken_changes_nothing(
    connection: asyncpg.Connection, chosen: Settings, audio: Path
):
    task_id = await write_task(connection, chosen, audio)
    store = SttTaskStore(connection)
    first, second = await store.claim(task_id), await store.claim(task_id)
    assert first is not None
    assert second is not None
    late, right = Outcome(TaskStatus.DONE, "late"), Outcome(TaskStatus.DONE, "right")
    assert await store.note_progress(task_id, first["attempts"], 0.5) is None
    assert await store.end(task_id, late, attempt=first["attempts"]) is None
    assert await store.end(task_id, right, attempt=second["attempts"]) is not None
    assert await store.end(task_id, late, attempt=second["attempts"]) is None
    assert (await read_task(connection, task_id))["transcript"] == "right"


async def test_what_kills_its_worker_again_and_again_is_given_up(
    connection: asyncpg.Connection, chosen: Settings, audio: Path, server: TranscriptionServer
):
    task_id = await write_task(connection, chosen, audio)
    for _ in range(chosen.jobs_attempts_max):
        await SttTaskStore(connection).claim(task_id)
    async with working(chosen):
        task = await wait_for(connection, task_id, "failed")
    assert "again and again" in str(task["error"])
    assert server.asked == []
