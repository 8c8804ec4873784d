"""The product that these modules share: each kills some of it, and leaves all of it ready again.

Connectors fetch from a broker of either kind. Streams of the modules that ran before are still
there, and are left out of what is counted.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from tests.fixtures.kafkas import Kafka, running_kafka
from tests.fixtures.mosquittos import Mosquitto, running_mosquitto
from tests.fixtures.products import Product, run_product
from tests.fixtures.waiting import eventually
from tests.integration.connectors.test_mqtt import TEMPLATE

QUICK: Final = "--set session.timeout.ms=1000 --set heartbeat.interval.ms=200"
"""A killed member's partitions are given to the next one after this."""


@pytest.fixture(scope="package")
def broker(
    mosquitto_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mosquitto]:
    """The broker that the product listens to."""
    with running_mosquitto(mosquitto_program, tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="package")
def brokers() -> Iterator[Kafka]:
    """Those of Kafka that it reads from."""
    with running_kafka(1) as running:
        yield running


@pytest.fixture(scope="package")
def running(
    broker: Mosquitto, brokers: Kafka, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    """A product without its demo; it asks for no key until the last of all tests makes one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARCHIVE_INTERVAL_SECONDS", "1")
        patch.setenv(
            "CONNECTORS",
            f"mqtt --broker {broker.url} --topic {TEMPLATE};"
            f" kafka --brokers {brokers.servers} {QUICK}",
        )
        with run_product(tmp_path_factory.mktemp("data"), "--no-demo", "--no-page") as product:
            yield product


@pytest.fixture
async def product(running: Product) -> AsyncIterator[Product]:
    """The product, of which every process is ready again when the next test gets it."""
    yield running
    await eventually(
        lambda: [item for item in running.status()["processes"] if item["state"] != "ready"],
        holds=lambda others: others == [],
        within_s=120,
    )


@pytest.fixture
async def earlier(product: Product) -> list[str]:
    """Streams that were there before the test."""
    connection = await asyncpg.connect(product.status()["database_url"])
    try:
        return [row[0] for row in await connection.fetch("SELECT stream_id FROM streams")]
    finally:
        await connection.close()
