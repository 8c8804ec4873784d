"""The real Prometheus: what it saw is what is stored, whatever became of the API meanwhile."""

from pathlib import Path

import asyncpg

from tests.fixtures.api_keys import make_key
from tests.fixtures.api_processes import ApiProcess
from tests.fixtures.flows import Flow
from tests.fixtures.prometheuses import (
    FAILED,
    RETRIED,
    SENT,
    Prometheus,
    Stored,
    differ,
    list_seen,
    list_stored,
)
from tests.fixtures.waiting import eventually


async def test_what_prometheus_saw_is_stored_once_through_a_crash_of_the_api(
    api_process: ApiProcess, flow: Flow, connection: asyncpg.Connection, tmp_path: Path
):
    _, shown = await make_key(connection, "ingest")
    key = shown["Authorization"].removeprefix("Bearer ")
    await api_process.start()
    prometheus = Prometheus.sending_to(tmp_path, url=api_process.url, key=key)

    count = prometheus.count
    with prometheus.run():
        await eventually(lambda: count(SENT), holds=lambda n: n > 500, within_s=60)
        api_process.kill()
        await eventually(lambda: count(RETRIED), within_s=60)
        await api_process.start()
        sent = await count(SENT)
        await eventually(lambda: count(SENT), holds=lambda n: n > sent + 2000, within_s=60)
        until_ms = await prometheus.find_newest_ms()
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
    assert stored[f"127.0.0.1:{api_process.port}", "up:job=telemetra", find_first(stored)] in {0, 1}


def find_first(stored: Stored) -> int:
    """Return the time of the first sample of the API."""
    return min(time for _, channel, time in stored if channel == "up:job=telemetra")
