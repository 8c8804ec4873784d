"""Sessions: made, changed, ended, opened again, listed, summed up and deleted."""

from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from api.sessions.schemas import SessionDeletedOut, SessionOut, SessionPage, SummaryOut
from core.sessions import NAME_LENGTH_MAX, STREAMS_MAX
from tests.fixtures.api_keys import list_audit, make_key
from tests.fixtures.apis import calling
from tests.integration.api.problems import list_fields, read_problem

SESSIONS = "/api/v1/sessions"
ALIAS = "/api/sessions"
UNKNOWN = "sess_0123456789abcdef"

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"),
    ({"name": " \n\t"}, "name"),
    ({"name": None}, "name"),
    ({"name": "a\x00b"}, "name"),
    ({"name": "x" * (NAME_LENGTH_MAX + 1)}, "name"),
    ({"description": 7}, "description"),
    ({"description": "x" * 10_001}, "description"),
    ({"stream_ids": "bench"}, "stream_ids"),
    ({"stream_ids": ["a b"]}, "stream_ids.0"),
    ({"stream_ids": [f"s{n}" for n in range(STREAMS_MAX + 1)]}, "stream_ids"),
]


async def create(client: httpx.AsyncClient, name: str = "Hot start", **given: Any) -> Any:
    answer = await client.post(SESSIONS, json={"name": name, **given})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    SessionOut.model_validate(made)
    return made


def name_path(session: dict[str, Any], *more: str) -> str:
    return "/".join((SESSIONS, session["id"], *more))


