"""Everybody sends while Redis and the API die: what they were told is taken is stored once."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Final, TypeAlias

import asyncpg
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from core.clock import SystemClock
from tests.fixtures.kafkas import Kafka
from tests.fixtures.mosquittos import Mosquitto
from tests.fixtures.products import Product
from tests.fixtures.waiting import eventually
from tests.integration.connectors.test_kafka import STREAMS, Sent, require_numbers
from tests.integration.connectors.test_mqtt import Plant
from tests.integration.doors import test_opentelemetry as otel
from tests.integration.doors.test_influx_client import BATCH, Sender, make_points

Value: TypeAlias = tuple[str, str, float]
"""Stream, channel, and what was measured."""

VICTIMS: Final = ("redis", "api", "mqtt", "redis", "kafka", "api")
MINUTES: Final = 2
"""Of chats in each wave."""

VALUES: Final = 500
BATCHES: Final = 4
EXPORT_MS: Final = 300

READINGS: Final = "SELECT stream_id, channel, value FROM readings WHERE NOT stream_id = ANY($1)"
CHATS: Final = """
    SELECT coalesce(sum(chat_count), 0)::int FROM chat_summary_minute
    WHERE NOT stream_id = ANY($1)
"""


class Everybody:
    """All who send, and what must be stored of it."""

    def __init__(self, url: str, broker: Mosquitto, kafka_servers: str) -> None:
        self._url = url
        self._waves = 0
        self._plant = Plant(broker)
        beginning = SystemClock().now().replace(second=0, microsecond=0)
        span = timedelta(minutes=2 * MINUTES * len(VICTIMS) + 1)
        self.kafka = Sent(kafka_servers, beginning - span)
        self._lines: Counter[Value] = Counter()
        self.retried = 0
        self._exporter = otel.NotingExporter(endpoint=f"{url}/v1/metrics", timeout=60)
        reader = PeriodicExportingMetricReader(
            self._exporter, EXPORT_MS, export_timeout_millis=60_000
        )
        self._provider = MeterProvider([reader], Resource({"service.name": otel.STREAM}))
        self._record = otel.prepare_instruments(self._provider)

    async def send(self) -> None:
        """Let each send some, and return when all of it is taken."""
        first = self._waves * MINUTES
        self._record(self._waves)
        self._waves += 1
        await asyncio.gather(
            asyncio.to_thread(self._write_lines),
            asyncio.to_thread(self._plant.tell, VALUES),
            asyncio.to_thread(self.kafka.produce_minutes, first, first + MINUTES),
        )

    def _write_lines(self) -> None:
        sender = Sender(self._url, gzip=bool(self._waves % 2))
        points, readings = make_points(BATCH * BATCHES)
        sender.send(points)
        assert sender.failed == []
        self.retried += len(sender.retried)
        for (stream, channel, _, value, _), count in readings.items():
            self._lines[stream, channel, value] += count

    def end(self) -> Counter[Value]:
        """Let nobody send any more; return every value that was taken."""
        self._provider.shutdown()
        assert self._exporter.failed == 0
        taken = self._lines.copy()
        for (stream, channel), values in self._plant.values.items():
            taken.update((stream, channel, value) for value in values)
        taken.update(
            (otel.STREAM, channel, value) for channel, _, value in self._exporter.acknowledged
        )
        return taken


async def wait_until_back(product: Product, victim: str, pid: int) -> None:
    """Wait for the successor of a process."""
    await eventually(
        lambda: asyncio.to_thread(product.is_back, victim, instead_of=pid), within_s=120
    )


async def test_what_all_doors_have_taken_is_stored_once_whoever_dies(
    product: Product, broker: Mosquitto, brokers: Kafka, earlier: list[str]
) -> None:
    status = product.status()
    # Of what is told before anybody wants it a broker keeps nothing.
    await eventually(lambda: "Sending SUBACK" in broker.read_log())
    everybody = Everybody(status["api_url"], broker, brokers.servers)
    for victim in VICTIMS:
        wave = asyncio.create_task(everybody.send())
        pid = await asyncio.to_thread(product.kill, victim)
        await wave
        # And some while it is away.
        await asyncio.gather(everybody.send(), wait_until_back(product, victim, pid))
    taken = await asyncio.to_thread(everybody.end)
    connection = await asyncpg.connect(status["database_url"])

    async def read() -> Counter[Value]:
        return Counter(map(tuple, await connection.fetch(READINGS, STREAMS + earlier)))

    await eventually(read, holds=lambda rows: rows.total() >= taken.total(), within_s=120)
    said = sum(everybody.kafka.chats.values())
    await eventually(
        lambda: connection.fetchval(CHATS, earlier), holds=lambda count: count >= said, within_s=120
    )
    assert await read() == taken
    await require_numbers(connection, everybody.kafka, apart_from=earlier)
    await connection.close()
    assert everybody.retried
