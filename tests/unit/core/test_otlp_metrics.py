"""OTLP metrics: every kind of point becomes readings; garbage becomes a refusal."""

import json
import math
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from google.protobuf.json_format import MessageToJson
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1 import resource_pb2

from core import otlp_messages, otlp_metrics
from core.errors import BadRequestError, TooLargeError
from core.events import RejectedRow, TimePolicy, check_events
from core.labels import KNOWN_BYTES_MAX, LABEL_BYTES_MAX
from core.otlp_messages import pack_json
from core.otlp_metrics import Points, read_metrics
from core.otlp_names import NAMES, PointPolicy
from tests.fixtures.otlp_requests import make_gauge, make_request, write_attributes

POLICY = PointPolicy()
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
NOW_NS = int(NOW.timestamp()) * 10**9


def read(
    request: ExportMetricsServiceRequest, policy: PointPolicy = POLICY
) -> list[dict[str, Any]]:
    return read_metrics(request.SerializeToString(), policy).readings.to_dicts()


def read_values(*metrics: Metric) -> list[tuple[str, float]]:
    rows = read(make_request(*metrics, service_name="shop"))
    return [(row["channel"], row["value"]) for row in rows]


def check(points: Points) -> tuple[int, list[RejectedRow]]:
    good, bad = check_events(points.readings, now=NOW, policy=TimePolicy())
    return len(good), bad


def test_a_point_becomes_a_reading():
    gauge = make_gauge("cell.temp", (1.5, NOW_NS), (2, NOW_NS + 1_000_999), cell="3", ok=True)
    first, second = read(make_request(gauge, service_name="bench-07"))
    assert first.pop("id") != second.pop("id")
    assert first == {
        "stream_id": "bench-07",
        "channel": "cell.temp:cell=3:ok=true",
        "index": 0,
        "type": "reading",
        "value": 1.5,
        "unit": "Cel",
        "timestamp": NOW,
    }
    assert second == first | {
        "index": 1,
        "value": 2.0,
        "timestamp": NOW + timedelta(microseconds=1000),
    }


def test_sums_of_both_kinds_are_stored_as_they_come():
    metric = Metric(name="orders")
    metric.sum.is_monotonic = True
    metric.sum.data_points.add(time_unix_nano=NOW_NS, as_int=2**62)
    assert read_values(metric) == [("orders", float(2**62))]


@pytest.mark.parametrize("kind", ["histogram", "exponential_histogram"])
def test_a_histogram_becomes_what_is_known_of_it(kind: str):
    metric = Metric(name="wait", unit="ms")
    points = getattr(metric, kind).data_points
    points.add(time_unix_nano=NOW_NS, count=3, sum=9.5, min=1.0, max=6.0)
    points.add(time_unix_nano=NOW_NS + 1, count=2**63)
    assert read_values(metric) == [
        ("wait.count", 3.0),
        ("wait.count", float(2**63)),
        ("wait.sum", 9.5),
        ("wait.min", 1.0),
        ("wait.max", 6.0),
    ]


def test_a_summary_becomes_a_channel_for_each_quantile():
    metric = Metric(name="wait")
    point = metric.summary.data_points.add(time_unix_nano=NOW_NS, count=3, sum=9.5)
    for quantile, value in ((0.5, 2.0), (0.99, math.nan)):
        point.quantile_values.add(quantile=quantile, value=value)
    point.attributes.extend(write_attributes({"route": "a"}))
    assert read_values(metric) == [
        ("wait.count:route=a", 3.0),
        ("wait.sum:route=a", 9.5),
        ("wait:quantile=0.5:route=a", 2.0),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (7, "7"), (0.5, "0.5"), ("", ""), ("x", "x")],
)
def test_attributes_of_every_kind_name_a_channel(value: Any, text: str):
    assert read_values(make_gauge("x", (1.0, NOW_NS), a=value)) == [(f"x:a={text}", 1.0)]


def test_a_list_as_an_attribute_names_a_channel_too():
    ((one, _),) = read_values(make_gauge("x", (1.0, NOW_NS), a=["b"]))
    ((other, _),) = read_values(make_gauge("x", (1.0, NOW_NS), a=["c"]))
    assert one != other


@pytest.mark.parametrize(
    ("resource", "stream"),
    [
        ({"telemetra_stream.id": "s", "service_name": "shop"}, "shop"),
        ({"service_name": "shop", "host_name": "a"}, "shop"),
        ({"host_name": "a"}, "a"),
        ({}, "otlp"),
    ],
)
def test_the_first_attribute_that_a_resource_has_names_the_stream(resource: Any, stream: str):
    assert read(make_request(make_gauge("x", (1.0, NOW_NS)), **resource))[0]["stream_id"] == stream


def test_a_resource_may_name_its_stream_itself():
    request = make_request(make_gauge("x", (1.0, NOW_NS)), service_name="shop")
    request.resource_metrics[0].resource.attributes.extend(
        write_attributes({"telemetra.stream_id": "mine"})
    )
    assert read(request)[0]["stream_id"] == "mine"


