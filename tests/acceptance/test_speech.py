"""Speech: ten sentences of a grammar, spoken, uploaded and understood in each way there is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import pytest
import websockets

from api.app import build_app
from core.settings import Settings
from tests.fixtures.apis import serving
from tests.fixtures.clients import open_client
from tests.fixtures.recordings import record
from tests.fixtures.sentences import GRAMMAR, SENTENCES, measure_right
from tests.fixtures.transcription_servers import KEY, TranscriptionServer, transcribing
from tests.fixtures.waiting import eventually
from tests.integration.jobs.conftest import working

RIGHT_MIN: Final = 0.9
WITHIN_S: Final = 240


@asynccontextmanager
async def choosing(settings: Settings, name: str) -> AsyncIterator[Settings]:
    """Lend the settings of a transcriber, with the server that it asks."""
    if name == "pocketsphinx":
        yield settings
        return
    async with transcribing(TranscriptionServer(grammar=GRAMMAR)) as server:
        chosen = {"stt_transcriber": "openai", "stt_url": server.url, "stt_api_key": KEY}
        yield settings.model_copy(update=chosen)


async def upload(client: httpx.AsyncClient, path: str, audio: Path) -> str:
    content = await asyncio.to_thread(audio.read_bytes)
    fields = {"grammar": GRAMMAR, "language": "en", "make_note": "true", "speaker": "Ada"}
    answer = await client.post(f"{path}/stt/upload", files={"audio": content}, data=fields)
    assert answer.status_code == 201, answer.text
    task_id: str = answer.json()["id"]
    return task_id


async def read(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    answer = await client.get(path)
    found: dict[str, Any] = answer.json()
    return found


async def wait_for_end(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    return await eventually(
        lambda: read(client, path),
        holds=lambda task: task["status"] in {"done", "failed"},
        within_s=WITHIN_S,
    )


@pytest.mark.parametrize("name", ["pocketsphinx", "openai"])
async def test_ten_sentences_are_understood_and_become_notes(
    name: str, settings: Settings, tmp_path: Path
):
    spoken = [record(sentence, tmp_path) for sentence in SENTENCES]
    async with (
        choosing(settings, name) as chosen,
        serving(build_app(chosen)) as address,
        open_client(f"http://{address}/api/v1/sessions") as client,
    ):
        session_id = (await client.post("", json={"name": "bench"})).json()["id"]
        path = f"/{session_id}"
        socket = f"ws://{address}/ws/sessions/{session_id}"
        async with websockets.connect(socket) as live, working(chosen):
            ids = [await upload(client, path, audio) for audio in spoken]
            pairs = []
            for sentence, task_id in zip(SENTENCES, ids, strict=True):
                task = await wait_for_end(client, f"{path}/stt/tasks/{task_id}")
                pairs.append((sentence, task["transcript"] or ""))
                assert task["note_id"] is not None
            heard = await hear(live, ids)
        right = measure_right(pairs)
        print(f"{name}: {right:.1%} of the words of ten sentences are right")  # noqa: T201
        assert right >= RIGHT_MIN, [pair for pair in pairs if pair[0] != pair[1]]
        assert heard == {task_id: said for task_id, (_, said) in zip(ids, pairs, strict=True)}
        notes = await read(client, f"{path}/notes")
        assert sorted(note["content"] for note in notes["data"]) == sorted(
            said for _, said in pairs
        )


async def hear(live: websockets.ClientConnection, ids: list[str]) -> dict[str, str]:
    """Return what the socket of the session told of the ends of tasks."""
    heard: dict[str, str] = {}
    async with asyncio.timeout(60):
        while heard.keys() != set(ids):
            told = orjson.loads(await live.recv())
            if told["event"] == "stt.task.done":
                heard[told["data"]["id"]] = told["data"]["transcript"]
    return heard
