"""Many misses: whoever asks for the same at once waits for one and the same query."""

import asyncio
from typing import Final

import asyncpg
import httpx
import pytest
from prometheus_client import REGISTRY

from api.app import build_app
from core.settings import Settings
from tests.fixtures.apis import serving
from tests.fixtures.clients import open_client
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


@pytest.mark.usefixtures("filled")
async def test_five_hundred_misses_make_one_query(
    settings: Settings, connection: asyncpg.Connection, database_url: str
):
    app = build_app(settings.model_copy(update={"db_statement_timeout_ms": 120_000}))
    before = {result: count_reads(result) for result in ("miss", "waited")}
    limits = httpx.Limits(max_connections=MANY)
    watching = await asyncpg.connect(database_url)
    async with (
        serving(app) as address,
        open_client(f"http://{address}", limits=limits, timeout=120) as client,
    ):
        async with stalling(connection):
            asking = [asyncio.create_task(client.get(f"{METRICS}?limit=7")) for _ in range(MANY)]
            others = before["waited"] + MANY - 1
            await eventually(
                lambda: count_reads("waited"), holds=lambda count: count == others, within_s=60
            )
            # It may have been asked for and not have reached the database yet.
            await eventually(lambda: watching.fetchval(QUERIES), holds=(1).__eq__)
        answers = await asyncio.gather(*asking)
    await watching.close()
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    # Nobody asked a second time after the first query had ended.
    assert count_reads("miss") == before["miss"] + 1
