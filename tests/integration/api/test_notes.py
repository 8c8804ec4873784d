"""Notes: written with the values of their time, found, changed, deleted, restored, exported."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from api.notes.schemas import NoteOut, NotePage, NoteVersions
from core.clock import SystemClock
from core.errors import ConflictError
from core.notes import CONTENT_LENGTH_MAX, TAGS_MAX, VERSIONS_MAX
from core.sessions import NOTES_MAX
from db.notes import NoteStore
from tests.fixtures.api_keys import ACTOR, make_key
from tests.fixtures.apis import calling
from tests.fixtures.events import reading
from tests.fixtures.flows import Flow
from tests.integration.api.conftest import Send
from tests.integration.api.problems import list_fields, read_problem

SESSIONS = "/api/v1/sessions"
AT = "2026-01-26T10:32:15Z"
HOSTILE = "<script>alert(1)</script> | a\n# b\n| c | `d` \u202egnirts\u202c ﷽ [x](javascript:y)"

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"content": ""}, "content"),
    ({"content": " \n\t "}, "content"),
    ({"content": 7}, "content"),
    ({"content": "a\x00"}, "content"),
    ({"content": "x" * (CONTENT_LENGTH_MAX + 1)}, "content"),
    ({"timestamp": "soon"}, "timestamp"),
    ({"timestamp": "1969-12-31T23:59:59Z"}, "timestamp"),
    ({"timestamp": "3000-01-01T00:00:00Z"}, "timestamp"),
    ({"type": "NoteType.SYSTEM"}, "type"),
    ({"speaker": "x" * 201}, "speaker"),
    ({"tags": [""]}, "tags.0"),
    ({"tags": "a"}, "tags"),
    ({"tags": ["a"] * (TAGS_MAX + 1)}, "tags"),
    ({"telemetry_snapshot": 7}, "telemetry_snapshot"),
    ({"telemetry_snapshot": {"a": "x" * 300_000}}, "telemetry_snapshot"),
]


async def create(client: httpx.AsyncClient, *streams: str) -> str:
    made = await client.post(SESSIONS, json={"name": "x", "stream_ids": [*streams]})
    return f"{SESSIONS}/{made.json()['id']}/notes"


async def write(client: httpx.AsyncClient, path: str, content: str = "seen", **more: Any) -> Any:
    answer = await client.post(path, json={"timestamp": AT, "content": content, **more})
    assert answer.status_code == 201, answer.text
    note = answer.json()
    NoteOut.model_validate(note)
    assert answer.headers["ETag"] == f'"{note["version"]}"'
    return note


async def test_a_note_is_kept_as_it_was_sent_with_who_wrote_it(
    app: FastAPI, connection: asyncpg.Connection
):
    _, headers = await make_key(connection, "read", "operate")
    async with calling(app) as client:
        client.headers.update(headers)
        path = await create(client)
        given = {"speaker": "Mara", "type": "command", "tags": ["a", "b", "a"]}
        note = await write(client, path, HOSTILE, **given, telemetry_snapshot={"t": [1, {}]})
        assert (note["content"], note["author"]) == (HOSTILE, "read operate")
        assert (note["speaker"], note["type"], note["tags"]) == ("Mara", "command", ["a", "b"])
        assert (note["telemetry_snapshot"], note["timestamp"]) == ({"t": [1, {}]}, AT)
        assert (await client.get(f"{path}/{note['id']}")).json() == note
        session = (await client.get(path.rpartition("/")[0])).json()
        assert session["note_count"] == 1


async def test_what_makes_no_sense_is_named_and_not_kept(client: httpx.AsyncClient):
    path = await create(client)
    note = await write(client, path)
    for given, field in WRONG:
        answer = await client.post(path, json={"timestamp": AT, "content": "x"} | given)
        assert field in list_fields(read_problem(answer, 422, "invalid")), given
        answer = await client.put(f"{path}/{note['id']}", json=given)
        assert field in list_fields(read_problem(answer, 422, "invalid")), given
    for query in (
        {"limit": -1},
        {"limit": 0},
        {"limit": 1001},
        {"type": "NoteType.SYSTEM"},
        {"cursor": "?"},
        {"from": AT, "to": "2026-01-26T10:00:00Z"},
        {"what": "x"},
    ):
        read_problem(await client.get(path, params=query), 422, "invalid")
    for name in ("xml", "Markdown", "", "pdf"):
        answer = await client.get(f"{path}/export", params={"format": name})
        assert list_fields(read_problem(answer, 422, "invalid")) == {"format"}
    # An export is no note.
    read_problem(await client.put(f"{path}/export", json={}), 405, "method_not_allowed")
    unknown = f"{path}/note_0123456789abcdef"
    for answer in (
        await client.get(unknown),
        await client.put(unknown, json={"content": "x"}),
        await client.delete(unknown),
        await client.post(f"{unknown}/restore"),
        await client.get(f"{unknown}/versions"),
    ):
        read_problem(answer, 404, "not_found")
    assert (await client.get(path)).json()["data"] == [note]


async def test_a_note_gets_the_values_of_its_own_time_and_not_of_now(
    client: httpx.AsyncClient, send: Send, flow: Flow
):
    now = SystemClock().now().replace(microsecond=0)

    def told(minutes: float, value: float, channel: str = "load") -> Any:
        return reading(now - timedelta(minutes=minutes), value, channel, stream_id="bench")

    await send(
        told(10, 1.0), told(5, 2.0), told(1, 3.0), told(8, 7.0, "slow"), told(60 * 25, 9.0, "old")
    )
    path = await create(client, "bench", "nobody")
    point = {"timestamp": (now - timedelta(minutes=6)).isoformat(), "channel": "own", "value": 5}
    await client.post(path.replace("notes", "telemetry"), json=point)
    await flow.pump()

    async def snap(at: datetime) -> dict[str, float]:
        answer = await client.post(path, json={"timestamp": at.isoformat(), "content": "x"})
        found = answer.json()["telemetry_snapshot"]
        return {name: value["value"] for name, value in found.items()}

    assert await snap(now - timedelta(minutes=4)) == {
        "own": 5.0,
        "bench/load": 2.0,
        "bench/slow": 7.0,
    }
    # Older than a day is nothing that says how it was.
    assert await snap(now - timedelta(minutes=9)) == {"bench/load": 1.0}
    assert await snap(now - timedelta(minutes=90)) == {"bench/old": 9.0}
    assert await snap(now - timedelta(minutes=11)) == {}
    assert await snap(now - timedelta(days=20)) == {}
    assert await snap(datetime(1970, 1, 1, tzinfo=UTC)) == {}
    assert await snap(datetime(2999, 12, 31, tzinfo=UTC)) == {}
    assert len((await client.get(path)).json()["data"]) == 7


async def test_notes_are_found_by_words_speaker_type_tag_and_time(client: httpx.AsyncClient):
    path = await create(client)
    texts = ["Valves were leaking badly", "the valve holds", "Ventil öffnet №7", "C-3PO: x_y"]
    for number, text in enumerate(texts):
        await write(
            client,
            path,
            text,
            timestamp=f"2026-01-26T10:0{3 - number}:00Z",
            speaker="Mara" if number % 2 else "Jo",
            type="command" if number == 3 else "observation",
            tags=[f"t{number}", "all"],
        )

    async def find(**query: Any) -> list[int]:
        answer = await client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        NotePage.model_validate(answer.json())
        return [texts.index(note["content"]) for note in answer.json()["data"]]

    assert await find() == [3, 2, 1, 0]
    assert await find(q="valve") == [1, 0]
    assert await find(q="leak") == [0]
    assert await find(q="valve -leaking") == [1]
    assert await find(q='"valve holds"') == [1]
    assert await find(q="öffnet or holds") == [2, 1]
    assert await find(q="the") == [1]
    for odd in ("'", "&|!", "a & ", ":*", "(", "\\", "%"):
        await find(q=odd)
    assert await find(speaker="Mara") == [3, 1]
    assert await find(type="command") == [3]
    assert await find(tag="t2") == [2]
    assert await find(tag="none") == []
    assert await find(**{"from": "2026-01-26T10:01:00Z", "to": "2026-01-26T10:03:00Z"}) == [2, 1]
    seen: list[int] = []
    cursor = None
    while len(seen) < 9:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(path, params=query)).json()
        seen += [texts.index(note["content"]) for note in page["data"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == [3, 2, 1, 0]
    alias = await client.get(path.replace("/v1", ""), params={"limit": 1})
    assert [note["content"] for note in alias.json()] == [texts[3]]


async def test_what_a_note_was_is_kept_with_who_and_when(client: httpx.AsyncClient):
    path = await create(client)
    note = await write(client, path, "one", speaker="Mara", tags=["a"])
    where = f"{path}/{note['id']}"
    second = (await client.put(where, json={"content": "two", "speaker": ""})).json()
    assert (second["content"], second["speaker"], second["tags"]) == ("two", None, ["a"])
    assert (await client.put(where, json={"content": "two"})).json() == second
    await client.put(where, json={"tags": [], "type": "system", "content": None})
    versions = (await client.get(f"{where}/versions")).json()
    NoteVersions.model_validate(versions)
    assert [(each["version"], each["content"], each["speaker"]) for each in versions["data"]] == [
        (2, "two", None),
        (1, "one", "Mara"),
    ]
    first = versions["data"][1]
    assert (first["written_by"], first["replaced_by"]) == ("everyone", "everyone")
    assert first["written_at"] == note["updated_at"] < first["replaced_at"]


async def test_of_two_people_at_once_the_second_is_told(client: httpx.AsyncClient):
    path = await create(client)
    note = await write(client, path)
    where, seen = f"{path}/{note['id']}", {"If-Match": f'"{note["version"]}"'}
    answers = await asyncio.gather(
        *(client.put(where, json={"content": text}, headers=seen) for text in ("mine", "yours"))
    )
    first, second = sorted(answers, key=lambda answer: answer.status_code)
    assert "version 2" in read_problem(second, 412, "precondition_failed")["detail"]
    assert (await client.get(where)).json() == first.json()
    read_problem(await client.delete(where, headers=seen), 412, "precondition_failed")


async def test_a_deleted_note_is_hidden_and_comes_back_as_it_was(client: httpx.AsyncClient):
    path = await create(client)
    note = await write(client, path, "findable")
    where = f"{path}/{note['id']}"
    assert (await client.delete(where)).json()["deleted_at"] is not None
    for answer in (
        await client.get(where),
        await client.delete(where),
        await client.put(where, json={"content": "x"}),
    ):
        read_problem(answer, 404, "not_found")
    assert (await client.get(path, params={"q": "findable"})).json()["data"] == []
    assert "findable" not in (await client.get(f"{path}/export")).text
    session = path.rpartition("/")[0]
    assert (await client.get(session)).json()["note_count"] == 0
    back = (await client.post(f"{where}/restore")).json()
    assert {name: back[name] for name in ("content", "deleted_at", "id")} == {
        name: note[name] for name in ("content", "deleted_at", "id")
    }
    assert (await client.post(f"{where}/restore")).json() == back
    assert (await client.get(session)).json()["note_count"] == 1


async def test_there_are_no_more_notes_and_versions_than_can_be_read(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    path = await create(client)
    note = await write(client, path)
    session_id = note["session_id"]
    await connection.execute("UPDATE sessions SET notes_written = $1", NOTES_MAX)
    answer = await client.post(path, json={"timestamp": AT, "content": "one more"})
    assert "Make another" in read_problem(answer, 409, "conflict")["detail"]
    await connection.execute(
        "INSERT INTO note_versions SELECT $1, 1000 + n, now(), '', 'x', 'system', '{}', '{}',"
        " now(), 'me', now(), 'me' FROM generate_series(1, $2::int) AS n",
        note["id"],
        VERSIONS_MAX,
    )
    with pytest.raises(ConflictError, match="Write another"):
        await NoteStore(connection, session_id).change(
            note["id"], {"content": "y"}, version=None, actor=ACTOR
        )
    assert (await client.get(path)).json()["data"] == [note]


async def test_a_note_may_be_as_long_as_it_may_and_of_any_signs(client: httpx.AsyncClient):
    path = await create(client)
    for sign in ("x", "𠀀", "\U0001f600 ", "<|>\n"):
        text = (sign * CONTENT_LENGTH_MAX)[:CONTENT_LENGTH_MAX]
        assert (await write(client, path, text))["content"] == text
    words = " ".join(chr(0x20000 + n) for n in range(CONTENT_LENGTH_MAX // 2))
    assert (await write(client, path, words))["content"] == words
    for name in ("markdown", "json", "html"):
        answer = await client.get(f"{path}/export", params={"format": name})
        assert answer.status_code == 200
        assert len(answer.content) > 5 * CONTENT_LENGTH_MAX


async def test_an_export_names_everything_in_plain_words(client: httpx.AsyncClient, send: Send):
    now = SystemClock().now()
    await send(reading(now, 2.5, "load", stream_id="bench", unit="kN"))
    path = await create(client, "bench")
    await write(client, path, HOSTILE, type="command", speaker="<i>", timestamp=now.isoformat())
    told = {}
    for name, media in (("markdown", "text/markdown"), ("html", "text/html")):
        answer = await client.get(f"{path}/export", params={"format": name})
        assert answer.headers["Content-Type"].startswith(media)
        told[name] = answer.text
        for word in ("NoteType", "<script>", "<i>", "+00:00"):
            assert word not in answer.text
        assert "| command |" in answer.text or "<td>command</td>" in answer.text
        assert "bench/load 2.5 kN" in answer.text
    assert "\u202e" not in told["markdown"]
    page = await client.get(f"{path}/export", params={"format": "html"})
    assert "sandbox" in page.headers["Content-Security-Policy"]
    # Every row of every table has the cells that its head has.
    heads = None
    for line in told["markdown"].splitlines():
        bars = line.replace("\\|", "").count("|")
        heads = bars if heads is None and bars else heads if bars else None
        assert bars in {0, heads}, line
    whole = (await client.get(f"{path}/export", params={"format": "json"})).json()
    assert whole["notes"] == (await client.get(path)).json()["data"]
    assert whole["session"] == (await client.get(path.rpartition("/")[0])).json()
    assert whole["session"]["started_at"].endswith("Z")
    assert (await client.get(f"{path}/export")).headers["Content-Type"].startswith("text/markdown")
