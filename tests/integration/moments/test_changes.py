"""Changes of a moment: what is stored, listed, written down and refused."""

from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from api.moments.schemas import MomentDetailOut
from core.clock import ManualClock
from core.moment_lives import COMMENT_LENGTH_MAX, ENTRIES_MAX
from db.moments import LISTS
from tests.fixtures.api_keys import list_audit
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM
from tests.fixtures.flows import Flow
from tests.integration.api.paths import MOMENTS, STREAM_MOMENTS
from tests.integration.api.problems import list_fields, read_problem
from tests.integration.moments.conftest import (
    MINUTE,
    MOMENT_ID,
    PATH,
    change,
    find,
    give_key,
    list_states,
    make_moment,
    read,
    tell,
)

STATES = ("open", "acknowledged", "shelved", "resolved")


@pytest.fixture(autouse=True)
async def found(flow: Flow) -> None:
    """One moment that goes on."""
    await find(flow, make_moment())


async def test_a_moment_has_its_life_and_says_what_may_be_done(client: httpx.AsyncClient):
    untouched = await read(client)
    MomentDetailOut.model_validate(untouched)
    assert (untouched["state"], untouched["version"], untouched["life"]) == ("open", 0, [])
    assert untouched["legal"] == ["acknowledge", "shelve", "mute", "resolve"]
    done = await change(client, "acknowledge", label=True, comment=" A raid. ")
    MomentDetailOut.model_validate(done)
    assert done == await read(client)
    assert (done["state"], done["label"], done["version"]) == ("acknowledged", True, 1)
    (entry,) = done["life"]
    assert (entry["action"], entry["state"], entry["actor_name"]) == (
        "acknowledge",
        "acknowledged",
        "everyone",
    )
    assert (entry["is_labelled"], entry["label"], entry["comment"]) == (True, True, "A raid.")
    assert entry["at"] == "2026-01-26T10:00:00Z"
    assert "acknowledge" not in done["legal"]


async def test_each_change_is_in_the_audit_log_with_who_made_it(
    app: FastAPI, client: httpx.AsyncClient, connection: asyncpg.Connection
):
    key_id, headers = await give_key(app, connection, "operate")
    _, reader = await give_key(app, connection, "read")
    read_problem(await client.patch(PATH, json={"action": "resolve"}), 401, "unauthorized")
    refused = await client.patch(PATH, json={"action": "resolve"}, headers=reader)
    read_problem(refused, 403, "forbidden")
    client.headers.update(headers)
    await change(client, "acknowledge", comment="secret words")
    await change(client, "acknowledge")
    await change(client, label=False)
    await change(client, comment="more")
    entries = [row for row in await list_audit(connection) if row["action"].startswith("moment.")]
    assert [row["action"] for row in entries] == [
        "moment.acknowledge",
        "moment.label",
        "moment.comment",
    ]
    for row in entries:
        assert (row["actor_key_id"], row["target"]) == (key_id, MOMENT_ID)
        assert row["after"]["stream_id"] == STREAM
        assert row["after"]["version"] == row["before"]["version"] + 1
    assert [row["before"]["state"] for row in entries] == ["open", "acknowledged", "acknowledged"]
    assert (entries[1]["before"]["label"], entries[1]["after"]["label"]) == (None, False)
    assert "secret words" not in str(entries)


