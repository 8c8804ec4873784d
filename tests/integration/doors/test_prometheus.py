"""The real Prometheus: what it saw is what is stored, whatever became of the API meanwhile."""

import math
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg

from core.labels import name_channel
from tests.fixtures.api_keys import make_key
from tests.fixtures.api_processes import ApiProcess
from tests.fixtures.flows import Flow
from tests.fixtures.prometheuses import Prometheus
from tests.fixtures.waiting import eventually

Stored: TypeAlias = dict[tuple[str, str, int], float]
"""Values by stream, channel and time in milliseconds."""

SENT = "prometheus_remote_storage_samples_total"
RETRIED = "prometheus_remote_storage_samples_retried_total"
FAILED = "prometheus_remote_storage_samples_failed_total"
NEWEST = "min(timestamp(up))"
EVERYTHING = '{job=~".+"}[10m]'
READINGS = """
    SELECT stream_id, channel, (extract(epoch FROM timestamp) * 1000)::bigint, value
    FROM readings
"""


async def list_seen(prometheus: Prometheus, *, until_ms: int) -> Stored:
    """Return every sample that Prometheus has seen until a time, by our names."""
    seen = {}
    for series in await prometheus.ask(EVERYTHING):
        labels = dict(series["metric"])
        name, stream_id = labels.pop("__name__"), labels.pop("instance")
        channel = name_channel(name, labels.items())
        for time, text in series["values"]:
            value, time_ms = float(text), round(time * 1000)
            if time_ms <= until_ms and not math.isnan(value):
                seen[stream_id, channel, time_ms] = value
    return seen


async def list_stored(connection: asyncpg.Connection, *, until_ms: int) -> Stored:
    """Return every reading until a time; each is there once."""
    rows = [row for row in await connection.fetch(READINGS) if row[2] <= until_ms]
    stored = {tuple(row)[:3]: row[3] for row in rows}
    assert len(stored) == len(rows), "a sample is stored twice"
    return stored


async def test_what_prometheus_saw_is_stored_once_through_a_crash_of_the_api(
    api_process: ApiProcess, flow: Flow, connection: asyncpg.Connection, tmp_path: Path
):
    _, shown = await make_key(connection, "ingest")
    key = shown["Authorization"].removeprefix("Bearer ")
    await api_process.start()
    prometheus = Prometheus(tmp_path, url=api_process.url, key=key)

    async def count(metric: str) -> float:
        return await prometheus.count(metric)

    with prometheus.run():
        await eventually(lambda: count(SENT), holds=lambda n: n > 500, within_s=60)
        api_process.kill()
        await eventually(lambda: count(RETRIED), within_s=60)
        await api_process.start()
        sent = await count(SENT)
        await eventually(lambda: count(SENT), holds=lambda n: n > sent + 2000, within_s=60)
        (newest,) = await prometheus.ask(NEWEST)
        until_ms = round(float(newest["value"][1]) * 1000)
        seen = await list_seen(prometheus, until_ms=until_ms)

        async def read() -> Stored:
            await flow.pump()
            return await list_stored(connection, until_ms=until_ms)

        stored = await eventually(read, holds=lambda rows: len(rows) >= len(seen), within_s=60)
        assert await count(FAILED) == 0, prometheus.read_log()
    assert differ(seen, stored) == {}
    assert len(stored) > 2000
    # What comes again when everything ends is not counted again.
    await flow.pump()
    assert await list_stored(connection, until_ms=until_ms) == stored
    assert stored[f"127.0.0.1:{api_process.port}", "up~job=telemetra", find_first(stored)] in {0, 1}


def differ(seen: Stored, stored: Stored) -> dict[Any, Any]:
    """Return what is not the same in both."""
    return {
        key: (seen.get(key), stored.get(key))
        for key in seen.keys() | stored.keys()
        if seen.get(key) != stored.get(key)
    }


def find_first(stored: Stored) -> int:
    """Return the time of the first sample of the API."""
    return min(time for _, channel, time in stored if channel == "up~job=telemetra")
