"""The system: who runs, what the services hold, and the truth when one of them is away."""

import os
from datetime import timedelta

import asyncpg
import httpx
import orjson
import redis.asyncio

from api.app import build_app
from api.system.service import read_system
from core.heartbeats import describe_process
from core.settings import VERSION, Settings
from db.jobs import JobStore
from streaming.bus.redis import name_shard
from tests.fixtures.settings import make_settings

SYSTEM = "/api/v1/system"

INSERT_DEVICE = """
    INSERT INTO devices (
        device_id, telemetry_types, command_templates, heartbeat_s, at_once, link, link_id,
        last_seen_at, registered_at, created_at
    )
    VALUES ($1, '{}', '{}', 10, 8, $2, 1, now(), now(), now())
"""
INSERT_COMMAND = """
    INSERT INTO commands (
        command_id, device_id, asker, asker_id, command, parameters, verifiers, priority,
        dangerous, held, state, deadline_at, due_at, created_at, ended_at
    )
    VALUES ($1, 'device-0', 'me', 'name:me', 'heat', '{}', '{}', 5, false, false, $2::text, now(),
        now(), now(), CASE WHEN $2 IN ('succeeded', 'timed_out') THEN now() END)
"""
INSERT_END = """
    INSERT INTO command_events (command_id, at, stage, source, verdict)
    VALUES ('cmd-4', now() - $1::interval, 'timed_out', 'clock', $2)
"""


async def test_what_runs_and_what_it_uses_is_told(client: httpx.AsyncClient, settings: Settings):
    answer = await client.get(SYSTEM)
    system = answer.json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    (own,) = [one for one in system["processes"] if one["name"].startswith("api")]
    assert (own["name"], own["version"]) == (f"api {os.getpid()}", VERSION)
    assert own["memory_bytes"] > 1_000_000
    assert own["cpu_seconds"] > 0
    assert own["connections"] >= 1
    assert system["database"]["timescaledb"]
    assert system["database"]["size_bytes"] > 1_000_000
    assert 0 < system["database"]["connections"] < system["database"]["connections_max"]
    assert system["redis"]["memory_bytes"] > 100_000
    assert system["bus"]["entries_max"] == settings.bus_max_entries
    assert system["limits"]["database_connections"] == settings.db_pool_max_size


async def test_entries_on_the_bus_are_counted_over_all_shards(
    client: httpx.AsyncClient, redis_client: redis.asyncio.Redis, settings: Settings
):
    before = (await client.get(SYSTEM)).json()["bus"]
    for shard, entries in ((0, 1), (settings.bus_shards - 1, 3)):
        for _ in range(entries):
            await redis_client.xadd(name_shard(shard), {"d": b"x"})
    after = (await client.get(SYSTEM)).json()["bus"]
    assert (after["entries"] - before["entries"], after["entries_most"]) == (4, 3)


async def test_a_process_that_beats_is_listed_with_what_it_tells(
    client: httpx.AsyncClient, redis_client: redis.asyncio.Redis
):
    shards = {"3": 640, "11": 20}
    beat = {"at_ms": 0, "commit_ms": 21.0, "commit_ms_most": 64.5, "shards": shards}
    await redis_client.set("heartbeat:flow:0", orjson.dumps({**beat, **describe_process()}))
    # A process of the version before told less.
    await redis_client.set("heartbeat:flow:1", orjson.dumps({"at_ms": 0}))
    system = (await client.get(SYSTEM)).json()
    first, second = (one for one in system["processes"] if one["name"].startswith("flow"))
    assert (first["version"], second["version"]) == (VERSION, None)
    assert first["since"] is not None
    assert first["seen_ms"] > 0
    assert system["flow"] == {
        "commit_ms": 21.0,
        "commit_ms_most": 64.5,
        "shards": [{"shard": 3, "lag_ms": 640}, {"shard": 11, "lag_ms": 20}],
    }


async def test_jobs_tell_who_works_what_waits_and_what_became_of_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    idle = (await client.get(SYSTEM)).json()["jobs"]
    assert idle == {
        "workers": 0,
        "seen_ms": None,
        "running": 0,
        "retrying": 0,
        "failed": 0,
        "queues": [],
    }
    await connection.execute(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - INTERVAL '1 minute'),"
        " (now() - INTERVAL '1 hour')"
    )
    async with connection.transaction():
        for about in ("a", "b"):
            await JobStore(connection).defer("speech", "transcribe", about, {}, waiting_max=9)
    await connection.execute("UPDATE procrastinate_events SET at = at - INTERVAL '2 minutes'")
    await connection.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status, attempts) VALUES"
        " ('speech', 't', 'doing', 1), ('speech', 't', 'failed', 3), ('speech', 't', 'failed', 3),"
        " ('speech', 't', 'succeeded', 1), ('other', 't', 'todo', 2)"
    )
    jobs = (await client.get(SYSTEM)).json()["jobs"]
    assert (jobs["workers"], jobs["running"], jobs["retrying"], jobs["failed"]) == (2, 1, 1, 2)
    assert 60_000 <= jobs["seen_ms"] < 3_600_000
    other, speech = jobs["queues"]
    assert (other["queue"], other["waiting"]) == ("other", 1)
    assert (speech["queue"], speech["waiting"]) == ("speech", 2)
    assert 120_000 <= speech["oldest_ms"] < 3_600_000


async def test_devices_are_counted_by_state_and_commands_by_what_became_of_them(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    none = dict.fromkeys(("connected", "stale", "gone"), 0)
    idle = (await client.get(SYSTEM)).json()["devices"]
    assert idle == {**none, "commands_open": 0, "commands_timed_out": 0}
    for number, link in enumerate(("connected", "connected", "stale", "gone")):
        await connection.execute(INSERT_DEVICE, f"device-{number}", link)
    for number, state in enumerate(("queued", "sent", "running", "succeeded", "timed_out")):
        await connection.execute(INSERT_COMMAND, f"cmd-{number}", state)
    for minutes, verdict in ((1, "moved"), (14, "moved"), (16, "moved"), (1, "repeated")):
        await connection.execute(INSERT_END, timedelta(minutes=minutes), verdict)
    devices = (await client.get(SYSTEM)).json()["devices"]
    assert devices == {
        "connected": 2,
        "stale": 1,
        "gone": 1,
        "commands_open": 3,
        "commands_timed_out": 2,
    }


async def test_what_is_away_is_left_out_and_the_rest_is_told(
    redis_url: str, dead_redis_url: str, database_url: str, dead_database_url: str
):
    for own_redis, database, away in (
        (redis_url, dead_database_url, {"database", "jobs", "devices"}),
        (dead_redis_url, database_url, {"redis", "bus"}),
    ):
        app = build_app(make_settings(database_url=database, redis_url=own_redis))
        # Which keys are good is in the database too: past the door, so that it is not asked.
        async with app.router.lifespan_context(app):
            system = await read_system(app.state.resources)
        parts = ("database", "redis", "bus", "jobs", "devices")
        assert {name for name in parts if getattr(system, name) is None} == away
        assert [one.name.split()[0] for one in system.processes] == ["api"]