async def test_a_change_that_cannot_be_written_down_is_not_made(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    await connection.execute("ALTER TABLE audit_log ADD CHECK (action <> 'moment.resolve')")
    assert (await client.patch(PATH, json={"action": "resolve"})).status_code == 500
    told = await read(client)
    assert (told["state"], told["version"], told["life"]) == ("open", 0, [])


async def test_what_leads_nowhere_is_refused_with_what_is_possible(client: httpx.AsyncClient):
    await change(client, "resolve")
    answer = await client.patch(PATH, json={"action": "acknowledge", "comment": "late"})
    problem = read_problem(answer, 409, "conflict")
    assert "resolved; acknowledge is not possible. Possible: reopen." in problem["detail"]
    # All of a request or nothing.
    assert len((await read(client))["life"]) == 1
    assert (await change(client, "reopen"))["state"] == "open"


@pytest.mark.parametrize(
    "given",
    [
        {"action": "acknowledge"},
        {"action": "shelve", "until": tell(START + 5 * MINUTE)},
        {"action": "mute"},
        {"action": "resolve", "label": True, "comment": "seen"},
        {"label": False},
        {"comment": "only this"},
    ],
)
async def test_a_request_that_is_sent_again_changes_nothing_more(
    client: httpx.AsyncClient, connection: asyncpg.Connection, given: dict[str, Any]
):
    once, twice = [await client.patch(PATH, json=given) for _ in range(2)]
    assert (once.status_code, once.json()) == (200, twice.json())
    assert once.headers["ETag"] == twice.headers["ETag"]
    assert len(once.json()["life"]) == len(await list_audit(connection)) == 1


async def test_of_two_people_the_second_comments_too(
    app: FastAPI, client: httpx.AsyncClient, connection: asyncpg.Connection
):
    for _ in range(2):
        client.headers.update((await give_key(app, connection, "operate", "read"))[1])
        await change(client, comment="same words")
    assert len((await change(client, comment="other words"))["life"]) == 3
    assert len((await change(client, comment="same words"))["life"]) == 4


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "body"),
        ({"action": "close"}, "action"),
        ({"action": "shelve"}, "body"),
        ({"action": "shelve", "until": "soon"}, "until"),
        ({"action": "mute", "until": tell(START + MINUTE)}, "body"),
        ({"label": "perhaps"}, "label"),
        ({"comment": " "}, "comment"),
        ({"comment": "x" * (COMMENT_LENGTH_MAX + 1)}, "comment"),
        ({"comment": "a\0b"}, "comment"),
        ({"state": "resolved"}, "state"),
        ([], "body"),
    ],
)
async def test_what_makes_no_sense_is_refused(client: httpx.AsyncClient, given: Any, field: str):
    problem = read_problem(await client.patch(PATH, json=given), 422, "invalid")
    assert list_fields(problem) == {field}
    assert (await read(client))["version"] == 0


@pytest.mark.parametrize("body", [b"", b"{", b"null"])
async def test_a_body_that_is_no_json_is_refused(client: httpx.AsyncClient, body: bytes):
    answer = await client.patch(PATH, content=body, headers={"Content-Type": "application/json"})
    read_problem(answer, 422, "invalid")


@pytest.mark.parametrize("until", [START - MINUTE, START, START + 60 * 24 * 32 * MINUTE])
async def test_a_shelf_that_ends_at_no_good_time_is_refused(client: httpx.AsyncClient, until: Any):
    answer = await client.patch(PATH, json={"action": "shelve", "until": tell(until)})
    read_problem(answer, 422, "invalid")


