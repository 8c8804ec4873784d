"""Problems: every refusal is a problem document that says what to do and gives nothing away."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from api.app import build_app
from api.paging import write_cursor
from core.settings import Settings
from tests.fixtures.apis import calling
from tests.fixtures.settings import make_settings
from tests.integration.api.paths import (
    CACHED,
    INGEST,
    METRICS,
    MOMENTS,
    OF_A_STREAM,
    ONE,
    STREAM_MOMENTS,
    STREAMS,
)
from tests.integration.api.problems import list_fields, read_problem

KEYS: Final = "/api/v1/keys"

BAD_VALUES: Final[list[tuple[str, str, str]]] = [
    (METRICS, "limit=0", "limit"),
    (METRICS, "limit=1001", "limit"),
    (METRICS, "limit=ten", "limit"),
    (METRICS, "start=yesterday", "start"),
    (METRICS, "end=0001-01-01T00:00:00%2B23:59", "end"),
    (METRICS, "resolution=7m", "resolution"),
    (METRICS, "colour=red", "colour"),
    (METRICS, f"cursor={'x' * 201}", "cursor"),
    (STREAMS, "limit=501", "limit"),
    (STREAMS, "offset=-1", "offset"),
    (STREAMS, "live=perhaps", "live"),
    (STREAMS, "q=%00", "q"),
    (STREAMS, "kind=%00", "kind"),
    (STREAM_MOMENTS, "limit=201", "limit"),
    (MOMENTS, "type=earthquake", "type"),
    (MOMENTS, "state=forgotten", "state"),
    (MOMENTS, "min_score=nan", "min_score"),
    (f"{STREAMS}/a%20b", "", "stream_id"),
    (f"{STREAMS}/{'a' * 129}/metrics", "", "stream_id"),
    (f"{ONE}/channels/a%00b/metrics", "", "channel"),
]

NONSENSE: Final[list[tuple[str, str]]] = [
    (METRICS, "cursor=!!!"),
    (METRICS, f"cursor={write_cursor('2026-01-26T10:00:00Z|7m')}"),
    (MOMENTS, "cursor=AAAA"),
    (METRICS, "start=2026-01-26T11:00:00Z&end=2026-01-26T10:00:00Z"),
    (STREAMS, "q=%00"),
    (STREAMS, "kind=%00"),
    (STREAMS, "cursor=AAAA"),
]

BAD_NAMES: Final = [
    '{"title": 5}',
    '{"kind": "With Space"}',
    '{"colour": "red"}',
    '{"title": "a\\u0000b"}',
    '{"metadata": {"a": "\\u0000"}}',
    "[]",
    "nonsense",
    "",
]


@pytest.mark.parametrize("path", OF_A_STREAM)
async def test_an_unknown_stream_is_not_found(client: httpx.AsyncClient, path: str):
    document = read_problem(await client.get(path), 404, "not_found")
    assert "northlight" in document["detail"]


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/nothing", "/api/v1/streams/a/b/c"])
async def test_an_unknown_path_is_not_found(client: httpx.AsyncClient, path: str):
    assert path in read_problem(await client.get(path), 404, "not_found")["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("DELETE", METRICS, {"GET"}), ("GET", INGEST, {"POST"}), ("PATCH", KEYS, {"GET", "POST"})],
)
async def test_a_method_that_a_path_does_not_have_is_not_allowed_and_the_others_are_named(
    client: httpx.AsyncClient, method: str, path: str, allowed: set[str]
):
    answer = await client.request(method, path)
    read_problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == allowed


async def test_a_body_that_is_no_text_is_a_bad_request(client: httpx.AsyncClient):
    answer = await client.put(ONE, content=b"\xff{", headers={"Content-Type": "application/json"})
    assert "UTF-8" in read_problem(answer, 400, "bad_request")["detail"]


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
async def test_a_number_is_a_time_of_any_size_in_a_body_too(client: httpx.AsyncClient, unit: int):
    key = {"name": "a", "scopes": ["admin"], "expires_at": 4_000_000_000 * unit}
    answer = await client.post(KEYS, json=key)
    assert answer.json()["expires_at"] == "2096-10-02T07:06:40Z"


async def test_a_value_that_is_not_allowed_names_its_field(client: httpx.AsyncClient):
    for path, query, field in BAD_VALUES:
        document = read_problem(await client.get(f"{path}?{query}"), 422, "invalid")
        assert list_fields(document) == {field}, query
        assert field in document["detail"]


async def test_a_query_that_makes_no_sense_is_invalid(client: httpx.AsyncClient):
    for path, query in NONSENSE:
        read_problem(await client.get(f"{path}?{query}"), 422, "invalid")


async def test_a_bad_name_for_a_stream_is_invalid(client: httpx.AsyncClient):
    for body in BAD_NAMES:
        answer = await client.put(ONE, content=body, headers={"Content-Type": "application/json"})
        read_problem(answer, 422, "invalid")
    read_problem(await client.get(ONE), 404, "not_found")


@pytest.fixture
async def without_database(
    redis_url: str, dead_database_url: str
) -> AsyncIterator[httpx.AsyncClient]:
    """An API whose database does not run."""
    settings = make_settings(database_url=dead_database_url, redis_url=redis_url, api_keys="off")
    async with calling(build_app(settings)) as client:
        yield client


async def test_a_database_that_is_away_is_said_to_be(without_database: httpx.AsyncClient):
    for path in CACHED:
        answer = await without_database.get(path)
        read_problem(answer, 503, "database_away")
        assert int(answer.headers["Retry-After"]) >= 1


async def test_events_are_accepted_while_the_database_is_away(
    without_database: httpx.AsyncClient,
):
    event = {"stream_id": "a", "type": "viewers", "value": 1}
    answer = await without_database.post(INGEST, json=event)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)


@pytest.mark.usefixtures("filled")
async def test_without_redis_reads_are_answered_and_events_refused(
    settings: Settings, dead_redis_url: str
):
    app = build_app(settings.model_copy(update={"redis_url": dead_redis_url}))
    async with calling(app) as client:
        for path in CACHED:
            answer = await client.get(path)
            assert answer.status_code == 200, path
        assert len((await client.get(METRICS)).json()["data"]) == 21
        event = {"stream_id": "a", "type": "viewers", "value": 1}
        refused = await client.post(INGEST, json=event)
        read_problem(refused, 503, "bus_away")
        assert int(refused.headers["Retry-After"]) >= 1


async def test_a_crash_tells_only_the_request_id_which_the_log_knows(app: FastAPI):
    @app.get("/crash")
    async def crash() -> None:
        message = "secret-word"
        raise RuntimeError(message)

    with capture_logs() as lines:
        async with calling(app) as client:
            answer = await client.get("/crash")
    document = read_problem(answer, 500, "internal")
    assert answer.headers["X-Request-ID"] == document["request_id"]
    (line,) = [line for line in lines if line["event"] == "request_crashed"]
    assert line["request_id"] == document["request_id"]


async def test_requests_that_come_first_and_together_share_one_pool(
    settings: Settings, connection: asyncpg.Connection
):
    app = build_app(settings.model_copy(update={"db_pool_max_size": 3, "db_pool_min_size": 3}))
    async with calling(app) as client:
        answers = await asyncio.gather(*(client.get(f"{STREAMS}?q={n}") for n in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        count = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name = 'telemetra-api' AND datname = current_database()"
        )
    assert count == 3


@pytest.mark.parametrize("given", ["abc-123", "x" * 64])
async def test_a_request_id_is_sent_back(client: httpx.AsyncClient, given: str):
    answer = await client.get("/nothing", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] == given
    assert answer.json()["request_id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a\tb", "é"])
async def test_a_request_id_that_is_not_safe_is_replaced(client: httpx.AsyncClient, given: str):
    answer = await client.get("/health", headers={b"X-Request-ID": given.encode("latin-1")})
    assert answer.headers["X-Request-ID"].startswith("req_")


async def test_requests_are_counted_by_route_not_by_path(client: httpx.AsyncClient):
    for name in ("a", "b"):
        await client.get(f"{STREAMS}/{name}/metrics")
    told = (await client.get("/metrics")).text
    assert '/streams/{stream_id}/metrics"' in told
    assert "/streams/a/" not in told
