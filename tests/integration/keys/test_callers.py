"""Callers: keys in headers, right and wrong, at a door that is open until the first key exists."""

from datetime import timedelta
from functools import partial

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from api.app import build_app
from api.keys.rings import KNOWN_FOR, NOTE_USES_EVERY
from core.clock import ManualClock, SystemClock
from core.keys import make_secret
from core.settings import Settings
from db.api_keys import KeyStore
from tests.fixtures.api_keys import ACTOR, make_key
from tests.fixtures.apis import calling
from tests.fixtures.databases import execute
from tests.fixtures.events import chat, write_event
from tests.fixtures.settings import make_settings
from tests.fixtures.waiting import eventually
from tests.integration.api.paths import INGEST, STREAMS
from tests.integration.api.problems import read_problem

HEALTH = "/api/v1/health"

GARBAGE = [
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": "Bearer tk_"},
    {"Authorization": "Bearer " + make_secret().text},
    {"Authorization": "Bearer " + "x" * 10_000},
    {"Authorization": "Basic dXNlcjpwYXNz"},
    {"X-API-Key": ""},
    {"X-API-Key": "é".encode()},
    {"X-API-Key": b"\xff\xfe"},
    {"X-API-Key": make_secret().text},
    {"Cookie": "key=tk_1"},
]