async def test_a_longest_comment_fits_and_a_life_has_an_end(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    assert (await change(client, comment="é" * COMMENT_LENGTH_MAX))["version"] == 1
    await connection.execute("UPDATE moments SET version = $1", ENTRIES_MAX)
    problem = read_problem(await client.patch(PATH, json={"action": "resolve"}), 409, "conflict")
    assert str(ENTRIES_MAX) in problem["detail"]


async def test_who_saw_an_older_life_is_told_and_who_saw_older_numbers_is_not(
    client: httpx.AsyncClient, flow: Flow
):
    seen = (await client.get(PATH)).headers["ETag"]
    await find(flow, make_moment(revision=2))
    newer = await client.get(PATH, headers={"If-None-Match": seen})
    assert (newer.status_code, newer.json()["metric_value"]) == (200, 102.0)
    same = await client.get(PATH, headers={"If-None-Match": newer.headers["ETag"]})
    assert same.status_code == 304

    async def send(action: str, tag: str) -> httpx.Response:
        return await client.patch(PATH, json={"action": action}, headers={"If-Match": tag})

    done = await send("acknowledge", seen)
    assert done.status_code == 200
    read_problem(await send("resolve", seen), 412, "precondition_failed")
    read_problem(await send("resolve", '"else"'), 412, "precondition_failed")
    assert (await read(client))["state"] == "acknowledged"
    assert (await send("resolve", done.headers["ETag"])).json()["state"] == "resolved"
    assert (await send("reopen", "*")).json()["state"] == "open"
    # Lists and live messages tell the version, and no tag.
    assert (await send("resolve", '"3"')).json()["version"] == 4
    read_problem(await send("reopen", '"3"'), 412, "precondition_failed")


async def test_a_shelved_moment_comes_back_in_every_list_when_its_time_is_over(
    client: httpx.AsyncClient, clock: ManualClock
):
    await change(client, "acknowledge")
    await change(client, "shelve", until=tell(START + MINUTE))
    for path in (MOMENTS, STREAM_MOMENTS):
        assert await list_states(client, path) == ["shelved"]
        assert await list_states(client, path, state="shelved") == ["shelved"]
        assert await list_states(client, path, state="acknowledged") == []
    clock.advance(MINUTE - MINUTE / 60)
    assert (await read(client))["shelved_until"] == "2026-01-26T10:01:00Z"
    assert await list_states(client) == ["shelved"]
    # Answers from before are at hand, and none of them may be given from now on.
    clock.advance(MINUTE / 60)
    for path in (MOMENTS, STREAM_MOMENTS):
        assert await list_states(client, path) == ["acknowledged"]
        assert await list_states(client, path, state="shelved") == []
        assert await list_states(client, path, state="acknowledged") == ["acknowledged"]
    told = await read(client)
    assert (told["state"], told["shelved_until"]) == ("acknowledged", None)


async def test_lists_show_state_and_label_and_pages_of_a_state_join_without_gaps(
    client: httpx.AsyncClient, flow: Flow
):
    later = [make_moment(number, started_at=START + number * MINUTE) for number in range(2, 12)]
    # Two at one time, so that a page may end between them.
    later.append(make_moment(12, started_at=START + 11 * MINUTE))
    await find(flow, *later)
    for number in range(2, 13, 2):
        path = f"{MOMENTS}/mom_{number:020x}"
        answer = await client.patch(path, json={"action": "resolve", "label": number % 4 == 0})
        assert answer.status_code == 200
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await read(client, state="resolved", limit=2, path=MOMENTS, **cursor)
        seen += [moment["moment_id"] for moment in page["data"]]
        assert all(m["label"] == (int(m["moment_id"][-1], 16) % 4 == 0) for m in page["data"])
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == [f"mom_{number:020x}" for number in (12, 10, 8, 6, 4, 2)]
    assert len(await list_states(client, state="open")) == 6


async def test_an_unknown_moment_and_one_out_of_reach_answer_alike(
    app: FastAPI, client: httpx.AsyncClient, connection: asyncpg.Connection
):
    _, near = await give_key(app, connection, "read", "operate", streams=[f"{STREAM}*"])
    _, far = await give_key(app, connection, "read", "operate", streams=["else*"])
    unknown = f"{MOMENTS}/mom_{'f' * 20}"
    for method, given in (("GET", None), ("PATCH", {"action": "resolve"}), ("PATCH", {})):
        status, code = (422, "invalid") if given == {} else (404, "not_found")
        told = []
        for headers, path in ((far, PATH), (far, unknown), (near, unknown)):
            answer = await client.request(
                method, path, json=given, headers=headers | {"If-Match": '"0.ab"'}
            )
            problem = read_problem(answer, status, code)
            told.append(problem["detail"].replace(path.rpartition("/")[2], "it"))
        assert len(set(told)) == 1
    assert (await client.get(PATH, headers=near)).status_code == 200
    client.headers.update(near)
    assert (await change(client, "resolve"))["state"] == "resolved"
    read_problem(await client.get(MOMENTS), 403, "forbidden")


async def test_without_the_database_nothing_is_changed_and_that_is_said(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    async with connection.transaction():
        await connection.execute("LOCK TABLE moments IN ACCESS EXCLUSIVE MODE")
        for method, given in (("GET", None), ("PATCH", {"action": "resolve"})):
            answer = await client.request(method, PATH, json=given, timeout=60)
            assert read_problem(answer, 503, "database_away")["detail"]
            assert answer.headers["Retry-After"]
    assert (await read(client))["version"] == 0
    assert await list_audit(connection) == []


@pytest.mark.parametrize("state", STATES)
async def test_a_list_by_state_is_read_from_an_index(connection: asyncpg.Connection, state: str):
    await connection.execute("SET enable_seqscan = off")
    arguments = (None, START - MINUTE, START + MINUTE, None, state, 0.0, None, None, 10, START)
    rows = await connection.fetch("EXPLAIN " + _inline(LISTS[state], arguments))
    plan = "\n".join(row[0] for row in rows)
    assert "Index Scan" in plan
    assert "Seq Scan" not in plan


def _inline(statement: str, arguments: tuple[Any, ...]) -> str:
    for number in range(len(arguments), 0, -1):
        value = arguments[number - 1]
        text = "NULL" if value is None else f"'{value}'"
        statement = statement.replace(f"${number}", text)
    return statement
