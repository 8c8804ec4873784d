"""Telemetry of sessions: points go the way of all events, and who sends one can read it at once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
import redis.asyncio
from fastapi import FastAPI

from api.app import build_app
from api.session_telemetry import written
from api.session_telemetry.schemas import PointOut, PointPage
from api.session_telemetry.written import Written, written_by_session
from core.clock import SystemClock
from core.settings import Settings
from core.tasks import end
from db.pool import Pool
from tests.fixtures.api_keys import make_key
from tests.fixtures.apis import calling
from tests.fixtures.events import reading
from tests.fixtures.flows import Flow
from tests.fixtures.redises import count_entries
from tests.fixtures.waiting import eventually
from tests.integration.api.conftest import Send
from tests.integration.api.problems import list_fields, read_problem

SESSIONS = "/api/v1/sessions"
NOW = SystemClock().now().replace(microsecond=0) - timedelta(hours=1)


def point(seconds: float = 0, channel: str = "temp", value: Any = 1.0, **more: Any) -> Any:
    at = (NOW + timedelta(seconds=seconds)).isoformat()
    return {"timestamp": at, "channel": channel, "value": value, **more}


async def create(client: httpx.AsyncClient, *streams: str) -> str:
    made = await client.post(SESSIONS, json={"name": "x", "stream_ids": [*streams]})
    return f"{SESSIONS}/{made.json()['id']}/telemetry"


@asynccontextmanager
async def flowing(flow: Flow) -> AsyncIterator[None]:
    """Let the flow commit a little after events come, as it does."""

    async def pump() -> None:
        while True:
            await asyncio.sleep(0.1)
            await flow.pump()

    task = asyncio.create_task(pump())
    try:
        yield
    finally:
        await end(task)


async def test_who_writes_a_point_and_reads_at_once_reads_it(
    client: httpx.AsyncClient, flow: Flow, monkeypatch: pytest.MonkeyPatch
):
    # However long a busy machine takes to commit.
    monkeypatch.setattr(written, "WAIT_S_MAX", 60.0)
    path = await create(client)
    async with flowing(flow):
        for number in range(3):
            sent = await client.post(path, json=point(number, value=number, unit="V"))
            assert sent.status_code == 201, sent.text
            PointOut.model_validate(sent.json())
            latest = await client.get(f"{path}/latest", params={"channel": "temp"})
            assert latest.json() == sent.json()
        listed = (await client.get(path)).json()
        PointPage.model_validate(listed)
        assert [row["value"] for row in listed["data"]] == [2.0, 1.0, 0.0]
        assert (await client.get(f"{path}/channels")).json() == {"channels": ["temp"]}


async def test_points_that_come_together_are_one_entry_and_each_is_told_its_own(
    client: httpx.AsyncClient, flow: Flow, redis_client: redis.asyncio.Redis
):
    path, other = await create(client), await create(client)
    unknown = f"{SESSIONS}/sess_00000000/telemetry"
    told = await asyncio.gather(
        *(client.post(path, json=point(n, value=n, unit="°C")) for n in range(8)),
        client.post(path, json=point(value=3.5) | {"timestamp": "1970-01-01T00:00:00Z"}),
        client.post(other, json=point(value=7)),
        client.post(unknown, json=point()),
    )
    assert [answer.status_code for answer in told] == [201] * 8 + [422, 201, 404]
    assert [answer.json()["value"] for answer in told[:8]] == [float(n) for n in range(8)]
    assert 0 < await count_entries(redis_client) < 9
    assert await flow.pump() == 9
    rows = (await client.get(path)).json()["data"]
    assert rows == [answer.json() for answer in reversed(told[:8])]
    assert [row["value"] for row in (await client.get(other)).json()["data"]] == [7.0]


async def test_the_newest_point_is_at_hand_until_something_newer_is_written(
    client: httpx.AsyncClient, flow: Flow, connection: asyncpg.Connection
):
    path = await create(client)
    latest = f"{path}/latest?channel=temp"
    await client.post(path, json=point(value=1))
    await flow.pump()
    first = await client.get(latest)
    assert first.json()["value"] == 1.0
    again = await client.get(latest, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    # Nobody said that something changed, and so nobody looks.
    await connection.execute("UPDATE readings SET value = 5")
    assert (await client.get(latest)).json()["value"] == 1.0
    async with flowing(flow):
        await client.post(path, json=point(1, value=2))
        assert (await client.get(latest)).json()["value"] == 2.0
    # Through another door nothing is noted, and the commit alone says it.
    stream = {"stream_id": path.split("/")[4], "type": "reading"}
    await client.post("/api/v1/ingest", json=point(2, value=3) | stream)
    await flow.pump()

    async def is_shown() -> bool:
        return bool((await client.get(latest)).json()["value"] == 3.0)

    await eventually(is_shown)


async def test_a_key_that_does_not_reach_a_session_reads_nothing_that_is_at_hand(
    app: FastAPI, flow: Flow, connection: asyncpg.Connection
):
    _, admin = await make_key(connection, "admin")
    _, limited = await make_key(connection, "read", streams=["other"])
    async with calling(app) as client:
        client.headers.update(admin)
        path = await create(client, "bench")
        await client.post(path, json=point())
        await flow.pump()
        latest = f"{path}/latest?channel=temp"
        assert (await client.get(latest)).status_code == 200
        read_problem(await client.get(latest, headers=limited), 404, "not_found")
        assert (await client.get(latest)).status_code == 200


async def test_what_is_noted_of_a_write_stays_out_of_the_file_of_redis(
    settings: Settings, redis_client: redis.asyncio.Redis
):
    async def measure_file() -> int:
        return int((await redis_client.info("persistence"))["aof_current_size"])

    pool = Pool(settings)
    written = Written(redis_client, pool)
    # The script itself is loaded, and whatever came before is in the file.
    await written.note("sess_1", {3: 7})
    before = await measure_file()
    await asyncio.gather(*(written.note("sess_1", {3: offset}) for offset in (9, 1000, 10)))
    assert await redis_client.hgetall(written_by_session("sess_1")) == {b"3": b"1000"}
    assert await measure_file() == before
    await redis_client.set("what is kept", "is in it")
    assert await measure_file() > before
    await pool.close()


async def test_a_point_is_a_reading_of_the_stream_of_the_session(
    client: httpx.AsyncClient, flow: Flow
):
    path = await create(client)
    await client.post(path, json=point(value=2.5))
    await flow.pump()
    stream = f"/api/v1/streams/{path.split('/')[4]}"
    (row,) = (await client.get(f"{stream}/readings")).json()["data"]
    assert (row["channel"], row["value"]) == ("temp", 2.5)
    (minute,) = (await client.get(f"{stream}/channels/temp/metrics")).json()["data"]
    assert (minute["count"], minute["last"]) == (1, 2.5)
    summary = (await client.get(path.replace("telemetry", "summary"))).json()
    (channel,) = summary["channels"]
    assert (channel["channel"], channel["count"], channel["mean"]) == ("temp", 1, 2.5)


async def test_without_a_flow_a_reader_waits_a_while_and_gets_what_there_is(
    client: httpx.AsyncClient,
):
    path = await create(client)
    assert (await client.post(path, json=point())).status_code == 201
    assert (await client.get(path)).json() == {"data": [], "next_cursor": None}
    read_problem(await client.get(f"{path}/latest", params={"channel": "temp"}), 404, "not_found")


async def test_a_batch_of_fifty_thousand_points_is_taken_whole(
    client: httpx.AsyncClient, flow: Flow
):
    path = await create(client)
    points = [point(n / 50, f"c{n % 7}", n * 0.5, unit="V") for n in range(50_000)]
    answer = await client.post(f"{path}/batch", json={"data": points})
    assert (answer.status_code, answer.json()) == (201, {"created": 50_000})
    assert await flow.pump() == 50_000
    assert len((await client.get(f"{path}/channels")).json()["channels"]) == 7
    rows = (await client.get(path, params={"channel": "c3", "limit": 10_000})).json()
    assert len(rows["data"]) == 50_000 // 7 + 1
    latest = (await client.get(f"{path}/latest", params={"channel": "c3"})).json()
    assert latest == rows["data"][0]


BODIES: list[Callable[[list[Any]], bytes]] = [
    lambda points: orjson.dumps({"data": points}),
    lambda points: orjson.dumps({"data": points}, option=orjson.OPT_INDENT_2) + b"\n",
    lambda points: orjson.dumps({"other": [1], "data": points, "more": {"data": []}}),
    lambda points: orjson.dumps(
        {"data": [{**each, "stream_id": "a", "type": "chat"} for each in points]}
    ),
]


@pytest.mark.parametrize("write", BODIES)
async def test_a_batch_counts_however_it_is_written(
    client: httpx.AsyncClient, flow: Flow, write: Callable[[list[Any]], bytes]
):
    path = await create(client)
    body = write([point(), point(1, "a.b", -2), point(2, value=1e-9, unit=None)])
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    for _ in range(2):
        answer = await client.post(f"{path}/batch", content=body, headers=headers)
        assert (answer.status_code, answer.json()) == (201, {"created": 3})
    assert await flow.pump() == 3
    assert (await client.get(f"{path}/channels")).json() == {"channels": ["a.b", "temp"]}


WRONG = [
    ({"timestamp": None}, "timestamp"),
    ({"timestamp": "soon"}, "timestamp"),
    ({"timestamp": 1}, "timestamp"),
    ({"channel": None}, "channel"),
    ({"channel": "a/b"}, "channel"),
    ({"channel": ""}, "channel"),
    ({"value": None}, "value"),
    ({"value": "1"}, "value"),
    ({"value": True}, "value"),
    ({"value": 1e101}, "value"),
    ({"unit": "\x00"}, "unit"),
    ({"unit": "V" * 4097}, "unit"),
    ({"unit": 5}, "unit"),
    ({"unit": {}}, "unit"),
    ({"channel": 7}, "channel"),
]


async def test_a_wrong_point_is_named_and_of_its_batch_nothing_is_taken(
    client: httpx.AsyncClient, flow: Flow
):
    path = await create(client)
    for given, field in WRONG:
        bad = point() | given
        answer = await client.post(f"{path}/batch", json={"data": [point(), bad, point()]})
        fields = list_fields(read_problem(answer, 422, "invalid"))
        assert fields == {f"data.1.{field}"}, given
        answer = await client.post(path, json=bad)
        fields = list_fields(read_problem(answer, 422, "invalid"))
        # When something was is a question of the clock, and not of how it is written.
        assert fields & {field, f"data.0.{field}"}, given
    for body, status in (
        (b"{}", 422),
        (b'{"data": 7}', 422),
        (b'{"data": [7]}', 422),
        (b"[]", 422),
        (b"null", 422),
        (b'{"data": [', 400),
        (b"", 400),
        (b"\xff", 400),
    ):
        headers = {"Content-Type": "application/json"}
        answer = await client.post(f"{path}/batch", content=body, headers=headers)
        assert answer.status_code == status, body
    empty = await client.post(f"{path}/batch", json={"data": []})
    assert (empty.status_code, empty.json()) == (201, {"created": 0})
    assert await flow.pump() == 0


async def test_more_points_than_may_come_at_once_are_refused_and_none_is_taken(
    settings: Settings, flow: Flow
):
    few = settings.model_copy(update={"session_batch_max_points": 10})
    async with calling(build_app(few)) as client:
        path = await create(client)
        points = [point(n) for n in range(11)]
        answer = await client.post(f"{path}/batch", json={"data": points})
        assert "nothing of it was taken" in read_problem(answer, 413, "too_large")["detail"]
        assert (await client.post(f"{path}/batch", json={"data": points[:10]})).status_code == 201
    assert await flow.pump() == 10


async def test_points_are_chosen_by_channel_and_time_page_by_page(
    client: httpx.AsyncClient, flow: Flow
):
    path = await create(client)
    points = [point(n, channel, n) for n in range(6) for channel in ("a", "b")]
    await client.post(f"{path}/batch", json={"data": points})
    await flow.pump()

    async def read(**query: Any) -> list[tuple[str, float]]:
        rows = (await client.get(path, params=query)).json()["data"]
        return [(row["channel"], row["value"]) for row in rows]

    start, stop = (NOW + timedelta(seconds=n) for n in (1, 3))
    assert await read(**{"channel": "a", "from": start.isoformat(), "to": stop.isoformat()}) == [
        ("a", 2.0),
        ("a", 1.0),
    ]
    assert await read(limit=3) == [("a", 5.0), ("b", 5.0), ("a", 4.0)]
    assert await read(channel="none") == []
    assert await read(channel="foreign/temp") == []
    seen: list[str] = []
    cursor = None
    while len(seen) < 20:
        query = {"limit": 5} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(path, params=query)).json()
        seen += [row["id"] for row in page["data"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert (len(seen), len(set(seen))) == (12, 12)
    for query in (
        {"limit": -1},
        {"limit": 0},
        {"limit": 10_001},
        {"cursor": "?"},
        {"channel": "a b"},
        {"from": stop.isoformat(), "to": start.isoformat()},
        {"when": "now"},
    ):
        read_problem(await client.get(path, params=query), 422, "invalid")
    read_problem(await client.get(f"{path}/latest"), 422, "invalid")


async def test_streams_that_are_looked_at_show_what_happened_meanwhile(
    client: httpx.AsyncClient, send: Send
):
    def told(at: datetime, value: float) -> Any:
        return reading(at, value, "load", stream_id="bench")

    now = SystemClock().now()
    await send(told(now - timedelta(minutes=5), 1.0))
    path = await create(client, "bench", "not-there-yet")
    during = SystemClock().now()
    await send(told(during, 2.0))
    session = path.rpartition("/")[0]
    await client.patch(session, json={"status": "ended"})
    await send(told(SystemClock().now(), 3.0))
    rows = (await client.get(path, params={"channel": "bench/load"})).json()["data"]
    assert [row["value"] for row in rows] == [2.0]
    assert [row["value"] for row in (await client.get(path)).json()["data"]] == [2.0]
    latest = (await client.get(f"{path}/latest", params={"channel": "bench/load"})).json()
    assert (latest["value"], latest["channel"]) == (2.0, "bench/load")
    assert (await client.get(f"{path}/channels")).json() == {"channels": ["bench/load"]}


async def test_without_redis_points_are_refused_and_the_rest_can_be_read(
    settings: Settings, client: httpx.AsyncClient, flow: Flow, dead_redis_url: str
):
    path = await create(client)
    await client.post(path, json=point())
    await flow.pump()
    lonely = settings.model_copy(update={"redis_url": dead_redis_url})
    async with calling(build_app(lonely)) as other:
        read_problem(await other.post(path, json=point(1)), 503, "bus_away")
        assert len((await other.get(path)).json()["data"]) == 1
        note = {"timestamp": NOW.isoformat(), "content": "still here"}
        session = path.rpartition("/")[0]
        written = await other.post(f"{session}/notes", json=note)
        assert written.status_code == 201
        assert written.json()["telemetry_snapshot"]["temp"]["value"] == 1.0
        assert (await other.patch(session, json={"status": "ended"})).status_code == 200


async def test_without_a_database_everything_says_so(
    settings: Settings, client: httpx.AsyncClient, connection: asyncpg.Connection, dead_port: int
):
    path = await create(client)
    session = path.rpartition("/")[0]
    gone = settings.model_copy(
        update={"database_url": f"postgresql://nobody@127.0.0.1:{dead_port}/none"}
    )
    del connection
    async with calling(build_app(gone)) as other:
        note = {"timestamp": NOW.isoformat(), "content": "x"}
        for answer in (
            await other.get(SESSIONS),
            await other.post(SESSIONS, json={"name": "x"}),
            await other.patch(session, json={"status": "ended"}),
            await other.post(f"{session}/notes", json=note),
            await other.get(f"{session}/notes/export"),
            await other.post(path, json=point()),
            await other.get(path),
        ):
            read_problem(answer, 503, "database_away")
