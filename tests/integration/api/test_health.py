"""Health: the truth about each part, and a door that stays shut to strangers."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import httpx
import orjson
import pytest
import redis.asyncio

from api.__main__ import refuse_open_doors
from api.app import build_app
from api.health.alerts import judge_alerts
from core.errors import SettingsInvalidError
from core.settings import REPOSITORY, VERSION, Settings
from db.alerts import PROCESS, AlertsMeasured
from db.jobs import JobStore
from tests.fixtures.alerts import write_moment, write_route
from tests.fixtures.apis import calling
from tests.fixtures.flows import Flow
from tests.fixtures.settings import make_settings
from tests.fixtures.waiting import eventually
from tests.integration.api.problems import read_problem

HEALTH = "/api/v1/health"

DELIVERY = """
    INSERT INTO deliveries (
        delivery_id, route_id, group_key, severity, content, moment_ids, created_at, next_at
    )
    SELECT 'dlv_1', route_id, '{}', 'info', '{}', '{}', now() - INTERVAL '1 minute', now()
    FROM alert_routes
"""


async def beat(client: redis.asyncio.Redis, **facts: object) -> None:
    """Say that a flow and an archive are alive."""
    beat = {
        "at_ms": int(datetime.now(UTC).timestamp() * 1000),  # noqa: TID251 (as another process)
        "lag_ms": 5,
        "events_per_second": 2.5,
        "waiting_for_database": False,
    }
    await client.set("heartbeat:flow:0", orjson.dumps(beat | facts), ex=10)
    own = {"at_ms": beat["at_ms"], "lag_ms": 0, "events_per_second": 2.5, "trouble": None}
    await client.set("heartbeat:archive", orjson.dumps(own), ex=10)


@pytest.mark.parametrize("path", ["/health", "/livez"])
async def test_a_process_that_answers_is_alive(dead_redis_url: str, dead_database_url: str, path):
    settings = make_settings(database_url=dead_database_url, redis_url=dead_redis_url)
    async with calling(build_app(settings)) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@asynccontextmanager
async def alerting(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """Hold the connection by which a worker of the alerts is known."""
    named = {"application_name": PROCESS}
    connection = await asyncpg.connect(settings.require_database_url(), server_settings=named)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def alerts(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A worker of the alerts, as far as the database can tell."""
    async with alerting(settings) as connection:
        yield connection


LIVE = "SELECT procrastinate_register_worker_v1()"
"""What a worker of jobs does first."""


@pytest.fixture
async def jobs(connection: asyncpg.Connection) -> None:
    """A worker of the jobs, as far as the database can tell."""
    await connection.execute(LIVE)


@pytest.mark.usefixtures("alerts")
async def test_jobs_tell_whether_they_live_and_what_waits(
    client: httpx.AsyncClient,
    redis_client: redis.asyncio.Redis,
    connection: asyncpg.Connection,
):
    await beat(redis_client)
    async with connection.transaction():
        await JobStore(connection).defer("speech", "transcribe", "a", {}, waiting_max=1)
    health = (await client.get(HEALTH)).json()
    assert (health["status"], health["jobs"]["status"]) == ("degraded", "error")
    assert "waits until they do" in health["jobs"]["detail"]
    assert health["jobs"]["waiting"] == 1
    await connection.execute(LIVE)
    health = (await client.get(HEALTH)).json()
    assert (health["status"], health["jobs"]["status"]) == ("ok", "ok")
    await connection.execute("UPDATE procrastinate_events SET at = at - INTERVAL '11 minutes'")
    health = (await client.get(HEALTH)).json()
    assert (health["status"], health["jobs"]["status"]) == ("degraded", "degraded")
    assert health["jobs"]["oldest_ms"] >= 660_000


@pytest.mark.usefixtures("alerts", "jobs")
async def test_all_well_is_ok(client: httpx.AsyncClient, redis_client: redis.asyncio.Redis):
    await beat(redis_client)
    answer = await client.get(HEALTH)
    health = answer.json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    parts = ["database", "redis", "flow", "archive", "alerts", "jobs"]
    assert list(health) == ["status", "timestamp", "version", "keys", *parts]
    assert (health["status"], health["version"]) == ("ok", VERSION)
    for part in parts:
        assert health[part]["status"] == "ok"
        assert health[part]["latency_ms"] >= 0
    assert (health["flow"]["events_per_second"], health["flow"]["lag_ms"]) == (2.5, 5)
    assert (await client.get("/readyz")).json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("facts", "status", "detail"),
    [
        ({"waiting_for_database": True}, "degraded", "Waits for the database."),
        ({"lag_ms": 10_001}, "degraded", "10.0 s behind"),
        ({"lag_ms": 10_000}, "ok", "1 running"),
        ({"lag_usual_ms": 190}, "ok", "1 running"),
        ({"lag_usual_ms": None}, "ok", "1 running"),
    ],
)
@pytest.mark.usefixtures("alerts", "jobs")
async def test_how_the_flow_is(
    client: httpx.AsyncClient,
    redis_client: redis.asyncio.Redis,
    facts: dict[str, object],
    status: str,
    detail: str,
):
    await beat(redis_client, **facts)
    health = (await client.get(HEALTH)).json()
    assert (health["status"], health["flow"]["status"]) == (status, status)
    assert health["flow"]["lag_usual_ms"] == facts.get("lag_usual_ms")
    assert detail in health["flow"]["detail"]


