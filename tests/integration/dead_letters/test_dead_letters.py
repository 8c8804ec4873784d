"""Dead letters over HTTP: seen with their reasons and contents, and tried again after a fix."""

import base64
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import httpx
import polars as pl
import pytest
from fastapi import FastAPI

from api.app import build_app
from api.dead_letters.schemas import LetterCountsOut, LetterDetailOut, LetterOut, LetterPage
from core.batches import encode_events
from core.clock import SystemClock
from core.ids import shard_of
from core.settings import Settings
from db.dead_letters import PAGE_LETTERS
from streaming.bus.redis import RedisBusWriter
from tests.fixtures.api_keys import list_audit, make_key
from tests.fixtures.apis import calling
from tests.fixtures.events import STREAM, chat, make_events
from tests.fixtures.flows import Flow
from tests.integration.api.problems import list_fields, read_problem

PATH: Final = "/api/v1/dead-letters"
AT: Final = datetime(2026, 1, 26, 10, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)


@pytest.fixture
async def writer(redis_url: str) -> AsyncIterator[RedisBusWriter]:
    """The door's end of the bus."""
    writer = RedisBusWriter(redis_url, max_entries=1000)
    yield writer
    await writer.close()


async def list_letter(
    connection: asyncpg.Connection, number: int, **facts: Any
) -> tuple[str, bytes]:
    """Store a letter that a flow of today would read; return its id and its bytes."""
    at = facts.get("at", AT + number * HOUR)
    shard = facts.get("shard", shard_of(STREAM, 16))
    payload = facts.get("payload") or encode_events(
        make_events([chat(SystemClock().now(), f"user{number}")])
    )
    await connection.execute(
        "INSERT INTO dead_letters (shard, batch_offset, arrived_at, reason, payload, stream_ids)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        shard,
        number,
        at,
        facts.get("reason", "no column"),
        payload,
        facts.get("streams", [STREAM]),
    )
    return f"{shard}-{number}", payload


