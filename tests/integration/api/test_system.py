"""The system: who runs, what the services hold, and the truth when one of them is away."""

import os

import httpx
import orjson
import redis.asyncio

from api.app import build_app
from api.system.service import read_system
from core.heartbeats import describe_process
from core.settings import VERSION, Settings
from streaming.bus.redis import name_shard
from tests.fixtures.settings import make_settings

SYSTEM = "/api/v1/system"


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


async def test_what_is_away_is_left_out_and_the_rest_is_told(
    redis_url: str, dead_redis_url: str, database_url: str, dead_database_url: str
):
    for own_redis, database, away in (
        (redis_url, dead_database_url, {"database"}),
        (dead_redis_url, database_url, {"redis", "bus"}),
    ):
        app = build_app(make_settings(database_url=database, redis_url=own_redis))
        # Which keys are good is in the database too: past the door, so that it is not asked.
        async with app.router.lifespan_context(app):
            system = await read_system(app.state.resources)
        assert {name for name in ("database", "redis", "bus") if not getattr(system, name)} == away
        assert [one.name.split()[0] for one in system.processes] == ["api"]