async def test_without_a_flow_it_is_degraded_and_serves(client: httpx.AsyncClient):
    answer = await client.get(HEALTH)
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["flow"]["status"] == "error"


@pytest.mark.usefixtures("jobs")
async def test_without_alerts_it_is_degraded_and_says_what_waits_for_them(
    client: httpx.AsyncClient,
    redis_client: redis.asyncio.Redis,
    connection: asyncpg.Connection,
    settings: Settings,
):
    await beat(redis_client)
    await write_moment(connection)
    await write_route(connection, "http://a.example/hook")
    await connection.execute(DELIVERY)
    health = (await client.get(HEALTH)).json()
    assert (health["status"], health["alerts"]["status"]) == ("degraded", "error")
    assert "is kept until" in health["alerts"]["detail"]
    alerts = health["alerts"]
    assert (alerts["changes_waiting"], alerts["deliveries_waiting"]) == (1, 1)
    assert 60_000 <= alerts["deliveries_oldest_ms"] < 120_000
    async with alerting(settings):
        health = (await client.get(HEALTH)).json()
        assert (health["status"], health["alerts"]["status"]) == ("ok", "ok")


@pytest.mark.usefixtures("alerts")
async def test_alerts_that_leave_changes_lying_are_behind(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    await write_moment(connection)
    await connection.execute("UPDATE moment_changes SET at = now() - INTERVAL '1 minute'")
    alerts = (await client.get(HEALTH)).json()["alerts"]
    assert (alerts["status"], alerts["changes_waiting"]) == ("degraded", 1)
    assert "s behind the moments" in alerts["detail"]
    assert 60_000 <= alerts["lag_ms"] < 120_000


@pytest.mark.parametrize(
    ("idle_s", "status"), [(None, "ok"), (1.0, "ok"), (15.0, "ok"), (15.1, "degraded")]
)
def test_alerts_that_ask_nothing_any_more_hang(idle_s: float | None, status: str):
    judged = judge_alerts(AlertsMeasured(2, idle_s, 0, None, 0, None))
    assert judged.status == status
    assert (judged.latency_ms is None) == (idle_s is None)


async def test_the_heartbeat_of_a_flow_is_seen_and_its_end_too(
    client: httpx.AsyncClient, flow: Flow
):
    async def ask() -> str:
        status: str = (await client.get(HEALTH)).json()["flow"]["status"]
        return status

    flow.news.start()
    try:
        await eventually(ask, holds=lambda status: status == "ok")
    finally:
        await asyncio.to_thread(flow.news.stop)


async def test_without_a_database_it_cannot_serve(redis_url: str, dead_database_url: str):
    settings = make_settings(database_url=dead_database_url, redis_url=redis_url)
    async with calling(build_app(settings)) as client:
        answer = await client.get(HEALTH)
        assert (answer.status_code, answer.json()["status"]) == (503, "error")
        assert answer.json()["database"]["status"] == "error"
        assert "secret-word" not in answer.text
        read_problem(await client.get("/readyz"), 503, "service_missing")


async def test_without_redis_it_is_degraded_and_not_ready(settings: Settings, dead_redis_url: str):
    app = build_app(settings.model_copy(update={"redis_url": dead_redis_url}))
    async with calling(app) as client:
        answer = await client.get(HEALTH)
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert answer.json()["redis"]["status"] == "error"
        read_problem(await client.get("/readyz"), 503, "service_missing")


async def test_metrics_are_written_for_prometheus(client: httpx.AsyncClient):
    answer = await client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "telemetra_live_connections 0.0" in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_may_be_listened_on(host: str):
    refuse_open_doors(make_settings(api_host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org", ""])  # noqa: S104
def test_other_machines_are_kept_out_unless_the_network_does_it(host: str):
    with pytest.raises(SettingsInvalidError, match="API_OPEN=true"):
        refuse_open_doors(make_settings(api_host=host))
    refuse_open_doors(make_settings(api_host=host, api_open=True))


async def test_the_process_refuses_to_start_with_an_open_door():
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "api",
        cwd=REPOSITORY,
        env={"API_HOST": "0.0.0.0", "REDIS_URL": "redis://h", "DATABASE_URL": "postgresql://h"},  # noqa: S104
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await asyncio.wait_for(process.communicate(), timeout=60)
    assert process.returncode == 1
    assert told.decode().strip().startswith("API_HOST 0.0.0.0 can be reached")


async def test_requests_are_counted_by_route_with_its_prefix(client: httpx.AsyncClient):
    await client.get("/api/v1/streams/nobody/channels/temp/metrics")
    await client.get("/nowhere")
    text = (await client.get("/metrics")).text
    counted = 'telemetra_requests_served_total{method="GET",route="%s",status="404"}'
    assert counted % "/api/v1/streams/{stream_id}/channels/{channel}/metrics" in text
    assert counted % "unmatched" in text
