"""What front ends of the test bench rely on: sessions, notes, telemetry, speech and the socket.

Written from the contract alone, through the paths that those front ends call.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect

from core.clock import SystemClock
from tests.acceptance.contracts import (
    WAIT_S,
    Row,
    hearing,
    read_list,
    read_row,
    require_fields,
    require_id,
    require_problem,
    require_time,
)
from tests.fixtures.clients import open_client

SESSIONS: Final = "/api/sessions"
NOBODY: Final = "sess_00000000"
SESSION: Final = {
    *("id", "name", "description", "status", "started_at", "ended_at", "note_count", "stream_ids"),
}
NOTE: Final = {
    *("id", "session_id", "timestamp", "speaker", "content", "type", "tags"),
    *("telemetry_snapshot", "created_at", "updated_at", "author"),
}
AT: Final = "2026-01-26T10:32:15Z"
NOW: Final = SystemClock().now().isoformat()
POINT: Final = {"timestamp": NOW, "channel": "temp", "value": 1.5}
JUNK_TIMES: Final[tuple[Any, ...]] = ("yesterday", "2026-13-01T00:00:00Z", "", "null", True, [], {})


@pytest.fixture
async def http(served: str) -> AsyncIterator[httpx.AsyncClient]:
    """A front end."""
    async with open_client(f"http://{served}", timeout=60) as http:
        yield http


@pytest.fixture
async def path(http: httpx.AsyncClient) -> str:
    """Where a new session is."""
    session = read_row(await http.post(SESSIONS, json={"name": "Hot start"}), 201)
    return f"{SESSIONS}/{session['id']}"


def name_session(path: str) -> str:
    return path.rpartition("/")[2]


async def write_note(http: httpx.AsyncClient, path: str, **chosen: Any) -> Row:
    wish = {"timestamp": AT, "content": "Valve opened", **chosen}
    note = read_row(await http.post(f"{path}/notes", json=wish), 201)
    assert note.keys() >= NOTE
    require_id(note["id"], "note")
    for name in ("timestamp", "created_at", "updated_at"):
        require_time(note[name])
    return note


async def make_task(http: httpx.AsyncClient, path: str, chunk: str = "chunk_1") -> Row:
    wish = {"audio_chunk_id": chunk, "duration_seconds": 2.5}
    return read_row(await http.post(f"{path}/stt/tasks", json=wish), 201)


async def test_a_session_begins_ends_and_begins_again(http: httpx.AsyncClient) -> None:
    wish = {"name": "Hot start", "description": "Cold oil", "stream_ids": ["bench-07", "bench-08"]}
    session = read_row(await http.post(f"{SESSIONS}/", json=wish), 201)
    assert session.keys() >= SESSION
    require_id(session["id"], "sess")
    require_time(session["started_at"])
    assert (session["status"], session["ended_at"], session["note_count"]) == ("active", None, 0)
    assert {name: session[name] for name in wish} == wish
    path = f"{SESSIONS}/{session['id']}"
    assert read_row(await http.get(path))["id"] == session["id"]
    ended = read_row(await http.patch(path, json={"status": "ended"}))
    assert ended["status"] == "ended"
    assert require_time(ended["ended_at"]) >= session["started_at"]
    again = read_row(await http.patch(path, json={"status": "active"}))
    assert (again["status"], again["ended_at"]) == ("active", None)
    assert read_row(await http.get(path))["ended_at"] is None
    renamed = read_row(await http.patch(path, json={"name": "Cold start", "description": ""}))
    assert (renamed["name"], renamed["stream_ids"]) == ("Cold start", wish["stream_ids"])
    await write_note(http, path)
    assert read_row(await http.get(path))["note_count"] == 1
    assert (await http.delete(path)).is_success
    require_problem(await http.get(path), 404)
    require_problem(await http.delete(path), 404)


async def test_sessions_are_a_plain_list_newest_first(http: httpx.AsyncClient) -> None:
    assert read_list(await http.get(SESSIONS)) == []
    made = [
        read_row(await http.post(SESSIONS, json={"name": name}), 201)["id"] for name in ("a", "b")
    ]
    for path in (SESSIONS, f"{SESSIONS}/"):
        rows = read_list(await http.get(path))
        assert [row["id"] for row in rows] == made[::-1]
        assert rows[0].keys() >= SESSION
    assert [row["id"] for row in read_list(await http.get(SESSIONS, params={"limit": 1}))] == [
        made[1]
    ]


async def test_a_session_that_does_not_fit_is_refused(http: httpx.AsyncClient, path: str) -> None:
    require_fields(await http.post(SESSIONS, json={}), "name")
    require_fields(await http.post(SESSIONS, json={"name": 5}), "name")
    require_fields(await http.post(SESSIONS, json={"name": " "}), "name")
    require_fields(await http.post(SESSIONS, json={"name": "a", "stream_ids": "b"}), "stream_ids")
    for status in ("paused", "", 1, "SessionStatus.ACTIVE"):
        require_fields(await http.patch(path, json={"status": status}), "status")
    assert read_row(await http.get(path))["status"] == "active"
    json = {"Content-Type": "application/json"}
    for body in (b"{", b"[]", b"\xff", b""):
        require_problem(await http.post(SESSIONS, content=body, headers=json), 400, 422)


async def test_a_limit_that_is_none_is_refused(http: httpx.AsyncClient, path: str) -> None:
    for place in (SESSIONS, f"{path}/notes", f"{path}/telemetry", f"{path}/stt/tasks"):
        for limit in ("-1", "0", "many", "1e9", "99999999999999999999"):
            require_fields(await http.get(place, params={"limit": limit}), "limit")


NOT_THERE: Final[tuple[tuple[str, str, Row | None], ...]] = (
    ("GET", "", None),
    ("PATCH", "", {"status": "ended"}),
    ("DELETE", "", None),
    ("GET", "/notes", None),
    ("POST", "/notes", {"timestamp": AT, "content": "a"}),
    ("GET", "/notes/export?format=json", None),
    ("GET", "/notes/note_00000000", None),
    ("PUT", "/notes/note_00000000", {"content": "a"}),
    ("DELETE", "/notes/note_00000000", None),
    ("GET", "/telemetry", None),
    ("POST", "/telemetry", POINT),
    ("POST", "/telemetry/batch", {"data": [POINT]}),
    ("GET", "/telemetry/latest?channel=a", None),
    ("GET", "/telemetry/channels", None),
    ("GET", "/stt/tasks", None),
    ("POST", "/stt/tasks", {"audio_chunk_id": "a", "duration_seconds": 1}),
    ("GET", "/stt/tasks/stt_00000000", None),
    ("PUT", "/stt/tasks/stt_00000000", {"status": "done", "transcript": "a"}),
)


async def test_what_is_not_there_is_not_found(http: httpx.AsyncClient, path: str) -> None:
    for method, place, body in NOT_THERE:
        nowhere = f"{SESSIONS}/{NOBODY}{place}"
        problem = require_problem(await http.request(method, nowhere, json=body), 404)
        assert NOBODY in problem["detail"]
        if "_00000000" in place:
            require_problem(await http.request(method, f"{path}{place}", json=body), 404)


async def test_a_note_is_written_changed_and_deleted(http: httpx.AsyncClient, path: str) -> None:
    bare = await write_note(http, path)
    assert (bare["session_id"], bare["timestamp"][:19]) == (name_session(path), AT[:19])
    assert (bare["type"], bare["tags"], bare["telemetry_snapshot"]) == ("observation", [], {})
    wish = {
        "content": "Open the | valve",
        "speaker": "Ada",
        "type": "command",
        "tags": ["hot", "oil"],
        "telemetry_snapshot": {"temp": 20.5},
    }
    note = await write_note(http, path, **wish)
    assert {name: note[name] for name in wish} == wish
    where = f"{path}/notes/{note['id']}"
    assert read_row(await http.get(where)) == note
    changed = read_row(await http.put(where, json={"content": "Shut it", "tags": ["cold"]}))
    assert (changed["content"], changed["tags"], changed["id"]) == ("Shut it", ["cold"], note["id"])
    assert (changed["timestamp"], changed["created_at"]) == (note["timestamp"], note["created_at"])
    assert require_time(changed["updated_at"]) > note["updated_at"]
    assert read_row(await http.get(where))["content"] == "Shut it"
    assert (await http.delete(where)).is_success
    require_problem(await http.get(where), 404)
    require_problem(await http.delete(where), 404)
    assert [row["id"] for row in read_list(await http.get(f"{path}/notes"))] == [bare["id"]]


async def test_a_note_that_does_not_fit_is_refused(http: httpx.AsyncClient, path: str) -> None:
    note = await write_note(http, path)
    for content in ("", " ", "\n\t ", 5):
        for method, where in (("POST", "/notes"), ("PUT", f"/notes/{note['id']}")):
            wish = {"timestamp": AT, "content": content}
            require_fields(await http.request(method, f"{path}{where}", json=wish), "content")
    good = {"timestamp": AT, "content": "a"}
    require_fields(await http.post(f"{path}/notes", json={"content": "a"}), "timestamp")
    require_fields(await http.post(f"{path}/notes", json={"timestamp": AT}), "content")
    for name, value in (("type", "NoteType.SYSTEM"), ("type", "remark"), ("tags", "hot")):
        require_fields(await http.post(f"{path}/notes", json={**good, name: value}), name)
    for junk in JUNK_TIMES:
        require_fields(
            await http.post(f"{path}/notes", json={**good, "timestamp": junk}), "timestamp"
        )
    assert [row["content"] for row in read_list(await http.get(f"{path}/notes"))] == [
        note["content"]
    ]


async def test_times_are_understood_however_they_are_written(
    http: httpx.AsyncClient, path: str
) -> None:
    note = await write_note(http, path)
    zoned = [AT, "2026-01-26T10:32:15", "2026-01-26T11:32:15+01:00"]
    for written in (*zoned, *(1769423535 * 1000**n for n in range(4))):
        again = await write_note(http, path, timestamp=written)
        assert again["timestamp"] == note["timestamp"], written
        asked = {"from": str(written), "to": "2026-01-26T10:32:16Z"}
        found = read_list(await http.get(f"{path}/notes", params=asked))
        assert note["id"] in [row["id"] for row in found], asked
    for asked in ({"from": "2026-01-26T10:32:16Z"}, {"to": "2026-01-26T10:32:14Z"}):
        assert read_list(await http.get(f"{path}/notes", params=asked)) == []


async def test_notes_are_found_by_all_that_they_have(http: httpx.AsyncClient, path: str) -> None:
    late = await write_note(
        http, path, timestamp="2026-01-26T10:40:00Z", content="Pump started", speaker="Bo"
    )
    wish = {"speaker": "Ada", "type": "command", "tags": ["hot", "oil"]}
    early = await write_note(http, path, content="Valve opened", **wish)
    cases: tuple[tuple[dict[str, str], list[Row]], ...] = (
        ({}, [early, late]),
        ({"speaker": "Ada"}, [early]),
        ({"type": "observation"}, [late]),
        ({"tag": "oil"}, [early]),
        ({"q": "valve"}, [early]),
        ({"from": "2026-01-26T10:35:00Z"}, [late]),
        ({"to": "2026-01-26T10:35:00Z"}, [early]),
        ({"from": AT, "to": "2026-01-26T10:41:00Z"}, [early, late]),
        ({"speaker": "Bo", "tag": "oil"}, []),
        ({"limit": "1"}, [early]),
    )
    for asked, wanted in cases:
        found = read_list(await http.get(f"{path}/notes", params=asked))
        assert [row["id"] for row in found] == [row["id"] for row in wanted], asked
    for name in ("from", "to"):
        for junk in ("yesterday", "2026-13-01T00:00:00Z"):
            require_fields(await http.get(f"{path}/notes", params={name: junk}), name)
    require_fields(await http.get(f"{path}/notes", params={"type": "remark"}), "type")


async def test_an_export_is_what_was_asked_for(http: httpx.AsyncClient, path: str) -> None:
    for kind in ("observation", "command", "system"):
        await write_note(http, path, content=f"An {kind} it is", type=kind, speaker="Ada")
    where = f"{path}/notes/export"
    text = await http.get(where, params={"format": "markdown"})
    assert text.status_code == 200
    assert text.headers["Content-Type"].startswith("text/markdown")
    whole = await http.get(where, params={"format": "json"})
    assert whole.headers["Content-Type"].startswith("application/json")
    for answer in (text, whole):
        for kind in ("observation", "command", "system"):
            assert f"An {kind} it is" in answer.text
        for leak in ("NoteType", "SessionStatus", "OBSERVATION"):
            assert leak not in answer.text
        assert "Hot start" in answer.text
    assert whole.json()
    for other in ("xml", "", "MARKDOWN", "csv"):
        require_fields(await http.get(where, params={"format": other}), "format")


async def test_telemetry_that_does_not_fit_is_refused(http: httpx.AsyncClient, path: str) -> None:
    for name in POINT:
        less = {key: value for key, value in POINT.items() if key != name}
        require_fields(await http.post(f"{path}/telemetry", json=less), name)
    for name, value in (("value", "hot"), ("value", None), ("value", []), ("channel", "")):
        wrong = {**POINT, name: value}
        require_fields(await http.post(f"{path}/telemetry", json=wrong), name)
        batch = {"data": [POINT, wrong]}
        require_fields(await http.post(f"{path}/telemetry/batch", json=batch), name)
    for junk in JUNK_TIMES:
        wrong = {**POINT, "timestamp": junk}
        require_fields(await http.post(f"{path}/telemetry", json=wrong), "timestamp")
    json = {"Content-Type": "application/json"}
    for bare in (b"NaN", b"Infinity", b"1e400"):
        body = orjson.dumps(POINT).replace(b"1.5", bare)
        require_problem(await http.post(f"{path}/telemetry", content=body, headers=json), 400, 422)
    require_fields(await http.get(f"{path}/telemetry/latest"), "channel")
    require_problem(await http.get(f"{path}/telemetry/latest?channel=temp"), 404)
    assert read_list(await http.get(f"{path}/telemetry")) == []
    assert read_row(await http.get(f"{path}/telemetry/channels")) == {"channels": []}


async def test_an_stt_task_ends_once(http: httpx.AsyncClient, path: str) -> None:
    task = await make_task(http, path)
    require_id(task["id"], "stt")
    assert (task["status"], task["audio_chunk_id"]) == ("pending", "chunk_1")
    assert task["duration_seconds"] == 2.5
    where = f"{path}/stt/tasks/{task['id']}"
    assert read_row(await http.get(where)) == task
    done = read_row(await http.put(where, json={"status": "done", "transcript": "open the valve"}))
    assert (done["status"], done["transcript"]) == ("done", "open the valve")
    for status in ("failed", "done"):
        again = {"status": status, "transcript": "shut it", "error": "no"}
        require_problem(await http.put(where, json=again), 409)
    assert read_row(await http.get(where))["transcript"] == "open the valve"
    other = await make_task(http, path, "chunk_2")
    where = f"{path}/stt/tasks/{other['id']}"
    failed = read_row(await http.put(where, json={"status": "failed", "error": "only noise"}))
    assert (failed["status"], failed["error"]) == ("failed", "only noise")
    require_problem(await http.put(where, json={"status": "done", "transcript": "a"}), 409)
    rows = read_list(await http.get(f"{path}/stt/tasks"))
    assert {row["id"]: row["status"] for row in rows} == {
        task["id"]: "done",
        other["id"]: "failed",
    }


async def test_an_stt_task_that_does_not_fit_is_refused(http: httpx.AsyncClient, path: str) -> None:
    require_fields(
        await http.post(f"{path}/stt/tasks", json={"duration_seconds": 1}), "audio_chunk_id"
    )
    wrong = {"audio_chunk_id": "a", "duration_seconds": "long"}
    require_fields(await http.post(f"{path}/stt/tasks", json=wrong), "duration_seconds")
    where = f"{path}/stt/tasks/{(await make_task(http, path))['id']}"
    for status in ("banana", "DONE", "", None, 7, "SttStatus.DONE"):
        refused = await http.put(where, json={"status": status, "transcript": "a"})
        require_fields(refused, "status")
    require_problem(await http.put(where, json={"status": "pending"}), 409, 422)
    assert read_row(await http.get(where))["status"] == "pending"
    junk = {"audio": ("a.wav", b"this is no audio", "audio/wav")}
    require_problem(await http.post(f"{path}/stt/upload", files=junk), 400, 415, 422)
    require_problem(await http.post(f"{path}/stt/upload"), 400, 415, 422)
    require_problem(await http.post(f"{SESSIONS}/{NOBODY}/stt/upload", files=junk), 404)


async def test_every_change_is_told_to_everybody(
    served: str, http: httpx.AsyncClient, path: str
) -> None:
    session_id = name_session(path)
    async with hearing(served, session_id) as one, hearing(served, session_id) as two:
        note = await write_note(http, path)
        where = f"{path}/notes/{note['id']}"
        changed = read_row(await http.put(where, json={"content": "Shut it"}))
        await http.delete(where)
        task = await make_task(http, path)
        task_path = f"{path}/stt/tasks/{task['id']}"
        done = await http.put(task_path, json={"status": "done", "transcript": "open"})
        ended = read_row(await http.patch(path, json={"status": "ended"}))
        for socket in (one, two):
            assert await socket.hear("note.created") == note
            assert await socket.hear("note.updated") == changed
            assert (await socket.hear("note.deleted"))["id"] == note["id"]
            assert await socket.hear("stt.task.created") == task
            assert await socket.hear("stt.task.done") == done.json()
            assert (await socket.hear("session.ended"))["ended_at"] == ended["ended_at"]


async def test_a_socket_answers_and_survives_nonsense(
    served: str, http: httpx.AsyncClient, path: str
) -> None:
    async with hearing(served, name_session(path)) as socket:
        for said in ("{", "[]", "null", '{"event": "dance"}', "x" * 2000):
            await socket.socket.send(said)
        for said in ('{"event": "ping"}', '{"type": "ping"}', "ping"):
            await socket.socket.send(said)
            await socket.hear("pong")
        await write_note(http, path)
        await socket.hear("note.created")


async def test_a_session_that_nobody_knows_closes_after_the_handshake(served: str) -> None:
    for session_id in (NOBODY, "nonsense", "sess_%27%3B--"):
        async with connect(f"ws://{served}/ws/sessions/{session_id}") as socket:
            async with asyncio.timeout(WAIT_S):
                await socket.wait_closed()
            assert socket.close_code == 4004


async def test_a_session_hears_nothing_of_another(
    served: str, http: httpx.AsyncClient, path: str
) -> None:
    other = read_row(await http.post(SESSIONS, json={"name": "Other"}), 201)["id"]
    async with hearing(served, name_session(path)) as socket:
        await write_note(http, f"{SESSIONS}/{other}", content="Of the other")
        mine = await write_note(http, path, content="Mine")
        assert (await socket.hear("note.created"))["id"] == mine["id"]
    require_problem(await http.get(f"{SESSIONS}/{other}/notes/{mine['id']}"), 404)