async def read(client: httpx.AsyncClient, path: str = PATH, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()


async def replay(client: httpx.AsyncClient, **given: Any) -> Any:
    answer = await client.post(f"{PATH}/replay", json=given)
    assert answer.status_code == 200, answer.text
    return answer.json()


def write_stream(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer)
    return buffer.getvalue()


async def test_what_the_flow_puts_aside_is_seen_with_its_reason_and_what_is_in_it(
    client: httpx.AsyncClient, writer: RedisBusWriter, flow: Flow
):
    odd = pl.DataFrame({"stream_id": ["b", "a", "not a name"], "type": ["chat"] * 3, "no": [1] * 3})
    await writer.append({0: b"no Arrow at all", 1: write_stream(odd)})
    await flow.pump()
    listed = await read(client)
    LetterPage.model_validate(listed)
    by_shard = {letter["shard"]: letter for letter in listed["data"]}
    assert by_shard[0]["stream_ids"] == []
    assert by_shard[1]["stream_ids"] == ["a", "b"]
    assert "wrong columns: no" in by_shard[1]["reason"]
    garbage, frame = [
        await read(client, f"{PATH}/{by_shard[shard]['letter_id']}") for shard in (0, 1)
    ]
    LetterDetailOut.model_validate(garbage)
    assert base64.b64decode(garbage["payload_start"]) == b"no Arrow at all"
    assert (garbage["event_count"], garbage["events"]) == (None, [])
    assert frame["event_count"] == 3
    assert frame["events"][0] == {"stream_id": "b", "type": "chat", "no": 1}
    assert frame["payload_bytes"] == len(write_stream(odd))


async def test_a_letter_that_is_replayed_counts_once_and_is_written_down(
    client: httpx.AsyncClient, connection: asyncpg.Connection, flow: Flow
):
    letter_id, _ = await list_letter(connection, 1)
    answer = await client.post(f"{PATH}/{letter_id}/replay")
    assert answer.status_code == 200, answer.text
    LetterOut.model_validate(answer.json())
    assert answer.json()["replayed_at"] is not None
    again = await client.post(f"{PATH}/{letter_id}/replay")
    assert "already" in read_problem(again, 409, "conflict")["detail"]
    assert await flow.pump() == 1
    minutes = (await client.get(f"/api/v1/streams/{STREAM}/metrics")).json()["data"]
    assert sum(minute["chat_count"] for minute in minutes) == 1
    audit = await list_audit(connection)
    assert [(entry["action"], entry["target"]) for entry in audit] == [
        ("dead_letter.replay", letter_id)
    ]
    assert audit[0]["actor_name"] == "everyone"


async def test_what_still_cannot_be_read_becomes_another_letter(
    client: httpx.AsyncClient, connection: asyncpg.Connection, flow: Flow
):
    letter_id, _ = await list_letter(connection, 1, payload=b"still no Arrow")
    await client.post(f"{PATH}/{letter_id}/replay")
    await flow.pump()
    newer, older = (await read(client))["data"]
    assert (newer["replayed_at"], older["letter_id"]) == (None, letter_id)
    assert older["replayed_at"] is not None


async def test_letters_are_replayed_oldest_first_until_none_waits(
    client: httpx.AsyncClient, connection: asyncpg.Connection, flow: Flow
):
    letters = [await list_letter(connection, number) for number in range(PAGE_LETTERS + 3)]
    first = await replay(client)
    assert first["replayed"] == [letter_id for letter_id, _ in letters[:PAGE_LETTERS]]
    assert first["payload_bytes"] == sum(len(payload) for _, payload in letters[:PAGE_LETTERS])
    assert first["waiting"] == 3
    second = await replay(client)
    assert (len(second["replayed"]), second["waiting"]) == (3, 0)
    assert (await replay(client))["replayed"] == []
    assert await flow.pump() == len(letters)
    assert len(await list_audit(connection)) == len(letters)


async def test_only_the_letters_that_were_named_are_replayed(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    await list_letter(connection, 1, reason="Bad magic", streams=["a"])
    named, _ = await list_letter(connection, 2, reason="no column x", streams=["a", "b"])
    await list_letter(connection, 3, reason="no column x", streams=["c"])
    done = await replay(client, reason="COLUMN", stream_id="b")
    assert (done["replayed"], done["waiting"]) == ([named], 0)
    waiting = await read(client, waiting=True)
    assert [letter["letter_id"][-1] for letter in waiting["data"]] == ["3", "1"]
    assert [each["letter_id"] for each in (await read(client, waiting=False))["data"]] == [named]


async def test_a_full_bus_leaves_letters_waiting_and_writes_nothing_down(
    settings: Settings, connection: asyncpg.Connection
):
    for number in range(3):
        await list_letter(connection, number)
    narrow = build_app(settings.model_copy(update={"bus_max_entries": 2}))
    async with calling(narrow) as client:
        answer = await client.post(f"{PATH}/replay", json={})
        read_problem(answer, 429, "bus_full")
        assert int(answer.headers["Retry-After"]) > 0
        waiting = (await read(client, waiting=True))["data"]
    assert [letter["letter_id"][-1] for letter in waiting] == ["2"]
    assert len(await list_audit(connection)) == 2


async def test_a_letter_of_a_shard_that_is_gone_is_not_replayed(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    letter_id, _ = await list_letter(connection, 1, shard=16)
    for path, body in ((f"{PATH}/{letter_id}/replay", None), (f"{PATH}/replay", {})):
        problem = read_problem(await client.post(path, json=body), 409, "conflict")
        assert "BUS_SHARDS is 16" in problem["detail"]
    assert await list_audit(connection) == []


async def test_lists_are_paged_newest_first_and_narrowed(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    same = AT + 9 * HOUR
    for number in range(4):
        await list_letter(connection, number, streams=["a"] if number % 2 else [])
    for number in range(5, 9):
        await list_letter(connection, number, at=same, shard=number % 2, reason="Other")
    names, cursor = list[str](), None
    while True:
        page = await read(client, limit=3, **({"cursor": cursor} if cursor else {}))
        names += [letter["letter_id"] for letter in page["data"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert [name.partition("-")[2] for name in names] == list("75863210")

    async def list_numbers(**query: Any) -> str:
        found = (await read(client, **query))["data"]
        return "".join(letter["letter_id"].partition("-")[2] for letter in found)

    assert await list_numbers(reason="oTHER") == "7586"
    assert await list_numbers(stream_id="a") == "31"
    assert await list_numbers(**{"from": (AT + HOUR).isoformat()}, to="2026-01-26T13:00Z") == "21"


async def test_letters_are_counted_by_reason_and_over_time(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    for number in (0, 1, 2, 30):
        await list_letter(connection, number, reason="often", payload=b"1234")
    await list_letter(connection, 31, at=AT + timedelta(minutes=5), reason="seldom", payload=b"12")
    await connection.execute("UPDATE dead_letters SET replayed_at = now() WHERE batch_offset = 1")
    span = {"from": AT.isoformat(), "to": (AT + 40 * HOUR).isoformat()}
    counts = await read(client, f"{PATH}/counts", **span)
    LetterCountsOut.model_validate(counts)
    often, seldom = counts["reasons"]
    assert (often["reason"], often["letters"], often["waiting"]) == ("often", 4, 3)
    assert (often["payload_bytes"], often["first_at"]) == (16, "2026-01-26T10:00:00Z")
    assert (seldom["reason"], seldom["last_at"]) == ("seldom", "2026-01-26T10:05:00Z")
    assert [
        (time["start"][8:13], time["letters"], time["waiting"]) for time in counts["times"]
    ] == [
        ("26T10", 2, 2),
        ("26T11", 1, 0),
        ("26T12", 1, 1),
        ("27T16", 1, 1),
    ]
    days = await read(client, f"{PATH}/counts", by="day", **span)
    assert [time["letters"] for time in days["times"]] == [4, 1]
    assert await read(client, f"{PATH}/counts") == {"reasons": [], "times": []}


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        (PATH, {"limit": "501"}, "limit"),
        (PATH, {"from": "yesterday"}, "from"),
        (PATH, {"from": "2026-01-27", "to": "2026-01-26"}, ""),
        (PATH, {"reason": "a\0"}, "reason"),
        (PATH, {"stream_id": "no name"}, "stream_id"),
        (PATH, {"cursor": "bm9uZQ"}, "cursor"),
        (PATH, {"other": "1"}, "other"),
        (f"{PATH}/counts", {"by": "minute"}, "by"),
        (f"{PATH}/counts", {"from": "2020-01-01", "to": "2026-01-01"}, "from"),
    ],
)
async def test_a_wrong_question_is_answered_with_what_is_wrong(
    client: httpx.AsyncClient, path: str, query: dict[str, str], field: str
):
    problem = read_problem(await client.get(path, params=query), 422, "invalid")
    fields = list_fields(problem) if "errors" in problem else {problem["detail"].partition(":")[0]}
    assert not field or field in fields


@pytest.mark.parametrize("letter_id", ["3-17", "9999-9223372036854775807", "1-9999999999999999999"])
async def test_a_letter_that_is_not_there_is_not_found(client: httpx.AsyncClient, letter_id: str):
    for answer in (
        await client.get(f"{PATH}/{letter_id}"),
        await client.post(f"{PATH}/{letter_id}/replay"),
    ):
        assert letter_id in read_problem(answer, 404, "not_found")["detail"]


async def test_each_path_allows_its_own_methods_only(client: httpx.AsyncClient):
    for path, allowed in ((f"{PATH}/replay", "POST"), (f"{PATH}/counts", "GET"), (PATH, "GET")):
        answer = await client.delete(path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert (await client.get(f"{PATH}/none")).status_code == 404


async def test_letters_are_for_those_who_operate_all_streams(
    app: FastAPI, connection: asyncpg.Connection
):
    letter_id, _ = await list_letter(connection, 1)
    keys = [
        (200, await make_key(connection, "operate")),
        (403, await make_key(connection, "read", "ingest")),
        (403, await make_key(connection, "operate", streams=[STREAM])),
    ]
    async with calling(app) as client:
        for status, (_, headers) in keys:
            for path in (PATH, f"{PATH}/counts", f"{PATH}/{letter_id}"):
                assert (await client.get(path, headers=headers)).status_code == status
        refused = await client.post(f"{PATH}/{letter_id}/replay", headers=keys[2][1][1])
        assert refused.status_code == 403
        done = await client.post(f"{PATH}/replay", headers=keys[0][1][1], json={})
        assert done.json()["replayed"] == [letter_id]
    entry = (await list_audit(connection))[-1]
    assert (entry["action"], entry["actor_key_id"]) == ("dead_letter.replay", keys[0][1][0])
