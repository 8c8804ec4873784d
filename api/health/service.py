"""Health: the truth about each dependency, asked anew each time."""

import asyncio
import time
from typing import Final

import orjson
import redis.exceptions

from api.deps import Resources
from api.health import jobs as jobs_health
from api.health.alerts import ask_alerts, say_unknown
from api.health.jobs import ask_jobs
from api.health.schemas import ArchiveHealth, FlowHealth, HealthOut, PartHealth
from core.errors import DatabaseBusyError, TelemetraError
from core.settings import VERSION

FLOWS_MAX: Final = 8
"""As many processes as the recovery store of the flow has partitions."""

LAG_MS_MAX: Final = 10_000
"""A flow that is further behind than this is degraded."""

ARCHIVE_LAG_MS_MAX: Final = 300_000
"""An archive that is further behind than this is degraded: the bus keeps what it has not read."""

PROBE_TIMEOUT_S: Final = 2


async def read_health(uses: Resources) -> HealthOut:
    """Ask every dependency at once."""
    database, cache, flow, archive = await asyncio.gather(
        _ask_database(uses), _ask_redis(uses), _ask_flow(uses), _ask_archive(uses)
    )
    # One connection at a time, and none where there is none to be had.
    is_there = database.status == "ok"
    alerts = await ask_alerts(uses.pool, PROBE_TIMEOUT_S) if is_there else say_unknown()
    jobs = await ask_jobs(uses, PROBE_TIMEOUT_S) if is_there else jobs_health.say_unknown()
    # Every process that `telemetra up` starts counts, also those without which everything is live:
    # what waits for them waits in vain, and somebody has to be told. Only who can serve nothing
    # is in error.
    parts = (database, cache, flow, archive, alerts, jobs)
    if database.status == "error":
        status = "error"
    else:
        status = "ok" if all(part.status == "ok" for part in parts) else "degraded"
    return HealthOut(
        status=status,
        timestamp=uses.clock.now(),
        version=VERSION,
        keys="required" if uses.ring.is_required else "open",
        database=database,
        redis=cache,
        flow=flow,
        archive=archive,
        alerts=alerts,
        jobs=jobs,
    )


async def _ask_database(uses: Resources) -> PartHealth:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S), uses.pool.connection() as connection:
            await connection.fetchval("SELECT 1")
    except TimeoutError:
        return _error("The database did not answer in time.")
    except DatabaseBusyError as error:
        # It answers, others: what is taken off its work now would only burden its neighbours.
        return PartHealth(status="degraded", latency_ms=_since(started), detail=error.detail)
    except TelemetraError as error:
        return _error(error.detail)
    return PartHealth(status="ok", latency_ms=_since(started), detail="answers")


async def _ask_redis(uses: Resources) -> PartHealth:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            await uses.redis.ping()
    except (redis.exceptions.RedisError, OSError, TimeoutError) as error:
        return _error(f"Redis did not answer ({type(error).__name__}). Nothing can be ingested.")
    return PartHealth(status="ok", latency_ms=_since(started), detail="answers")


async def _ask_flow(uses: Resources) -> FlowHealth:
    keys = [f"heartbeat:flow:{number}" for number in range(FLOWS_MAX)]
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            found = await uses.redis.mget(keys)
    except (redis.exceptions.RedisError, OSError, TimeoutError):
        return _flow("degraded", "Not known: Redis does not answer.")
    beats = [orjson.loads(beat) for beat in found if beat is not None]
    if not beats:
        return _flow("error", "No flow is running. Events are kept on the bus until one does.")
    age_ms = uses.clock.now_ms() - min(beat["at_ms"] for beat in beats)
    lag_ms = max(beat["lag_ms"] for beat in beats)
    rate = sum(beat["events_per_second"] for beat in beats)
    if any(beat["waiting_for_database"] for beat in beats):
        status, detail = "degraded", "Waits for the database."
    elif lag_ms > LAG_MS_MAX:
        status, detail = "degraded", f"{lag_ms / 1000:.1f} s behind the senders."
    else:
        status, detail = "ok", f"{len(beats)} running"
    return FlowHealth(
        status=status,
        latency_ms=float(max(age_ms, 0)),
        detail=detail,
        events_per_second=rate,
        lag_ms=lag_ms,
        # A process of the version before does not know it.
        lag_usual_ms=max(beat.get("lag_usual_ms") or 0 for beat in beats) or None,
    )


def _flow(status: str, detail: str) -> FlowHealth:
    return FlowHealth(
        status=status,
        latency_ms=None,
        detail=detail,
        events_per_second=None,
        lag_ms=None,
        lag_usual_ms=None,
    )


async def _ask_archive(uses: Resources) -> ArchiveHealth:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            found = await uses.redis.get("heartbeat:archive")
    except (redis.exceptions.RedisError, OSError, TimeoutError):
        return _archive("degraded", "Not known: Redis does not answer.")
    if found is None:
        return _archive(
            "error", "No archive is running. Events are kept on the bus until one does."
        )
    beat = orjson.loads(found)
    if beat["trouble"]:
        status, detail = "degraded", f"{beat['trouble']} Events are kept on the bus."
    elif beat["lag_ms"] > ARCHIVE_LAG_MS_MAX:
        status, detail = "degraded", f"{beat['lag_ms'] / 1000:.1f} s behind the senders."
    else:
        status, detail = "ok", "running"
    return ArchiveHealth(
        status=status,
        latency_ms=float(max(uses.clock.now_ms() - beat["at_ms"], 0)),
        detail=detail,
        events_per_second=beat["events_per_second"],
        lag_ms=beat["lag_ms"],
    )


def _archive(status: str, detail: str) -> ArchiveHealth:
    return ArchiveHealth(
        status=status, latency_ms=None, detail=detail, events_per_second=None, lag_ms=None
    )


def _error(detail: str) -> PartHealth:
    return PartHealth(status="error", latency_ms=None, detail=detail)


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