async def test_a_session_is_made_with_a_stream_of_its_own_and_written_down(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    made = await create(client, description="<b>", stream_ids=["b", "a", "b"])
    assert (made["status"], made["ended_at"], made["note_count"]) == ("active", None, 0)
    assert (made["stream_ids"], made["created_by"]) == (["b", "a"], "everyone")
    assert (await client.get(name_path(made))).json() == made
    stream = (await client.get(f"/api/v1/streams/{made['id']}")).json()
    assert (stream["kind"], stream["title"]) == ("session", "Hot start")
    (entry,) = await list_audit(connection)
    assert (entry["action"], entry["target"]) == ("session.create", made["id"])


async def test_what_makes_no_sense_is_named_and_not_kept(client: httpx.AsyncClient):
    made = await create(client)
    for given, field in WRONG:
        answer = await client.post(SESSIONS, json={"name": "x"} | given)
        assert field in list_fields(read_problem(answer, 422, "invalid")), given
        if given != {"name": None}:
            answer = await client.patch(name_path(made), json=given)
            assert field in list_fields(read_problem(answer, 422, "invalid")), given
    wrong: list[dict[str, str | int]] = [
        {"limit": -1},
        {"limit": 0},
        {"limit": 1001},
        {"status": "paused"},
        {"x": 1},
    ]
    for query in wrong:
        read_problem(await client.get(SESSIONS, params=query), 422, "invalid")
    read_problem(await client.get(SESSIONS, params={"cursor": "?"}), 422, "invalid")
    read_problem(await client.patch(name_path(made), json={"status": "paused"}), 422, "invalid")
    read_problem(await client.get(f"{SESSIONS}/sess_x"), 422, "invalid")
    assert (await client.get(SESSIONS)).json()["data"] == [made]


async def test_an_ended_session_that_goes_on_again_has_no_end(client: httpx.AsyncClient):
    made = await create(client)
    ended = (await client.patch(name_path(made), json={"status": "ended"})).json()
    assert ended["status"] == "ended"
    assert ended["ended_at"] >= made["started_at"]
    # Asked again, because the answer was lost: the end is still the first one.
    assert (await client.patch(name_path(made), json={"status": "ended"})).json() == ended
    back = (await client.patch(name_path(made), json={"status": "active"})).json()
    assert (back["status"], back["ended_at"]) == ("active", None)
    assert (await client.get(name_path(made))).json() == back


async def test_only_what_is_named_changes_and_each_change_is_written_down(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    made = await create(client, description="d", stream_ids=["a"])
    path = name_path(made)
    changed = (await client.patch(path, json={"name": "New", "status": None})).json()
    assert (changed["name"], changed["description"], changed["stream_ids"]) == ("New", "d", ["a"])
    assert (await client.patch(path, json={"stream_ids": ["c", "a"]})).json()["stream_ids"] == [
        "c",
        "a",
    ]
    assert (await client.patch(path, json={})).status_code == 200
    assert (await client.get(f"/api/v1/streams/{made['id']}")).json()["title"] == "New"
    log = await list_audit(connection)
    assert [entry["action"] for entry in log] == ["session.create", *["session.update"] * 2]
    assert (log[1]["before"]["name"], log[1]["after"]["name"]) == ("Hot start", "New")


async def test_sessions_are_listed_newest_first_page_by_page(client: httpx.AsyncClient):
    made = [await create(client, f"n{number}") for number in range(5)]
    await client.patch(name_path(made[2]), json={"status": "ended"})
    listed: list[str] = []
    cursor = None
    while len(listed) <= len(made):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(SESSIONS, params=query)).json()
        SessionPage.model_validate(page)
        listed += [session["name"] for session in page["data"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert listed == ["n4", "n3", "n2", "n1", "n0"]
    ended = (await client.get(SESSIONS, params={"status": "ended"})).json()["data"]
    assert [session["name"] for session in ended] == ["n2"]


async def test_sessions_are_found_by_words_of_name_and_description(client: httpx.AsyncClient):
    names = {
        "Hot starts": "With the new valve.",
        "Cold start": "The valve leaked",
        "Ventil öffnet №7": "C-3PO: x_y",
    }
    for name, description in names.items():
        await create(client, name, description=description)

    async def find(**query: Any) -> list[int]:
        answer = await client.get(SESSIONS, params=query)
        assert answer.status_code == 200, answer.text
        SessionPage.model_validate(answer.json())
        return [list(names).index(session["name"]) for session in answer.json()["data"]]

    assert await find() == [2, 1, 0]
    assert await find(q="valve") == [1, 0]
    assert await find(q="start valve") == [1, 0]
    assert await find(q="leaks") == [1]
    assert await find(q="valve -leaked") == [0]
    assert await find(q='"new valve"') == [0]
    assert await find(q="öffnet or hot") == [2, 0]
    assert await find(q="'; DROP TABLE sessions; --") == []
    assert await find(q="valve", status="ended") == []
    first = (await client.get(SESSIONS, params={"q": "valve", "limit": 1})).json()
    assert await find(q="valve", cursor=first["next_cursor"]) == [0]
    changed = await client.patch(
        f"{SESSIONS}/{first['data'][0]['id']}", json={"description": "Tight"}
    )
    assert changed.status_code == 200
    assert (await find(q="valve"), await find(q="tight")) == ([0], [1])
    for wrong in ("a" * 501, "a\x00b"):
        answer = await client.get(SESSIONS, params={"q": wrong})
        assert list_fields(read_problem(answer, 422, "invalid")) == {"q"}


@pytest.mark.parametrize("slash", ["", "/"])
async def test_front_ends_of_test_benches_get_plain_lists_with_and_without_a_slash(
    client: httpx.AsyncClient, slash: str
):
    for number in range(3):
        answer = await client.post(f"{ALIAS}{slash}", json={"name": f"n{number}"})
        assert answer.status_code == 201, answer.text
    listed = await client.get(f"{ALIAS}{slash}")
    assert [session["name"] for session in listed.json()] == ["n2", "n1", "n0"]
    assert "X-Next-Cursor" not in listed.headers
    first = await client.get(f"{ALIAS}{slash}", params={"limit": 2})
    rest: dict[str, str | int] = {"limit": 2, "cursor": first.headers["X-Next-Cursor"]}
    assert [each["name"] for each in (await client.get(ALIAS, params=rest)).json()] == ["n0"]
    one = f"{ALIAS}/{listed.json()[0]['id']}{slash}"
    assert (await client.get(one)).json() == listed.json()[0]
    assert (await client.patch(one, json={"status": "ended"})).json()["status"] == "ended"
    assert (await client.delete(one)).status_code == 200
    read_problem(await client.get(one.rstrip("/")), 404, "not_found")


async def test_aliases_are_not_in_the_description(client: httpx.AsyncClient):
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert SESSIONS in paths
    assert [path for path in paths if path.startswith(ALIAS)] == []


async def test_a_session_is_deleted_with_all_it_owns_and_nothing_else(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    kept, made = await create(client), await create(client, stream_ids=["bench"])
    note = {"timestamp": "2026-01-26T10:00:00Z", "content": "x"}
    await client.post(name_path(made, "notes"), json=note)
    await client.post(name_path(kept, "notes"), json=note)
    await connection.execute("INSERT INTO streams (stream_id) VALUES ('bench')")
    answer = await client.delete(name_path(made))
    SessionDeletedOut.model_validate(answer.json())
    assert (answer.status_code, answer.json()["complete"]) == (200, True)
    read_problem(await client.get(name_path(made)), 404, "not_found")
    read_problem(await client.delete(name_path(made)), 404, "not_found")
    streams = await connection.fetch("SELECT stream_id FROM streams ORDER BY stream_id")
    assert [row["stream_id"] for row in streams] == ["bench", kept["id"]]
    assert await connection.fetchval("SELECT count(*) FROM notes") == 1
    # A stream that somebody deleted before does not keep its session.
    assert (await client.delete(f"/api/v1/streams/{kept['id']}")).status_code == 200
    assert (await client.delete(name_path(kept))).status_code == 200


async def test_nothing_is_done_to_a_session_that_is_not_there(client: httpx.AsyncClient):
    path = f"{SESSIONS}/{UNKNOWN}"
    point = {"timestamp": 1.7e9, "channel": "c", "value": 1}
    for answer in (
        await client.get(path),
        await client.patch(path, json={"name": "x"}),
        await client.delete(path),
        await client.get(f"{path}/summary"),
        await client.get(f"{path}/notes"),
        await client.post(f"{path}/notes", json={"timestamp": 1.7e9, "content": "x"}),
        await client.get(f"{path}/notes/export"),
        await client.get(f"{path}/telemetry"),
        await client.post(f"{path}/telemetry", json=point),
        await client.post(f"{path}/telemetry/batch", json={"data": [point]}),
        await client.get(f"{path}/telemetry/latest", params={"channel": "c"}),
        await client.get(f"{path}/telemetry/channels"),
    ):
        assert UNKNOWN in read_problem(answer, 404, "not_found")["detail"]


async def test_an_empty_session_has_a_summary(client: httpx.AsyncClient):
    made = await create(client)
    summary = (await client.get(name_path(made, "summary"))).json()
    SummaryOut.model_validate(summary)
    assert (summary["notes"], summary["channels"], summary["moments"]) == ({}, [], {})
    assert summary["ended_at"] is None


async def test_a_key_reaches_the_sessions_of_its_streams_and_no_other(
    app: FastAPI, connection: asyncpg.Connection
):
    _, admin = await make_key(connection, "admin")
    scopes = ("read", "operate", "ingest")
    _, limited = await make_key(connection, *scopes, streams=["bench_7*"])
    async with calling(app) as client:

        async def make(headers: dict[str, str], *streams: str) -> httpx.Response:
            wish = {"name": f"of {streams}", "stream_ids": [*streams]}
            return await client.post(SESSIONS, json=wish, headers=headers)

        for streams in ((), ("bench_8",), ("bench_7", "bench_8"), ("benchx7",)):
            read_problem(await make(limited, *streams), 403, "forbidden")
            await make(admin, *streams)
        mine = (await make(limited, "bench_7", "bench_7b")).json()
        listed = (await client.get(SESSIONS, headers=limited)).json()["data"]
        assert listed == [mine]
        assert len((await client.get(SESSIONS, headers=admin)).json()["data"]) == 5
        for other in (await client.get(SESSIONS, headers=admin)).json()["data"][1:]:
            path = name_path(other)
            read_problem(await client.get(path, headers=limited), 404, "not_found")
            wish = {"stream_ids": ["bench_7"]}
            answer = await client.patch(path, json=wish, headers=limited)
            read_problem(answer, 404, "not_found")
        note = {"timestamp": 1.7e9, "content": "x"}
        written = await client.post(name_path(mine, "notes"), json=note, headers=limited)
        assert written.status_code == 201
        wish = {"stream_ids": ["bench_8"]}
        answer = await client.patch(name_path(mine), json=wish, headers=limited)
        read_problem(answer, 403, "forbidden")
        read_problem(await client.delete(name_path(mine), headers=limited), 403, "forbidden")
