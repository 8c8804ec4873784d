"""Deletions: a stream goes with everything that is its own, and nothing else does."""

import itertools
from datetime import timedelta

import asyncpg
import httpx
import orjson
import pytest
import redis.asyncio
from fastapi import FastAPI

from api.app import build_app
from core.live import PRESENCES, latest_of_stream
from core.settings import Settings
from db.deletions import AT_ONCE, BY_CHUNK, CALL_S_MAX, DeletionStore
from streaming.flow.shards import FlowPolicy, Shard
from tests.fixtures.api_keys import ACTOR, list_audit
from tests.fixtures.apis import serving
from tests.fixtures.clocks import START
from tests.fixtures.events import (
    STREAM,
    chat,
    make_batch,
    make_entry,
    reading,
    transaction,
    viewers,
)
from tests.fixtures.flows import Flow
from tests.integration.api.paths import MOMENTS, ONE, STREAMS
from tests.integration.api.problems import read_problem
from tests.integration.api.sockets import follow, receive_kind
from tests.integration.moments.conftest import change, find, give_key, make_moment, read

OTHER = "other"


async def count_rows(connection: asyncpg.Connection, stream_id: str) -> dict[str, int]:
    """Return how many rows each table has of a stream."""
    counts = {}
    for table in (*AT_ONCE, *BY_CHUNK):
        query = f"SELECT count(*) FROM {table} WHERE stream_id = $1"  # noqa: S608 (our tables)
        counts[table] = await connection.fetchval(query, stream_id)
    return counts


@pytest.fixture
async def filled(client: httpx.AsyncClient, flow: Flow, connection: asyncpg.Connection) -> None:
    """Two streams with rows in every table, over some days."""
    for stream_id in (STREAM, OTHER):
        shard = Shard(0, FlowPolicy())
        for minute in (0, 1, 60 * 30, 60 * 30 + 5, 1):
            at = START + timedelta(minutes=minute)
            events = [
                make(at, stream_id=stream_id) for make in (chat, viewers, reading, transaction)
            ]
            entry = make_entry(START + timedelta(days=2, seconds=minute), events)
            await flow.commit(shard.apply(make_batch([entry])))
        await connection.execute("DELETE FROM source_offsets")
        await connection.execute(
            "INSERT INTO late_events VALUES ($1, $2, 'chat', 1, 1)", stream_id, START
        )
    await find(flow, make_moment(), make_moment(2, stream_id=OTHER), shard=5)
    await change(client, "acknowledge")
    await client.patch(f"{MOMENTS}/mom_{2:020x}", json={"comment": "stays"})


async def test_every_table_that_names_a_stream_is_emptied_of_it(connection: asyncpg.Connection):
    rows = await connection.fetch(
        "SELECT table_name FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        " AND column_name = 'stream_id'"
        # A session goes on looking at a stream that may come back.
        " AND table_name <> 'session_streams'"
    )
    assert {row[0] for row in rows} == {*AT_ONCE, *BY_CHUNK}
    times = await connection.fetch(
        "SELECT hypertable_name, column_name FROM timescaledb_information.dimensions"
    )
    assert {tuple(row) for row in times} == {
        *BY_CHUNK.items(),
        ("moments", "timestamp"),
        # The log of a device is cleared on purpose only.
        ("device_log", "timestamp"),
    }