def text_of(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


async def test_without_any_key_everything_is_open_and_health_says_so(client: httpx.AsyncClient):
    assert (await client.get(STREAMS)).status_code == 200
    assert (await client.get(HEALTH)).json()["keys"] == "open"


async def test_of_two_keys_in_one_request_the_first_is_asked(
    app: FastAPI, client: httpx.AsyncClient, connection: asyncpg.Connection
):
    _, good = await make_key(connection, "read")
    await app.state.resources.ring.refresh()
    shown = [("Authorization", good["Authorization"]), ("Authorization", "Bearer tk_no")]
    for _ in range(2):
        assert (await client.get(STREAMS, headers=shown)).status_code == 200
        assert (await client.get(STREAMS, headers=shown[::-1])).status_code == 401


async def test_the_first_key_closes_the_door(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    _, headers = await make_key(connection, "read")

    async def ask() -> int:
        return (await client.get(STREAMS)).status_code

    await eventually(ask, holds=lambda status: status == 401)
    assert (await client.get(HEALTH)).json()["keys"] == "required"
    assert (await client.get(STREAMS, headers=headers)).status_code == 200


async def test_the_door_stays_shut_when_the_last_key_is_gone(
    settings: Settings, connection: asyncpg.Connection
):
    key_id, _ = await make_key(connection, "admin")
    await KeyStore(connection).revoke(key_id, actor=ACTOR)
    async with calling(build_app(settings)) as client:
        read_problem(await client.get(STREAMS), 401, "unauthorized")


async def test_a_key_comes_in_either_header(app: FastAPI, connection: asyncpg.Connection):
    _, headers = await make_key(connection, "read")
    text = text_of(headers)
    async with calling(app) as client:
        for shown in (
            {"Authorization": f"Bearer {text}"},
            {"authorization": f"bearer  {text}"},
            {"Authorization": f"Token {text}"},
            {"X-API-Key": text},
            {"X-API-Key": text, "Authorization": "Basic dXNlcjpwYXNz"},
        ):
            assert (await client.get(STREAMS, headers=shown)).status_code == 200, shown


async def test_garbage_is_refused_with_one_and_the_same_text(
    app: FastAPI, connection: asyncpg.Connection
):
    _, headers = await make_key(connection, "read")
    right = text_of(headers)
    # The prefix of a key that exists, with another secret.
    near = {"Authorization": f"Bearer {right[:-2]}{'aa' if right[-2:] != 'aa' else 'bb'}"}
    texts = set()
    async with calling(app) as client:
        for shown in [*GARBAGE, near, {}]:
            answer = await client.get(STREAMS, headers=shown)  # type: ignore[arg-type]
            document = read_problem(answer, 401, "unauthorized")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
            texts.add(document["detail"])
    assert len(texts) == 1


async def test_a_key_in_the_query_is_no_key(app: FastAPI, connection: asyncpg.Connection):
    _, headers = await make_key(connection, "read")
    async with calling(app) as client:
        for name in ("ticket", "key", "api_key", "access_token"):
            answer = await client.get(f"{STREAMS}?{name}={text_of(headers)}")
            assert answer.status_code == 401


async def test_a_lacking_scope_is_forbidden_and_named(app: FastAPI, connection: asyncpg.Connection):
    _, headers = await make_key(connection, "read")
    async with calling(app) as client:
        answer = await client.post(INGEST, json=[], headers=headers)
    assert "ingest" in read_problem(answer, 403, "forbidden")["detail"]


async def test_rows_of_streams_out_of_reach_are_named_and_the_others_taken(
    app: FastAPI, connection: asyncpg.Connection
):
    _, headers = await make_key(connection, "ingest", streams=["north*"])
    events = [
        {"stream_id": name, "type": "viewers", "value": 1}
        for name in ("south", "northlight", "south", "north")
    ]
    async with calling(app) as client:
        answer = await client.post(
            INGEST, json=[*events, {"type": "viewers", "value": 1}], headers=headers
        )
    receipt = answer.json()
    assert (answer.status_code, receipt["accepted"], receipt["rejected"]) == (202, 2, 3)
    assert [error["index"] for error in receipt["errors"]] == [0, 2, 4]
    assert "does not reach" in receipt["errors"][0]["reason"]
    assert "does not reach" not in receipt["errors"][2]["reason"]


async def test_a_key_ends_by_the_clock(settings: Settings, connection: asyncpg.Connection):
    now = await connection.fetchval("SELECT now()")
    _, headers = await make_key(connection, "read", expires_at=now + timedelta(minutes=1))
    clock = ManualClock(now)
    async with calling(build_app(settings, clock)) as client:
        assert (await client.get(STREAMS, headers=headers)).status_code == 200
        clock.advance(timedelta(minutes=1))
        read_problem(await client.get(STREAMS, headers=headers), 401, "unauthorized")


async def test_when_a_key_was_last_used_is_noted_once_a_minute(
    settings: Settings, connection: asyncpg.Connection
):
    key_id, headers = await make_key(connection, "read")
    clock = ManualClock(await connection.fetchval("SELECT now()"))

    async def read_used() -> object:
        return (await KeyStore(connection).get(key_id))["last_used_at"]

    async with calling(build_app(settings, clock)) as client:
        await client.get(STREAMS, headers=headers)
        used_at = clock.now()
        assert await read_used() is None
        clock.advance(NOTE_USES_EVERY)
        assert await eventually(read_used) == used_at


async def test_known_keys_stay_good_for_a_while_without_a_database(
    settings: Settings, connection: asyncpg.Connection, server_url: str
):
    _, headers = await make_key(connection, "ingest")
    clock = ManualClock(await connection.fetchval("SELECT now()"))
    app = build_app(settings, clock)
    event = {"stream_id": "a", "type": "viewers", "value": 1}
    async with calling(app) as client:
        name = await connection.fetchval("SELECT current_database()")
        await execute(server_url, f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        clock.advance(KNOWN_FOR - timedelta(seconds=1))
        assert (await client.post(INGEST, json=event, headers=headers)).status_code == 202
        assert (await client.post(INGEST, json=event)).status_code == 401
        clock.advance(timedelta(seconds=1))
        answer = await client.post(INGEST, json=event, headers=headers)
        read_problem(answer, 503, "database_away")
        await execute(server_url, f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")

        async def ask() -> int:
            return (await client.post(INGEST, json=event, headers=headers)).status_code

        await eventually(ask, holds=lambda status: status == 202)


async def test_nobody_comes_in_while_nobody_knows_the_keys(redis_url: str, dead_database_url: str):
    settings = make_settings(database_url=dead_database_url, redis_url=redis_url)
    async with calling(build_app(settings)) as client:
        read_problem(await client.get(STREAMS), 503, "database_away")
        assert (await client.get("/livez")).status_code == 200


async def test_a_database_without_tables_is_no_open_door(
    settings: Settings, empty_database_url: str
):
    bare = settings.model_copy(update={"database_url": empty_database_url})
    async with calling(build_app(bare)) as client:
        read_problem(await client.get(STREAMS), 503, "database_away")


@pytest.mark.parametrize(
    ("chosen", "status"),
    [
        ({}, 200),
        ({"api_keys": "required"}, 401),
        ({"api_host": "192.168.1.7"}, 401),
        ({"api_host": "192.168.1.7", "api_open": True}, 200),
        ({"api_host": "192.168.1.7", "api_open": True, "api_keys": "required"}, 401),
        ({"api_host": "192.168.1.7", "api_keys": "off"}, 200),
    ],
)
async def test_before_the_first_key_the_settings_decide(
    settings: Settings, chosen: dict[str, object], status: int
):
    async with calling(build_app(settings.model_copy(update=chosen))) as client:
        assert (await client.get(STREAMS)).status_code == status


async def test_with_keys_switched_off_nobody_is_asked(
    settings: Settings, connection: asyncpg.Connection
):
    await make_key(connection, "read")
    async with calling(build_app(settings.model_copy(update={"api_keys": "off"}))) as client:
        assert (await client.get(STREAMS)).status_code == 200
        assert (await client.get(HEALTH)).json()["keys"] == "open"


async def test_two_senders_may_name_their_batches_alike(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    for number in range(2):
        _, headers = await make_key(connection, "ingest")
        headers["Idempotency-Key"] = "batch 1"
        send = partial(
            client.post,
            INGEST,
            json=[write_event(chat(SystemClock().now(), text=f"from {number}"))],
            headers=headers,
        )
        # A key is known half a second after it was made.
        await eventually(send, holds=lambda answer: answer.status_code == 202)
