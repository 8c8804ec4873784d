"""STT tasks over HTTP: told of, uploaded, ended once, deleted; and every way to send bad audio."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import numpy as np
import pytest

from api.app import build_app
from api.stt_tasks.schemas import SttTaskOut
from core.audio import RATE_HZ, AudioFormat
from core.settings import Settings
from core.stt_tasks import AUDIO_FOLDER
from tests.fixtures.api_keys import list_audit
from tests.fixtures.apis import calling
from tests.fixtures.clients import open_client
from tests.fixtures.recordings import convert, hum, run_ffmpeg, write_hum, write_samples
from tests.fixtures.stt_tasks import read_jobs
from tests.fixtures.waiting import eventually
from tests.integration.api.problems import list_fields, read_problem

SESSIONS = "/api/v1/sessions"
CODES = {
    400: "bad_request",
    404: "not_found",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media",
    422: "invalid",
    429: "queue_full",
    507: "storage_full",
}


@pytest.fixture
async def sid(client: httpx.AsyncClient) -> str:
    """A session."""
    answer = await client.post(SESSIONS, json={"name": "bench"})
    session_id: str = answer.json()["id"]
    return session_id


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    return write_hum(tmp_path / "hum.wav")


def refuse(answer: httpx.Response, status: int) -> dict[str, Any]:
    return read_problem(answer, status, CODES[status])


async def upload(
    client: httpx.AsyncClient, sid: str, audio: Path | bytes, **fields: str
) -> httpx.Response:
    content = audio if isinstance(audio, bytes) else await asyncio.to_thread(audio.read_bytes)
    files = {"audio": ("whatever.txt", content, "text/plain")}
    return await client.post(f"{SESSIONS}/{sid}/stt/upload", files=files, data=fields)


def list_files(settings: Settings) -> list[Path]:
    folder = settings.data_dir / AUDIO_FOLDER
    return [path for path in folder.rglob("*") if path.is_file()]


async def assert_nothing_is_left(settings: Settings, connection: asyncpg.Connection) -> None:
    assert list_files(settings) == []
    assert await connection.fetchval("SELECT count(*) FROM stt_tasks") == 0
    assert await read_jobs(connection) == []


@pytest.mark.parametrize("form", AudioFormat)
async def test_each_format_is_kept_with_a_job(
    form: AudioFormat,
    client: httpx.AsyncClient,
    sid: str,
    audio: Path,
    settings: Settings,
    connection: asyncpg.Connection,
):
    sent = convert(audio, audio.with_name(f"sent.{form}"), form)
    answer = await upload(client, sid, sent, speaker="Ada", make_note="true", language="en")
    assert answer.status_code == 201, answer.text
    task = SttTaskOut.model_validate(answer.json())
    assert (task.status, task.speaker, task.make_note) == ("pending", "Ada", True)
    assert task.duration_seconds == pytest.approx(2, abs=0.1)
    (file,) = list_files(settings)
    assert file.name == f"{task.id}.{form}"
    assert file.read_bytes() == sent.read_bytes()
    assert await read_jobs(connection) == ["todo"]


async def test_the_same_audio_again_is_the_same_task(
    client: httpx.AsyncClient,
    sid: str,
    audio: Path,
    settings: Settings,
    connection: asyncpg.Connection,
):
    answers = await asyncio.gather(*(upload(client, sid, audio) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(list_files(settings)) == 1
    assert await read_jobs(connection) == ["todo"]
    other = await upload(client, sid, audio, audio_chunk_id="mine")
    assert other.status_code == 201
    named = await upload(client, sid, write_samples(hum(1), audio), audio_chunk_id="mine")
    assert (named.status_code, named.json()["id"]) == (200, other.json()["id"])


async def test_audio_whose_task_has_failed_may_be_sent_again(
    client: httpx.AsyncClient, sid: str, audio: Path
):
    first = (await upload(client, sid, audio)).json()["id"]
    await client.put(f"{SESSIONS}/{sid}/stt/tasks/{first}", json={"status": "failed"})
    again = await upload(client, sid, audio)
    assert again.status_code == 201
    assert again.json()["id"] != first
    assert (await client.get(f"{SESSIONS}/{sid}/stt/tasks/{first}")).status_code == 404


def make_silence(folder: Path) -> Path:
    return write_samples(np.zeros(2 * RATE_HZ), folder / "silence.wav")


def make_minutes_of_silence(folder: Path) -> Path:
    target = folder / "minutes.flac"
    silence = "anullsrc=r=16000:cl=mono:d=900"
    run_ffmpeg("-f", "lavfi", "-i", silence, str(target))
    return target


def make_picture(folder: Path) -> Path:
    target = folder / "film.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "color=black:d=1:s=32x32", "-c:v", "mpeg4", str(target))
    return target


def make_half(folder: Path) -> Path:
    whole = write_hum(folder / "whole.wav")
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) // 2])
    return whole


def make_junk(folder: Path) -> Path:
    target = folder / "junk.wav"
    target.write_bytes(b"RIFF\xff\xff\x00\x00WAVEfmt " + bytes(range(256)) * 40)
    return target


def make_flipped(folder: Path) -> Path:
    flac = convert(write_hum(folder / "a.wav"), folder / "a.flac", AudioFormat.FLAC)
    content = bytearray(flac.read_bytes())
    content[len(content) // 2] ^= 0xFF
    flac.write_bytes(content)
    return flac


def make_mp3(folder: Path) -> Path:
    target = folder / "a.mp3"
    run_ffmpeg("-i", str(write_hum(folder / "a.wav")), str(target))
    return target


def make_playlist(folder: Path) -> Path:
    target = folder / "a.m3u8"
    target.write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    return target


def make_empty(folder: Path) -> Path:
    target = folder / "empty.wav"
    target.touch()
    return target


def make_large(folder: Path) -> Path:
    return write_hum(folder / "large.wav", 50)


@pytest.mark.parametrize(
    ("make", "status", "reason"),
    [
        (make_silence, 422, "silent"),
        (make_minutes_of_silence, 413, "longer than 60 s"),
        (make_picture, 422, "cannot be decoded"),
        (make_half, 422, "cannot be decoded"),
        (make_junk, 422, "cannot be decoded"),
        (make_flipped, 422, "cannot be decoded"),
        (make_mp3, 415, "WAV, FLAC, OGG, WebM or MP4"),
        (make_playlist, 415, "WAV, FLAC, OGG, WebM or MP4"),
        (make_empty, 422, "something in it"),
        (make_large, 413, "limit of 1 MB"),
    ],
    ids=lambda each: each.__name__ if callable(each) else None,
)
async def test_bad_audio_is_refused_with_the_reason_and_leaves_nothing(
    make: Any, status: int, reason: str, settings: Settings, tmp_path: Path
):
    sent = make(tmp_path)
    few = settings.model_copy(update={"stt_audio_max_mb": 1, "stt_audio_max_seconds": 60})
    # Ten minutes of audio have room in what is allowed else: only what is meant is refused.
    if make is make_minutes_of_silence:
        few = few.model_copy(update={"stt_audio_max_mb": 25})
    async with calling(build_app(few)) as client:
        sid = (await client.post(SESSIONS, json={"name": "bench"})).json()["id"]
        problem = refuse(await upload(client, sid, sent), status)
    assert reason in problem["detail"]
    connection = await asyncpg.connect(settings.require_database_url())
    await assert_nothing_is_left(settings, connection)
    await connection.close()


@pytest.mark.parametrize(
    "fields",
    [
        {"language": "english"},
        {"started_at": "yesterday"},
        {"make_note": "perhaps"},
        {"speaker": "x" * 201},
        {"speaker": "a\x00"},
        {"grammar": "public <a> = one;"},
        {"grammar": "x" * 8193},
        {"language": "fr"},
        {"other": "1"},
    ],
)
async def test_a_wrong_field_is_named_and_leaves_nothing(
    fields: dict[str, str],
    client: httpx.AsyncClient,
    sid: str,
    audio: Path,
    settings: Settings,
    connection: asyncpg.Connection,
):
    problem = refuse(await upload(client, sid, audio, **fields), 422)
    assert list_fields(problem) == set(fields)
    await assert_nothing_is_left(settings, connection)


FORM = "multipart/form-data; boundary=x"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"junk", 400),
        (b'--x\r\nContent-Disposition: form-data; name="audio"\r\n\r\nRIFF', 400),
        (b"--x\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n--x--\r\n", 400),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n', 422),
        (b"--x\r\n" + b"A: b\r\n" * 1000, 400),
    ],
)
async def test_what_is_no_whole_form_is_refused(
    body: bytes,
    status: int,
    client: httpx.AsyncClient,
    sid: str,
    settings: Settings,
    connection: asyncpg.Connection,
):
    answer = await client.post(
        f"{SESSIONS}/{sid}/stt/upload", content=body, headers={"Content-Type": FORM}
    )
    refuse(answer, status)
    await assert_nothing_is_left(settings, connection)


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "audio/wav"])
async def test_only_forms_are_read(kind: str, client: httpx.AsyncClient, sid: str):
    answer = await client.post(
        f"{SESSIONS}/{sid}/stt/upload", content=b"--x--", headers={"Content-Type": kind}
    )
    refuse(answer, 415)


async def test_an_upload_that_breaks_off_leaves_nothing(
    served: str, settings: Settings, connection: asyncpg.Connection
):
    async with open_client(f"http://{served}") as client:
        sid = (await client.post(SESSIONS, json={"name": "bench"})).json()["id"]
    host, port = served.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    part = b'--x\r\nContent-Disposition: form-data; name="audio"\r\n\r\n' + b"RIFF" * 50_000
    head = (
        f"POST {SESSIONS}/{sid}/stt/upload HTTP/1.1\r\nHost: {served}\r\n"
        f"Content-Type: {FORM}\r\nContent-Length: {len(part) * 2}\r\n\r\n"
    )
    writer.write(head.encode() + part)
    await writer.drain()
    await eventually(lambda: list_files(settings))
    writer.close()
    await eventually(lambda: not list_files(settings))
    del reader
    await assert_nothing_is_left(settings, connection)


async def test_a_full_disk_is_said_and_leaves_nothing(
    client: httpx.AsyncClient,
    sid: str,
    audio: Path,
    settings: Settings,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
):
    # A device that is always full stands where the file would be written.
    monkeypatch.setattr("api.forms.open_target", lambda _: open("/dev/full", "wb"))  # noqa: PTH123, SIM115
    problem = refuse(await upload(client, sid, audio), 507)
    assert "disk is full" in problem["detail"]
    await assert_nothing_is_left(settings, connection)


async def test_so_many_jobs_may_wait_and_so_much_audio_be_kept(settings: Settings, audio: Path):
    few = settings.model_copy(update={"jobs_waiting_max": 1, "stt_session_max_mb": 1})
    async with calling(build_app(few)) as client:
        sid = (await client.post(SESSIONS, json={"name": "bench"})).json()["id"]
        assert (await upload(client, sid, audio)).status_code == 201
        full = await upload(client, sid, audio, audio_chunk_id="b")
        refuse(full, 429)
        assert full.headers["Retry-After"]
        large = write_samples(hum(33), audio.with_name("large.wav"))
        excess = refuse(await upload(client, sid, large, audio_chunk_id="c"), 413)
        assert "a session may have 1 MB" in excess["detail"]
    assert len(list_files(few)) == 1


async def test_only_what_is_legal_becomes_of_a_task(client: httpx.AsyncClient, sid: str):
    path = f"{SESSIONS}/{sid}/stt/tasks"
    answer = await client.post(path, json={"audio_chunk_id": "chunk-1", "duration_seconds": 3})
    assert answer.status_code == 201
    task = answer.json()
    assert (task["status"], task["duration_seconds"]) == ("pending", 3)
    one = f"{path}/{task['id']}"
    done = {"status": "done", "transcript": "said"}
    for _ in range(2):
        ended = await client.put(one, json=done)
        assert (ended.status_code, ended.json()["transcript"]) == (200, "said")
    for wish in ({"status": "failed", "error": "no"}, {"status": "done", "transcript": "other"}):
        problem = refuse(await client.put(one, json=wish), 409)
        assert "final" in problem["detail"]
    for status in ("pending", "processing", "over", None):
        refuse(await client.put(one, json={"status": status}), 422)
    assert (await client.get(one)).json() == ended.json()


async def test_tasks_are_listed_newest_first_page_by_page(client: httpx.AsyncClient, sid: str):
    path = f"{SESSIONS}/{sid}/stt/tasks"
    names = [f"chunk-{number}" for number in range(5)]
    for name in names:
        await client.post(path, json={"audio_chunk_id": name})
    first = (await client.get(path, params={"limit": 2})).json()
    rest = await client.get(path, params={"limit": 10, "cursor": first["next_cursor"]})
    found = [each["audio_chunk_id"] for each in first["data"] + rest.json()["data"]]
    assert found == names[::-1]
    assert rest.json()["next_cursor"] is None
    plain = (await client.get(f"/api/sessions/{sid}/stt/tasks")).json()
    assert [each["audio_chunk_id"] for each in plain] == names[::-1]
    done = (await client.get(path, params={"status": "done"})).json()
    assert done == {"data": [], "next_cursor": None}


async def test_a_deleted_task_takes_its_audio_and_its_job_along(
    client: httpx.AsyncClient,
    sid: str,
    audio: Path,
    settings: Settings,
    connection: asyncpg.Connection,
):
    task = (await upload(client, sid, audio)).json()
    one = f"{SESSIONS}/{sid}/stt/tasks/{task['id']}"
    assert (await client.delete(one)).json()["id"] == task["id"]
    refuse(await client.delete(one), 404)
    assert list_files(settings) == []
    assert await read_jobs(connection) == ["cancelled"]


async def test_what_is_not_there_is_said_not_to_be(client: httpx.AsyncClient, audio: Path):
    nowhere = "sess_ffffffffffffffff"
    refuse(await upload(client, nowhere, audio), 404)
    for method, path in (("GET", "tasks"), ("GET", "tasks/stt_0123456789abcdef")):
        answer = await client.request(method, f"{SESSIONS}/{nowhere}/stt/{path}")
        refuse(answer, 404)
    answer = await client.post(f"{SESSIONS}/{nowhere}/stt/tasks", json={"audio_chunk_id": "a"})
    refuse(answer, 404)


async def test_transcripts_stand_in_the_export(client: httpx.AsyncClient, sid: str):
    path = f"{SESSIONS}/{sid}/stt/tasks"
    task = (await client.post(path, json={"audio_chunk_id": "a"})).json()
    await client.put(f"{path}/{task['id']}", json={"status": "done", "transcript": "said"})
    export = await client.get(f"{SESSIONS}/{sid}/notes/export", params={"format": "json"})
    assert [each["transcript"] for each in export.json()["transcripts"]] == ["said"]


async def test_what_people_do_with_tasks_is_in_the_audit_log_without_what_was_said(
    client: httpx.AsyncClient, connection: asyncpg.Connection, sid: str, audio: Path
):
    made = (await client.post(f"{SESSIONS}/{sid}/stt/tasks", json={"audio_chunk_id": "c"})).json()
    path = f"{SESSIONS}/{sid}/stt/tasks/{made['id']}"
    said = {"status": "done", "transcript": "a secret word"}
    for _ in range(2):
        # The second time it changes nothing, and so is nothing to note.
        assert (await client.put(path, json=said)).status_code == 200
    assert (await client.delete(path)).status_code == 200
    for _ in range(2):
        sent = await upload(client, sid, audio)
        assert sent.status_code in {200, 201}
    _, *entries = await list_audit(connection)
    told = [(entry["action"], entry["target"]) for entry in entries]
    assert told == [
        *((f"stt_task.{verb}", made["id"]) for verb in ("create", "end", "delete")),
        ("stt_task.upload", sent.json()["id"]),
    ]
    _, ended, deleted, uploaded = entries
    assert (ended["before"]["status"], ended["after"]["status"]) == ("pending", "done")
    assert (deleted["before"]["session_id"], deleted["after"]) == (sid, None)
    assert (uploaded["before"], uploaded["after"]["status"]) == (None, "pending")
    assert "secret word" not in str(entries)
