"""Service checks: what ``telemetra doctor`` asks the database and Redis, when they run."""

import asyncio
from typing import Final

import asyncpg
import redis.asyncio
from redis.exceptions import RedisError

from core.errors import ServiceMissingError
from core.settings import Settings
from infra.cli.checks import Finding
from infra.services.discovery import find_services
from infra.supervisor.states import SupervisorRecord

ANSWER_WITHIN_S: Final = 5.0


def check_origins(settings: Settings) -> list[Finding]:
    """Say which services would be used, and why."""
    notes: list[str] = []
    try:
        services = find_services(
            database_url=settings.external_database_url,
            redis_url=settings.redis_url,
            data_dir=settings.data_dir,
            report=notes.append,
        )
    except ServiceMissingError as error:
        return [Finding("fail", error.detail)]
    return [Finding("ok", f"{service.name} from {service.origin}") for service in services]


async def check_running(settings: Settings, record: SupervisorRecord | None) -> list[Finding]:
    """Ask the services that run; without any there is nothing to find."""
    database_url = settings.external_database_url or (record.database_url if record else "")
    redis_url = settings.redis_url or (record.redis_url if record else "")
    findings = []
    if database_url:
        findings += await _check_database(database_url)
    if redis_url:
        findings.append(await _check_redis(redis_url))
    return findings or [Finding("ok", "the services do not run now; what they hold is not checked")]


async def _check_database(url: str) -> list[Finding]:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            connection = await asyncpg.connect(url)
            try:
                rows = await connection.fetch(
                    "SELECT current_setting('timescaledb.license', true) AS license,"
                    " (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb')"
                    " AS installed,"
                    " (SELECT default_version FROM pg_available_extensions"
                    " WHERE name = 'timescaledb') AS available"
                )
            finally:
                await connection.close()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        return [Finding("fail", f"the database: {error}", "Check DATABASE_URL and its server.")]
    return [_judge_extension(row["installed"], row["available"], row["license"]) for row in rows]


def _judge_extension(installed: str | None, available: str | None, licence: str | None) -> Finding:
    if installed:
        return Finding("ok", f"TimescaleDB {installed}, licence {licence or 'unknown'}")
    if available:
        advice = "`telemetra migrate` makes it."
        return Finding("warn", f"TimescaleDB {available} is not in the database yet", advice)
    advice = "Install the extension on that server, or unset DATABASE_URL."
    return Finding("fail", "the database has no TimescaleDB", advice)


async def _check_redis(url: str) -> Finding:
    client = redis.asyncio.Redis.from_url(url, socket_timeout=ANSWER_WITHIN_S)
    try:
        answer = await client.config_get("appendonly")
    except (OSError, RedisError, ValueError) as error:
        return Finding("fail", f"Redis: {error}", "Check REDIS_URL and its server.")
    finally:
        await client.aclose()
    if answer.get("appendonly") == "yes":
        return Finding("ok", "Redis keeps what it acknowledged (appendonly yes)")
    advice = "Set `appendonly yes`: otherwise its restart loses events that were acknowledged."
    return Finding("warn", "Redis does not persist", advice)
