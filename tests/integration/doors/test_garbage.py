"""Garbage at the doors of other protocols: refused in words, good samples kept, memory bounded."""

import gzip
from collections.abc import Callable
from typing import Final

import httpx
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import SystemClock
from core.otlp_messages import BODY_BYTES_MAX as OTLP_BYTES_MAX
from core.remote_writes import BODY_BYTES_MAX as WRITE_BYTES_MAX
from tests.fixtures.flows import Flow
from tests.fixtures.otlp_requests import make_gauge, make_request
from tests.fixtures.remote_writes import HEADERS, pack, write_request

WRITE: Final = "/api/v1/prom/write"
METRICS: Final = "/v1/metrics"
PROTOBUF: Final = {"Content-Type": "application/x-protobuf"}
JSON: Final = {"Content-Type": "application/json"}

MEMORY_MB_MAX: Final = 400
"""What one huge body may leave behind in a process, whose allocators keep some of it."""

NOW_MS: Final = int(SystemClock().now().timestamp()) * 1000
UP: Final = {"__name__": "up", "instance": "a:9090"}
WRITTEN: Final = write_request((UP, [(1.5, NOW_MS), (0, NOW_MS)]), (UP | {"a": "b"}, [(1, 0)]))
EXPORTED: Final = make_request(
    make_gauge("x", (1.5, NOW_MS * 10**6), (7, 0), a="b"), service_name="s"
).SerializeToString()
TEXT: Final = (
    b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"x","gauge":'
    b'{"dataPoints":[{"asInt":"1","timeUnixNano":"1","attributes":[{"key":"k"}]}]}}]}]}]}'
)

steady = settings(
    max_examples=2 * settings().max_examples,
    deadline=None,
    # The application and its services may serve many examples.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def damaged(draw: st.DrawFn, body: bytes) -> bytes:
    """Return a body with pieces cut out and put in."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body)))
        body = body[:at] + draw(st.binary(max_size=4)) + body[at + draw(st.integers(0, 5)) :]
    return body


@steady
@given(body=damaged(WRITTEN).map(pack) | damaged(pack(WRITTEN)) | st.binary(max_size=99))
async def test_whatever_is_written_remotely_is_answered(client: httpx.AsyncClient, body: bytes):
    answer = await client.post(WRITE, content=body, headers=HEADERS)
    assert answer.status_code in {204, 400, 413}, answer.text
    if answer.status_code != 204:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert len(answer.json()["detail"]) > 20


@steady
@given(
    body=damaged(EXPORTED) | damaged(TEXT) | st.binary(max_size=99),
    headers=st.sampled_from([PROTOBUF, JSON]),
    encode=st.sampled_from([bytes, gzip.compress, lambda body: gzip.compress(body)[:-9]]),
)
async def test_whatever_is_exported_is_answered(
    client: httpx.AsyncClient,
    body: bytes,
    headers: dict[str, str],
    encode: Callable[[bytes], bytes],
):
    encoding = {"Content-Encoding": "identity" if encode is bytes else "gzip"}
    answer = await client.post(METRICS, content=encode(body), headers=headers | encoding)
    assert answer.status_code in {200, 400, 413}, answer.text
    assert answer.headers["Content-Type"] == headers["Content-Type"]
    assert answer.content or answer.status_code == 200


@steady
@given(body=damaged(write_request((UP | {"b": "c"}, [(1, 1)]))))
async def test_a_good_series_is_kept_or_nothing_is(
    client: httpx.AsyncClient, flow: Flow, body: bytes
):
    good = write_request((UP | {"marked": body.hex()[:64]}, [(1, NOW_MS)]))
    answer = await client.post(WRITE, content=pack(good + body), headers=HEADERS)
    applied = await flow.pump()
    is_whole = answer.status_code == 204 or "partial_write" in answer.text
    assert applied == 0 or is_whole


def frame(body: bytes, *fields: int) -> bytes:
    """Return bytes within messages, the innermost field first."""
    for field in fields:
        size = len(body)
        length = bytes(
            [size & 127 | 128, size >> 7 & 127 | 128, size >> 14 & 127 | 128, size >> 21]
        )
        body = bytes([field << 3 | 2]) + length + body
    return body


EMPTY_WRITES: Final = {
    "series": b"\x0a\x00" * (WRITE_BYTES_MAX // 2),
    "labels": frame(b"\x0a\x00" * (WRITE_BYTES_MAX // 2 - 9), 1),
    "samples": frame(b"\x12\x00" * (WRITE_BYTES_MAX // 2 - 9), 1),
    "series of labels": b"\x0a\x02\x0a\x00" * (WRITE_BYTES_MAX // 4),
    "a label of eight megabytes": frame(b"x" * (WRITE_BYTES_MAX - 99), 2, 1, 1),
}
EMPTY_EXPORTS: Final = {
    "resources": b"\x0a\x00" * (OTLP_BYTES_MAX // 2),
    "attributes": frame(b"\x0a\x00" * (OTLP_BYTES_MAX // 2 - 9), 1, 1),
    "metrics": frame(b"\x12\x00" * (OTLP_BYTES_MAX // 2 - 9), 2, 1),
    "points": frame(b"\x0a\x00" * (OTLP_BYTES_MAX // 2 - 15), 1, 5, 2, 2, 1),
    "attributes of a point": frame(b"\x3a\x00" * (OTLP_BYTES_MAX // 2 - 20), 1, 5, 2, 2, 1),
    "a name of four megabytes": frame(b"x" * (OTLP_BYTES_MAX - 99), 1, 2, 2, 1),
}


@pytest.mark.parametrize("name", EMPTY_WRITES)
async def test_eight_megabytes_of_nothing_are_answered_within_bounds(
    client: httpx.AsyncClient, name: str
):
    process = psutil.Process()
    before = process.memory_info().rss
    answer = await client.post(WRITE, content=pack(EMPTY_WRITES[name]), headers=HEADERS)
    assert answer.status_code in {204, 400, 413}, answer.text
    assert process.memory_info().rss - before < MEMORY_MB_MAX * 1_000_000


@pytest.mark.parametrize("name", EMPTY_EXPORTS)
async def test_four_megabytes_of_nothing_are_answered_within_bounds(
    client: httpx.AsyncClient, name: str
):
    process = psutil.Process()
    before = process.memory_info().rss
    body = gzip.compress(EMPTY_EXPORTS[name])
    answer = await client.post(
        METRICS, content=body, headers=PROTOBUF | {"Content-Encoding": "gzip"}
    )
    assert answer.status_code in {200, 400, 413}, answer.text
    assert process.memory_info().rss - before < MEMORY_MB_MAX * 1_000_000


@pytest.mark.parametrize("headers", [PROTOBUF, JSON], ids=["protobuf", "json"])
async def test_a_bomb_is_refused(client: httpx.AsyncClient, headers: dict[str, str]):
    body = gzip.compress(bytes(200_000_000), 1)
    process = psutil.Process()
    before = process.memory_info().rss
    answer = await client.post(
        METRICS, content=body, headers=headers | {"Content-Encoding": "gzip"}
    )
    assert answer.status_code == 413
    assert process.memory_info().rss - before < 100_000_000
