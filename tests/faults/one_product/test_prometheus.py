"""Prometheus goes on sending while Redis and the API die: nothing it saw is lost or doubled.

It shows a key, and what makes a key comes last of this folder.
"""

import operator
from functools import partial
from pathlib import Path

import asyncpg

from tests.fixtures.api_keys import wait_until_known
from tests.fixtures.products import Product
from tests.fixtures.prometheuses import (
    FAILED,
    SENT,
    Prometheus,
    Stored,
    differ,
    list_seen,
    list_stored,
)
from tests.fixtures.waiting import eventually

VICTIMS = ("redis", "api", "redis")


async def test_what_prometheus_saw_is_stored_once_whoever_dies(
    product: Product, earlier: list[str], tmp_path: Path
) -> None:
    status = product.status()
    key = product.run("keys", "create", "prometheus", "--scope", "ingest").stdout.decode()
    wait_until_known(status["api_url"], key.strip())
    prometheus = Prometheus.sending_to(tmp_path, url=status["api_url"], key=key.strip())
    connection = await asyncpg.connect(status["database_url"])
    with prometheus.run():
        for victim in VICTIMS:
            sent = await prometheus.count(SENT)
            await eventually(
                partial(prometheus.count, SENT),
                holds=partial(operator.lt, sent + 1500),
                within_s=120,
            )
            pid = product.kill(victim)
            await eventually(partial(product.is_back, victim, instead_of=pid), within_s=120)
        until_ms = await prometheus.find_newest_ms()
        seen = await list_seen(prometheus, until_ms=until_ms)

        async def read() -> Stored:
            return await list_stored(connection, until_ms=until_ms, apart_from=earlier)

        stored = await eventually(read, holds=lambda rows: len(rows) >= len(seen), within_s=120)
        failed = await prometheus.count(FAILED)
    await connection.close()
    assert differ(seen, stored) == {}
    assert len(stored) > 4000
    assert failed == 0, prometheus.read_log()
