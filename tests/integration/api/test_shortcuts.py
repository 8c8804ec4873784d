"""Shortcuts: whoever asks what was asked before gets what the route would send, to the byte.

Each request goes to two applications over the same services. One takes shortcuts; the other
hears of no touches, so nothing is at hand there and every request takes the way to its route.
"""

import random
from collections.abc import AsyncIterator
from typing import Any, Final

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY
from starlette.types import Receive, Scope, Send

from api.app import build_app
from api.cache import touches
from core.settings import Settings
from db.api_keys import KeyStore
from tests.fixtures.api_keys import ACTOR, make_key
from tests.fixtures.apis import calling
from tests.fixtures.waiting import eventually
from tests.integration.api.conftest import wait_until_heard
from tests.integration.api.paths import CACHED, COMPARE, METRICS, ONE, STREAMS
from tests.integration.api.problems import read_problem

ORIGIN: Final = "https://page.example"
COMPARISON: Final = f"{COMPARE}?series=northlight/chat_count"
ROUTE: Final = "/api/v1/streams/{stream_id}/metrics"

PATHS: Final = (
    *CACHED,
    f"{METRICS}?limit=3",
    f"{METRICS}?limit=3&resolution=5m",
    f"{METRICS}?format=csv",
    f"{METRICS}?limit=0",
    f"{METRICS}?unknown=1",
    f"{METRICS}/",
    "/api/v1/streams/north%6Cight/metrics",
    "/api/v1/streams/nobody/metrics",
    "/api/v1/streams/zz_other",
    COMPARISON,
    COMPARISON,
)
ACCEPTS: Final = (None, "*/*", "application/json", "text/csv", "text/html, text/csv;q=0.5")
METHODS: Final = ("GET",) * 9 + ("HEAD", "POST", "OPTIONS")
TAGS: Final = (None, "known", 'W/"other", known', "*", '"other"')
CALLERS: Final = ("reader",) * 3 + ("north",) * 3 + ("south", "sender", "nobody")
REQUESTS: Final = 400

UNLIKE: Final = frozenset({"x-request-id", "ratelimit"})
"""Headers whose values are others with each request, and which both must have."""


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """An application with everything on that adds headers."""
    more = {"cors_origins": [ORIGIN], "rate_limit_per_minute": 1_000_000}
    return build_app(settings.model_copy(update=more))


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application that takes shortcuts."""
    async with calling(app) as client:
        yield client


@pytest.fixture
async def callers(
    app: FastAPI, connection: asyncpg.Connection, filled: None
) -> dict[str, dict[str, str]]:
    """The headers of all who ask; made after the events, which came without a key."""
    del filled
    shown = {
        "reader": (await make_key(connection, "read"))[1],
        "north": (await make_key(connection, "read", streams=["north*"]))[1],
        "south": (await make_key(connection, "read", streams=["south*"]))[1],
        "sender": (await make_key(connection, "ingest"))[1],
        "nobody": {},
    }
    await app.state.resources.ring.refresh()
    return shown


@pytest.fixture
async def thorough(
    app: FastAPI, callers: dict[str, dict[str, str]]
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that takes none, and knows the same keys."""
    del callers
    twin = build_app(app.state.resources.settings)
    async with calling(twin) as other:
        await twin.state.resources.listener.stop()
        await eventually(lambda: not twin.state.resources.listener.touches.is_trusted)
        yield other


@pytest.fixture
def ways(app: FastAPI) -> list[str]:
    """The paths that went all the way to the routes."""
    gone: list[str] = []
    go_on = app.router.middleware_stack

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            gone.append(scope["path"])
        await go_on(scope, receive, send)

    app.router.middleware_stack = note
    return gone


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is at hand is trusted, however long this process pauses on a busy machine."""
    monkeypatch.setattr(touches, "TRUSTED_S_MAX", 60.0)


def look_at(answer: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return all of an answer that must be the same."""
    headers = [
        (name, "" if name in UNLIKE else value) for name, value in answer.headers.multi_items()
    ]
    body = answer.content
    if answer.headers.get("Content-Type") == "application/problem+json":
        body = body.replace(answer.headers["X-Request-ID"].encode(), b"")
    return answer.status_code, headers, body


def draw_request(rng: random.Random, tag: str) -> tuple[str, str, str, dict[str, str]]:
    """Return a caller, a method, a path and headers."""
    headers = {"Origin": ORIGIN} if rng.random() < 0.3 else {}
    accept, known = rng.choice(ACCEPTS), rng.choice(TAGS)
    headers |= {} if accept is None else {"Accept": accept}
    headers |= {} if known is None else {"If-None-Match": known.replace("known", tag)}
    return rng.choice(CALLERS), rng.choice(METHODS), rng.choice(PATHS), headers


async def test_a_shortcut_leads_to_what_the_route_would_have_sent(
    client: httpx.AsyncClient,
    thorough: httpx.AsyncClient,
    ways: list[str],
    callers: dict[str, dict[str, str]],
):
    rng = random.Random(7)
    tag = (await client.get(METRICS, headers=callers["reader"])).headers["ETag"]
    short = 0
    for _ in range(REQUESTS):
        who, method, path, headers = draw_request(rng, tag)
        asked: dict[str, Any] = {"headers": headers | callers[who]}
        expected = look_at(await thorough.request(method, path, **asked))
        for _ in range(2):
            gone = len(ways)
            assert look_at(await client.request(method, path, **asked)) == expected, (path, asked)
            short += expected[0] in {200, 304} and len(ways) == gone
    # Otherwise nothing was compared with anything.
    assert short > REQUESTS / 4
    assert COMPARE in ways


@pytest.mark.usefixtures("filled", "trusting")
async def test_who_takes_a_shortcut_is_counted_under_the_route(
    client: httpx.AsyncClient, ways: list[str]
):
    def count(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(f"telemetra_{name}", labels) or 0

    def count_all() -> list[float]:
        return [
            count("requests_served_total", route=ROUTE, method="GET", status="200"),
            count("requests_duration_seconds_count", route=ROUTE),
            count("cache_reads_total", noun="stream", result="memory"),
        ]

    await client.get(METRICS)
    before, gone = count_all(), len(ways)
    await client.get(METRICS)
    assert [after - known for after, known in zip(count_all(), before, strict=True)] == [1, 1, 1]
    assert len(ways) == gone


@pytest.mark.usefixtures("filled", "trusting")
async def test_a_shortcut_is_no_way_round_the_door(
    app: FastAPI, client: httpx.AsyncClient, ways: list[str], connection: asyncpg.Connection
):
    key_id, headers = await make_key(connection, "read")
    await app.state.resources.ring.refresh()
    for _ in range(2):
        assert (await client.get(METRICS, headers=headers)).status_code == 200
    assert ways == [METRICS]
    await KeyStore(connection).revoke(key_id, actor=ACTOR)
    await app.state.resources.ring.refresh()
    read_problem(await client.get(METRICS, headers=headers), 401, "unauthorized")
    assert ways == [METRICS]


@pytest.mark.usefixtures("filled", "trusting")
async def test_a_shortcut_ends_where_the_answer_is_old(
    app: FastAPI, client: httpx.AsyncClient, ways: list[str]
):
    for title in ("First", "Second"):
        assert (await client.put(ONE, json={"title": title})).status_code == 200
        await wait_until_heard(app)
        ways.clear()
        assert [(await client.get(ONE)).json()["title"] for _ in range(2)] == [title] * 2
        assert [(await client.get(STREAMS)).json()["data"][0]["title"] for _ in range(2)] == [
            title
        ] * 2
        assert ways == [ONE, STREAMS]
