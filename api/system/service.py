"""The system: what the processes, Redis and the database tell of themselves, asked at once.

heartbeats in Redis ─┐
Redis itself        ─┼─► one answer      what is away leaves its part out
the database        ─┘
"""

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypeAlias

import orjson
import redis.exceptions

from api.cache.shelves import BYTES_MAX
from api.deps import Resources
from api.health.jobs import OLDEST_MAX
from api.health.service import ARCHIVE_LAG_MS_MAX, FLOWS_MAX, LAG_MS_MAX, PROBE_TIMEOUT_S
from api.system.counts import count_devices, count_jobs
from api.system.schemas import (
    BusOut,
    DatabaseOut,
    DevicesOut,
    FlowOut,
    JobsOut,
    LimitsOut,
    ProcessOut,
    RedisOut,
    ShardOut,
    SystemOut,
)
from core.errors import TelemetraError
from core.heartbeats import describe_process
from core.settings import VERSION
from db.databases import DatabaseStore
from streaming.bus.redis import name_shard

Beat: TypeAlias = Mapping[str, Any]
Client: TypeAlias = Mapping[str, Any]

PARTS: Final = {"keys": "api", "tunings": "flow"}
"""Connections that a process keeps for one purpose, and whose they are."""

_REDIS_AWAY: Final = (redis.exceptions.RedisError, OSError, TimeoutError)


class _Told(NamedTuple):
    """What the database knows; nothing while it is away."""

    database: DatabaseOut | None = None
    clients: Sequence[Client] = ()
    jobs: JobsOut | None = None
    devices: DevicesOut | None = None


async def read_system(uses: Resources) -> SystemOut:
    """Ask everybody at once."""
    (flows, archive), (own_redis, bus), told = await asyncio.gather(
        _read_beats(uses), _ask_redis(uses), _ask_database(uses)
    )
    beats = [*((f"flow {number}", beat) for number, beat in flows), *archive]
    return SystemOut(
        timestamp=uses.clock.now(),
        version=VERSION,
        processes=list(_list_processes(uses, beats, told.clients)),
        flow=_merge_flows([beat for _, beat in flows]),
        bus=bus,
        redis=own_redis,
        database=told.database,
        jobs=told.jobs,
        devices=told.devices,
        limits=_list_limits(uses),
    )


async def _read_beats(
    uses: Resources,
) -> tuple[list[tuple[int, Beat]], list[tuple[str, Beat]]]:
    keys = [f"heartbeat:flow:{number}" for number in range(FLOWS_MAX)]
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            *flows, archive = await uses.redis.mget([*keys, "heartbeat:archive"])
    except _REDIS_AWAY:
        return [], []
    told = [(number, orjson.loads(beat)) for number, beat in enumerate(flows) if beat is not None]
    return told, [("archive", orjson.loads(archive))] if archive is not None else []


async def _ask_redis(uses: Resources) -> tuple[RedisOut | None, BusOut | None]:
    settings = uses.settings
    is_here = settings.kafka_bootstrap_servers is None
    shards = [name_shard(number) for number in range(settings.bus_shards)] if is_here else []
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S), uses.redis.pipeline(False) as pipeline:
            pipeline.info()
            for shard in shards:
                pipeline.xlen(shard)
            info, *entries = await pipeline.execute()
    except _REDIS_AWAY:
        return None, None
    own = RedisOut(
        version=info["redis_version"],
        memory_bytes=info["used_memory"],
        memory_max_bytes=info["maxmemory"] or None,
        evicted=info["evicted_keys"],
    )
    bus = BusOut(
        shards=settings.bus_shards,
        entries=sum(entries),
        entries_most=max(entries, default=0),
        entries_max=settings.bus_max_entries,
    )
    return own, bus if is_here else None


async def _ask_database(uses: Resources) -> _Told:
    now = uses.clock.now()
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S), uses.pool.connection() as connection:
            store = DatabaseStore(connection)
            return _Told(
                DatabaseOut(**await store.describe()),
                await store.list_clients(),
                await count_jobs(connection, now),
                await count_devices(connection, now),
            )
    except (TelemetraError, TimeoutError):
        return _Told()


def _list_processes(
    uses: Resources, beats: Sequence[tuple[str, Beat]], clients: Sequence[Client]
) -> Iterator[ProcessOut]:
    """Yield the one that answers, those that beat, and others that the database knows."""
    connections: dict[str, int] = {}
    for client in clients:
        kind = _find_kind(client)
        connections[kind] = connections.get(kind, 0) + client["connections"]
    own = describe_process()
    yield _describe(f"api {os.getpid()}", own, 0, connections.get("api"))
    kinds = {name.split()[0] for name, _ in beats} | {"api"}
    for name, beat in beats:
        seen_ms = max(uses.clock.now_ms() - beat["at_ms"], 0)
        yield _describe(name, beat, seen_ms, connections.get(name.split()[0]))
    for client in clients:
        if _find_kind(client) not in kinds:
            yield ProcessOut(
                name=client["name"],
                version=None,
                since=client["since"],
                seen_ms=None,
                memory_bytes=None,
                cpu_seconds=None,
                connections=client["connections"],
            )


def _find_kind(client: Client) -> str:
    name: str = client["name"]
    return PARTS.get(name, name)


def _describe(name: str, beat: Beat, seen_ms: int, connections: int | None) -> ProcessOut:
    # A process of the version before told less.
    started_s, memory = beat.get("started_s"), beat.get("memory_bytes")
    return ProcessOut(
        name=name,
        version=beat.get("version"),
        since=None if started_s is None else datetime.fromtimestamp(started_s, UTC),
        seen_ms=seen_ms,
        memory_bytes=None if memory is None else int(memory),
        cpu_seconds=beat.get("cpu_seconds"),
        connections=connections,
    )


def _merge_flows(beats: Sequence[Beat]) -> FlowOut:
    usual = [beat["commit_ms"] for beat in beats if beat.get("commit_ms") is not None]
    most = [beat["commit_ms_most"] for beat in beats if beat.get("commit_ms_most") is not None]
    lags = {int(shard): lag for beat in beats for shard, lag in beat.get("shards", {}).items()}
    return FlowOut(
        # The slowest process is the one that somebody waits for.
        commit_ms=max(usual, default=None),
        commit_ms_most=max(most, default=None),
        shards=[ShardOut(shard=shard, lag_ms=lag) for shard, lag in sorted(lags.items())],
    )


def _list_limits(uses: Resources) -> LimitsOut:
    settings = uses.settings
    return LimitsOut(
        database_connections=settings.db_pool_max_size,
        database_requests_waiting=settings.db_pool_queue_max,
        slow_query_ms=settings.db_slow_query_ms,
        cache_bytes=BYTES_MAX,
        live_connections=settings.live_connections_max,
        jobs_silent_ms=settings.jobs_stalled_seconds * 1000,
        jobs_waiting_ms=round(OLDEST_MAX.total_seconds() * 1000),
        flow_lag_ms=LAG_MS_MAX,
        archive_lag_ms=ARCHIVE_LAG_MS_MAX,
    )