def test_sources_that_share_a_stream_do_not_take_each_other_for_repeats():
    gauge = make_gauge("x", (1.0, NOW_NS), host="a")
    policy = PointPolicy(left_out=frozenset({"host"}))
    rows = [
        *read(make_request(gauge, service_name="shop"), policy),
        *read(make_request(gauge, service_name="shop", service_instance_id="2"), policy),
        *read(make_request(gauge, service_name="shop", scope="another"), policy),
        *read(make_request(make_gauge("x", (1.0, NOW_NS), host="b"), service_name="shop"), policy),
    ]
    assert {(row["stream_id"], row["channel"]) for row in rows} == {("shop", "x")}
    assert len({row["id"] for row in rows}) == 4
    assert read(make_request(gauge, service_name="shop"), policy)[0]["id"] == rows[0]["id"]


def test_what_was_not_recorded_is_counted_and_left_out():
    gauge = make_gauge("x", (1.0, NOW_NS), (None, NOW_NS + 1))
    gauge.gauge.data_points[1].flags = 1
    points = read_metrics(make_request(gauge).SerializeToString(), POLICY)
    assert (points.unrecorded, len(points.readings), points.refused) == (1, 1, [])


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_point_without_a_number_is_left_to_the_rules_of_events(value: Any):
    gauge = make_gauge("x", (value, NOW_NS), (1.0, NOW_NS))
    points = read_metrics(make_request(gauge).SerializeToString(), POLICY)
    good, bad = check(points)
    assert (good, [row.index for row in bad]) == (1, [0])


def test_a_histogram_with_a_bad_part_keeps_its_other_parts():
    metric = Metric(name="wait")
    metric.histogram.data_points.add(time_unix_nano=NOW_NS, count=1, sum=math.inf)
    metric.histogram.data_points.add(time_unix_nano=NOW_NS, count=1, sum=1)
    points = read_metrics(make_request(metric).SerializeToString(), POLICY)
    good, bad = check(points)
    assert (good, [row.index for row in bad]) == (3, [0])


def test_times_that_do_not_fit_are_refused_and_do_not_come_round_to_others():
    gauge = make_gauge("x", *((1.0, time) for time in (0, 2**64 - 1, 2**63 + NOW_NS)))
    good, bad = check(read_metrics(make_request(gauge).SerializeToString(), POLICY))
    assert (good, len(bad)) == (0, 3)


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (make_gauge("", (1.0, NOW_NS)), "no name"),
        (make_gauge("x" * 256, (1.0, NOW_NS)), "longer than 255"),
        (make_gauge("x", (1.0, NOW_NS), a="b" * LABEL_BYTES_MAX), "labels take more"),
    ],
)
def test_a_point_that_cannot_be_named_is_refused(metric: Metric, reason: str):
    body = make_request(metric, make_gauge("y", (1.0, NOW_NS))).SerializeToString()
    points = read_metrics(body, POLICY)
    assert [row.index for row in points.refused] == [0]
    assert reason in points.refused[0].reason
    assert points.readings["channel"].to_list() == ["y"]


def test_damaged_attributes_refuse_their_points_only():
    damaged = otlp_messages.METRICS()
    group = damaged.resource_metrics.add()
    gauge = group.scope_metrics.add().metrics.add(name="x").gauge
    gauge.data_points.add(attributes=[b"\x0a\x05a"], time_unix_nano=NOW_NS, as_double=1)
    group = damaged.resource_metrics.add()
    group.resource.attributes.append(b"\x0a\x05a")
    gauge = group.scope_metrics.add().metrics.add(name="x").gauge
    gauge.data_points.add(time_unix_nano=NOW_NS, as_double=1)
    good = make_request(make_gauge("y", (1.0, NOW_NS))).SerializeToString()
    points = read_metrics(damaged.SerializeToString() + good, POLICY)
    assert [row.index for row in points.refused] == [0, 1]
    assert all("cannot be read" in row.reason for row in points.refused)
    assert points.readings["channel"].to_list() == ["y"]


def test_only_short_attributes_are_remembered():
    NAMES.known.cache_clear()
    for long in ("x" * KNOWN_BYTES_MAX, "y"):
        read(make_request(make_gauge("x", (1.0, NOW_NS), a=long)))
    assert NAMES.known.cache_info().currsize == 1


def test_json_says_the_same_as_protobuf():
    histogram = Metric(name="wait")
    histogram.histogram.data_points.add(
        time_unix_nano=NOW_NS, count=3, sum=9.5, bucket_counts=[1, 2], explicit_bounds=[0.5]
    )
    request = make_request(
        make_gauge("x", (1.5, NOW_NS), (7, NOW_NS), a="b"), histogram, service_name="shop"
    )
    document = orjson.loads(MessageToJson(request))
    document["unknown"] = [{"of": "a later version"}]
    packed = pack_json(orjson.dumps(document))
    assert read_metrics(packed, POLICY).readings.equals(
        read_metrics(request.SerializeToString(), POLICY).readings
    )