@pytest.mark.usefixtures("filled")
async def test_a_stream_goes_with_all_it_owns_and_no_other_row_does(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    before, others = [await count_rows(connection, name) for name in (STREAM, OTHER)]
    assert 0 not in before.values(), before
    answer = await client.delete(ONE)
    assert (answer.status_code, answer.json()) == (
        200,
        {"id": STREAM, "complete": True, "rows": before},
    )
    assert set((await count_rows(connection, STREAM)).values()) == {0}
    assert await count_rows(connection, OTHER) == others
    entry = (await list_audit(connection))[-1]
    assert (entry["action"], entry["target"], entry["after"]) == ("stream.delete", STREAM, None)
    assert entry["before"]["stream_id"] == STREAM
    read_problem(await client.delete(ONE), 404, "not_found")
    read_problem(await client.get(f"{MOMENTS}/mom_{1:020x}"), 404, "not_found")


@pytest.mark.usefixtures("filled")
async def test_lists_and_live_clients_see_it_go_at_once(
    settings: Settings, client: httpx.AsyncClient, redis_client: redis.asyncio.Redis
):
    elsewhere = build_app(settings)
    assert len((await read(client, STREAMS))["data"]) == 2
    assert len((await read(client, MOMENTS))["data"]) == 2
    await redis_client.set(latest_of_stream(STREAM), orjson.dumps({"type": "metrics"}))
    async with serving(elsewhere) as address, follow(address, f"/ws/live/{STREAM}") as socket:
        assert (await client.delete(ONE)).status_code == 200
        told = await receive_kind(socket, "stream")
        assert (told["stream_id"], told["data"]) == (STREAM, {"state": "deleted"})
    assert [s["id"] for s in (await read(client, STREAMS))["data"]] == [OTHER]
    assert [m["stream_id"] for m in (await read(client, MOMENTS))["data"]] == [OTHER]
    read_problem(await client.get(ONE), 404, "not_found")
    assert await redis_client.get(latest_of_stream(STREAM)) is None
    assert not [m for m in await redis_client.zrange(PRESENCES, 0, -1) if STREAM.encode() in m]


@pytest.mark.usefixtures("filled")
async def test_what_is_too_much_for_one_call_goes_with_the_next(connection: asyncpg.Connection):
    ticks = itertools.count(0.0, CALL_S_MAX / 3)
    deleted = await DeletionStore(connection, lambda: next(ticks)).delete(STREAM, actor=ACTOR)
    assert not deleted.is_complete
    left = await count_rows(connection, STREAM)
    assert (left["streams"], left["moments"]) == (0, 0)
    assert sum(left.values()) > 0
    assert (await DeletionStore(connection).delete(STREAM, actor=ACTOR)).is_complete
    assert set((await count_rows(connection, STREAM)).values()) == {0}
    actions = [row["action"] for row in await list_audit(connection)]
    assert actions.count("stream.delete") == 2


@pytest.mark.usefixtures("filled")
async def test_what_the_flow_still_adds_makes_it_appear_anew_and_can_be_deleted_again(
    client: httpx.AsyncClient, flow: Flow
):
    await client.delete(ONE)
    await find(flow, make_moment(revision=9), shard=5)
    assert (await read(client, ONE))["title"] is None
    told = await read(client, f"{MOMENTS}/mom_{1:020x}")
    assert (told["state"], told["life"]) == ("open", [])
    assert (await client.delete(ONE)).json()["rows"]["moments"] == 1


async def test_only_admins_delete_and_what_is_unknown_is_said_to_be(
    app: FastAPI, client: httpx.AsyncClient, connection: asyncpg.Connection
):
    read_problem(await client.delete(f"{STREAMS}/nobody"), 404, "not_found")
    read_problem(await client.delete(f"{STREAMS}/a%20b"), 422, "invalid")
    _, operator = await give_key(app, connection, "operate", "read", "ingest")
    _, admin = await give_key(app, connection, "admin")
    path = f"{STREAMS}/mine"
    assert (await client.put(path, json={"title": "A"}, headers=operator)).status_code == 200
    read_problem(await client.delete(path, headers=operator), 403, "forbidden")
    assert (await client.delete(path, headers=admin)).status_code == 200


async def test_naming_a_stream_is_written_down_when_it_changes_something(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    for title in ("A", "A", "B"):
        assert (await client.put(ONE, json={"title": title})).status_code == 200
    entries = await list_audit(connection)
    assert [(row["action"], row["target"]) for row in entries] == [("stream.put", STREAM)] * 2
    assert [row["before"] and row["before"]["title"] for row in entries] == [None, "A"]
    assert [row["after"]["title"] for row in entries] == ["A", "B"]


async def test_without_the_database_nothing_is_deleted(
    client: httpx.AsyncClient, connection: asyncpg.Connection, settings: Settings
):
    await client.put(ONE, json={"title": "A"})
    async with connection.transaction():
        await connection.execute("LOCK TABLE streams IN ACCESS EXCLUSIVE MODE")
        read_problem(await client.delete(ONE, timeout=60), 503, "database_away")
    assert settings.db_statement_timeout_ms < 60_000
    assert (await read(client, ONE))["title"] == "A"
