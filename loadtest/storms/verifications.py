"""Verifications: what ``telemetra verify`` says after a storm, and of a row changed by hand."""

import subprocess
import sys
import time
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import orjson

from core.settings import REPOSITORY
from infra.supervisor.environments import extend_environment
from loadtest.bench.servers import Servers

PENDING_S_MAX: Final = 60
"""The archive has gathered and written everything long before."""

CHANGE: Final = """
    UPDATE chat_summary_minute SET chat_count = chat_count + 1
    WHERE (stream_id, window_start) = (
        SELECT stream_id, window_start FROM chat_summary_minute
        ORDER BY stream_id, window_start OFFSET 7 LIMIT 1
    )
"""


def verify_span(servers: Servers, start: datetime, minutes: int) -> dict[str, Any]:
    """Return what verify says of a span, once the archive has all of it."""
    deadline = time.monotonic() + PENDING_S_MAX
    while True:
        said = _ask(servers, start, start + timedelta(minutes=minutes))
        if not said["not_comparable"] or time.monotonic() > deadline:
            return said
        time.sleep(1)


async def verify_changed_row(servers: Servers, start: datetime, minutes: int) -> dict[str, Any]:
    """Change one row by hand and return what verify says then."""
    connection = await asyncpg.connect(servers.database_url)
    try:
        await connection.execute(CHANGE)
    finally:
        await connection.close()
    return verify_span(servers, start, minutes)


def _ask(servers: Servers, start: datetime, end: datetime) -> dict[str, Any]:
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "streaming.archive.verify", "--json"),
            *("--from", start.isoformat(), "--to", end.isoformat()),
        ],
        cwd=REPOSITORY,
        env=extend_environment(servers.environment),
        capture_output=True,
        check=False,
    )
    said: dict[str, Any] = orjson.loads(ended.stdout)
    return said
