"""Many misses: whoever asks for the same at once waits for one and the same query."""

import asyncio
from typing import Final

import asyncpg
import pytest
from prometheus_client import REGISTRY

from api.app import build_app
from core.settings import Settings
from tests.fixtures.apis import serving
from tests.fixtures.waiting import eventually
from tests.integration.api.paths import METRICS
from tests.integration.api.test_cached_answers import stalling

MANY: Final = 500

QUERIES: Final = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%window_start%'
"""


def count_reads(result: str) -> float:
    labels = {"noun": "stream", "result": result}
    return REGISTRY.get_sample_value("telemetra_cache_reads_total", labels) or 0


async def read_answer(address: str) -> tuple[bytes, bytes]:
    """Return the line of the status, and the body; a client of httpx is busier than the server."""
    reader, writer = await asyncio.open_connection(*address.split(":"))
    asked = f"GET {METRICS}?limit=7 HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    writer.write(asked.encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return head.partition(b"\r\n")[0], body


@pytest.mark.usefixtures("filled")
async def test_five_hundred_misses_make_one_query(
    settings: Settings, connection: asyncpg.Connection, database_url: str
):
    app = build_app(settings.model_copy(update={"db_statement_timeout_ms": 120_000}))
    before = {result: count_reads(result) for result in ("miss", "waited")}
    watching = await asyncpg.connect(database_url)
    async with serving(app) as address:
        async with stalling(connection):
            asking = [asyncio.create_task(read_answer(address)) for _ in range(MANY)]
            others = before["waited"] + MANY - 1
            await eventually(
                lambda: count_reads("waited"), holds=lambda count: count == others, within_s=60
            )
            # It may have been asked for and not have reached the database yet.
            await eventually(lambda: watching.fetchval(QUERIES), holds=(1).__eq__)
        answers = await asyncio.gather(*asking)
    await watching.close()
    assert {status for status, _ in answers} == {b"HTTP/1.1 200 OK"}
    assert len({body for _, body in answers}) == 1
    # Nobody asked a second time after the first query had ended.
    assert count_reads("miss") == before["miss"] + 1