FIELDS = sorted(
    field.json_name
    for file in (metrics_pb2, resource_pb2, common_pb2)
    for message in file.DESCRIPTOR.message_types_by_name.values()
    for field in message.fields
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
json_values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
    ),
    max_leaves=25,
)


@given(json_values.filter(lambda value: value != {}))
def test_wrong_json_is_refused_and_never_a_crash(value: Any):
    for document in (value, {"resourceMetrics": [{"scopeMetrics": [{"metrics": [value]}]}]}):
        with suppress(BadRequestError):
            check(read_metrics(pack_json(json.dumps(document).encode()), POLICY))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"7",
        b"\xff",
        b"[" * 100_000,
        b'{"resourceMetrics":' * 900 + b"1" + b"}" * 900,
        b'{"resourceMetrics":' + b'[{"resource":{"attributes":[{"value":{"kvlistValue":{"values":',
        b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"\\ud800"}]}]}]}',
    ],
)
def test_json_of_no_use_is_refused(body: bytes):
    with pytest.raises(BadRequestError):
        pack_json(body)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda value: {"kvlistValue": {"values": [{"key": "k", "value": value}]}},
        lambda value: {"arrayValue": {"values": [value]}},
    ],
)
def test_attributes_within_attributes_have_an_end(wrap: Callable[[Any], Any]):
    value: Any = {"stringValue": "x"}
    outcomes = []
    for _ in range(60):
        point = {"asInt": "1", "timeUnixNano": str(NOW_NS), "attributes": [{"value": value}]}
        metric = {"name": "x", "gauge": {"dataPoints": [point]}}
        document = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
        try:
            points = read_metrics(pack_json(orjson.dumps(document)), POLICY)
            outcomes.append(len(points.readings))
        except BadRequestError:
            outcomes.append(0)
        value = wrap(value)
    assert outcomes[:10] == [1] * 10
    assert outcomes[-1] == 0


@pytest.mark.parametrize(("depth", "is_read"), [(40, True), (60, False), (1500, False)])
def test_messages_within_messages_have_an_end(depth: int, *, is_read: bool):
    attribute = write_attributes({"k": "x"})[0].value.SerializeToString()
    for _ in range(depth):
        # A list of one value, as a value.
        for field in (1, 5):
            attribute = _frame(field, attribute)
    request = otlp_messages.METRICS()
    gauge = request.resource_metrics.add().scope_metrics.add().metrics.add(name="x").gauge
    gauge.data_points.add(attributes=[_frame(2, attribute)], time_unix_nano=NOW_NS, as_int=1)
    points = read_metrics(request.SerializeToString(), POLICY)
    assert len(points.readings) == is_read
    assert [row.reason for row in points.refused] == (
        [] if is_read else ["an attribute cannot be read"]
    )


def _frame(field: int, message: bytes) -> bytes:
    size = len(message)
    return bytes([field << 3 | 2, size & 127 | 128, size >> 7 & 127 | 128, size >> 14]) + message


@given(st.binary(max_size=300))
def test_garbage_is_refused_and_never_a_crash(body: bytes):
    good = make_request(make_gauge("x", (1.0, NOW_NS))).SerializeToString()
    for sent in (body, good[: len(body)] + body, good + body):
        with suppress(BadRequestError):
            check(read_metrics(sent, POLICY))


@pytest.mark.parametrize(
    ("limit", "body", "words"),
    [
        ("METRICS_MAX", b"\x0a\x00" * 51, "metrics"),
        ("METRICS_MAX", b"\x0a\x66" + b"\x12\x00" * 51, "metrics"),
        ("METRICS_MAX", b"\x0a\x68\x12\x66" + b"\x12\x00" * 51, "metrics"),
        ("POINTS_MAX", b"\x0a\x6c\x12\x6a\x12\x68\x2a\x66" + b"\x0a\x00" * 51, "data points"),
    ],
)
def test_too_many_of_nothing_are_refused(
    monkeypatch: pytest.MonkeyPatch, limit: str, body: bytes, words: str
):
    monkeypatch.setattr(otlp_metrics, limit, 50)
    with pytest.raises(TooLargeError, match=words):
        read_metrics(body, POLICY)


def test_too_many_quantiles_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(otlp_metrics, "POINTS_MAX", 50)
    metric = Metric(name="wait")
    point = metric.summary.data_points.add(time_unix_nano=NOW_NS)
    for _ in range(51):
        point.quantile_values.add(quantile=0.5)
    with pytest.raises(TooLargeError, match="quantiles"):
        read_metrics(make_request(metric).SerializeToString(), POLICY)


def test_too_many_objects_are_refused_before_they_are_read():
    body = b"{" * (otlp_messages.JSON_OBJECTS_MAX + 1)
    with pytest.raises(TooLargeError, match="objects"):
        pack_json(body)
