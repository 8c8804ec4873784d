"""The real OpenTelemetry SDK: what it exported is what is stored, through a crash of the API."""

import asyncio
import operator
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any, Final, TypeAlias

import asyncpg
import pytest
import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    Gauge,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
    Sum,
)
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from typing_extensions import override

from tests.fixtures.api_keys import make_key
from tests.fixtures.api_processes import ApiProcess
from tests.fixtures.flows import Flow
from tests.fixtures.pages import read_example
from tests.fixtures.waiting import eventually

STREAM: Final = "shop"
EXPORT_MS: Final = 200

Reading: TypeAlias = tuple[str, int, float]
"""A channel, a time in microseconds, and a value."""

READINGS: Final = """
    SELECT channel, (extract(epoch FROM timestamp) * 1000000)::bigint, value
    FROM readings
    WHERE stream_id = $1
"""


class NotingExporter(OTLPMetricExporter):
    """Notes what the door has acknowledged."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.acknowledged: list[Reading] = []
        self.tries = 0
        self.failed = 0

    @override
    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        result = super().export(metrics_data, timeout_millis, **kwargs)
        if result is MetricExportResult.SUCCESS:
            self.acknowledged += list_points(metrics_data)
        else:
            self.failed += 1
        return result


def _count_tries(exporter: NotingExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Count what is sent, retries included; the exporter says nothing of them but to its log."""
    send = requests.Session.request

    def count(session: requests.Session, *given: Any, **more: Any) -> requests.Response:
        exporter.tries += 1
        return send(session, *given, **more)

    monkeypatch.setattr(requests.Session, "request", count)


def list_points(data: MetricsData) -> Iterator[Reading]:
    """Return what the points of an export hold, by our names."""
    for group in data.resource_metrics:
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    labels = sorted((point.attributes or {}).items())
                    ending = "".join(f":{key}={value!s}" for key, value in labels)
                    micros = point.time_unix_nano // 1000
                    for end, value in list_values(metric.data, point):
                        yield f"{metric.name}{end}{ending}", micros, float(value)


def list_values(data: Any, point: Any) -> Iterator[tuple[str, float]]:
    """Return what a point holds."""
    if isinstance(data, Gauge | Sum):
        yield "", point.value
        return
    for end in ("count", "sum", "min", "max"):
        yield f".{end}", getattr(point, end)


@pytest.mark.parametrize("compression", [Compression.NoCompression, None])
async def test_what_was_exported_is_stored_once_through_a_crash_of_the_api(
    api_process: ApiProcess,
    flow: Flow,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    compression: Compression | None,
):
    _, shown = await make_key(connection, "ingest")
    key = shown["Authorization"].removeprefix("Bearer ")
    for line in read_example("doors.md", "export ", url=api_process.url, key=key).splitlines():
        monkeypatch.setenv(*line.removeprefix("export ").split("=", 1))
    await api_process.start()
    exporter = NotingExporter(compression=compression, timeout=60)
    _count_tries(exporter, monkeypatch)
    provider = MeterProvider(
        [PeriodicExportingMetricReader(exporter, EXPORT_MS, export_timeout_millis=60_000)],
        Resource({"service.name": STREAM, "host.name": "a machine"}),
        views=[View(instrument_name="*.size", aggregation=ExponentialBucketHistogramAggregation())],
    )
    record = prepare_instruments(provider)

    def count_exports() -> int:
        return len({micros for _, micros, _ in exporter.acknowledged})

    for number in range(3):
        record(number)
        await eventually(count_exports, holds=partial(operator.lt, number))
    api_process.kill()
    record(3)
    tried = exporter.tries
    # The first may have been under way when the API went.
    await eventually(lambda: exporter.tries, holds=partial(operator.lt, tried + 1))
    await api_process.start()
    before = count_exports()
    await eventually(count_exports, holds=lambda n: n > before + 2, within_s=90)
    await asyncio.to_thread(provider.shutdown)
    assert exporter.failed == 0

    async def read() -> Counter[Reading]:
        await flow.pump()
        rows = await connection.fetch(READINGS, STREAM)
        return Counter(tuple(row) for row in rows)

    stored = await read()
    assert stored == Counter(exporter.acknowledged)
    newest = {channel: value for channel, _, value in sorted(stored, key=lambda row: row[1])}
    assert newest["orders:till=7"] == 40
    assert newest["queue"] == -4
    assert newest["temperature"] == 3.5
    assert newest["wait.count:route=a"] == 4
    assert newest["wait.sum:route=a"] == 0 + 1.5 + 3 + 4.5
    assert newest["wait.max:route=a"] == 4.5
    assert newest["body.size.count"] == 4


def prepare_instruments(provider: MeterProvider) -> Any:
    """Return what records something with every kind of instrument."""
    meter = provider.get_meter("tests")
    orders = meter.create_counter("orders", unit="{order}")
    queue = meter.create_up_down_counter("queue")
    wait = meter.create_histogram("wait", unit="s")
    size = meter.create_histogram("body.size", unit="By")
    seen = [0.5]

    def observe(_: CallbackOptions) -> list[Observation]:
        return [Observation(seen[0])]

    meter.create_observable_gauge("temperature", [observe], unit="Cel")

    def record(number: int) -> None:
        orders.add(10, {"till": 7})
        queue.add(-1)
        wait.record(number * 1.5, {"route": "a"})
        size.record(2.0**number)
        seen[0] = 0.5 + number

    return record
