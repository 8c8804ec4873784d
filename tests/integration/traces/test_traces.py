"""Traces: one picture from the request to the commit, and nothing of it where nobody asked."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator

import httpx
import pytest
import redis.asyncio
from websockets.asyncio.client import connect

from api.app import build_app
from core.clock import SystemClock
from core.settings import REPOSITORY, Settings
from streaming.bus.connections import open_reader
from tests.fixtures.apis import calling, serving
from tests.fixtures.collectors import Collector, Taken
from tests.fixtures.events import chat, write_event
from tests.fixtures.flows import FlowProcess
from tests.fixtures.waiting import eventually
from tests.integration.api.paths import INGEST

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER = "0af7651916cd43dd8448eb211c80319c"
CALLER = "00f067aa0ba902b7"
API, SEND, PROCESS, COMMIT, PUBLISH = (
    "POST /api/v1/ingest",
    "send bus",
    "process bus",
    "commit",
    "publish live",
)


@pytest.fixture
def settings(settings: Settings, collector: Collector) -> Settings:
    """Settings that name the collector."""
    return settings.model_copy(
        update={"otel_exporter_otlp_endpoint": collector.url, "bus_shards": 2}
    )


@pytest.fixture
async def traced(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that is traced."""
    async with calling(build_app(settings)) as client:
        yield client


async def send(client: httpx.AsyncClient, trace: str | None, *, flags: str = "01") -> str:
    """Send an event in a trace; return the id of the request."""
    headers = {} if trace is None else {"traceparent": f"00-{trace}-{CALLER}-{flags}"}
    event = write_event(chat(SystemClock().now()))
    answer = await client.post(INGEST, json=[event], headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.headers["X-Request-ID"]


async def wait_for(collector: Collector, name: str, count: int = 1) -> list[Taken]:
    return await eventually(lambda: collector.named(name), holds=lambda spans: len(spans) >= count)


def read_traces(settings: Settings) -> list[str | None]:
    reader = open_reader(settings, "flow")
    try:
        entries = [entry for shard in range(2) for entry in reader.read(shard, after=0, limit=9)]
    finally:
        reader.close()
    return [entry.trace for entry in entries]


async def test_a_trace_goes_from_the_request_to_what_is_told_of_its_commit(
    traced: httpx.AsyncClient, collector: Collector, flow_process: FlowProcess
):
    flow_process.start()
    request_id = await send(traced, TRACE)
    await wait_for(collector, PUBLISH)
    spans = [(await wait_for(collector, name))[0] for name in (API, SEND, PROCESS, COMMIT, PUBLISH)]
    assert {span.trace_id for span in spans} == {TRACE}
    assert [span.parent_id for span in spans] == [CALLER, *(span.span_id for span in spans[:-1])]
    assert [span.kind for span in spans] == [2, 4, 5, 3, 4]
    assert [span.service for span in spans] == 2 * ["telemetra-api"] + 3 * ["telemetra-flow"]
    assert spans[0].facts["telemetra.request_id"] == request_id
    assert spans[0].facts["http.response.status_code"] == 202
    assert spans[3].facts["telemetra.events"] == 1
    assert not any(span.has_failed for span in spans)


async def test_a_frame_of_several_requests_links_to_all_of_them(
    traced: httpx.AsyncClient, collector: Collector, flow_process: FlowProcess
):
    for trace in (TRACE, None, OTHER):
        await send(traced, trace, flags="01")
    sent = await wait_for(collector, SEND, 3)
    flow_process.start()
    (commit,) = await wait_for(collector, COMMIT)
    (process,) = collector.named(PROCESS)
    assert set(process.links) == {(span.trace_id, span.span_id) for span in sent}
    assert process.parent_id == ""
    assert process.trace_id not in {span.trace_id for span in sent}
    assert (commit.trace_id, commit.parent_id) == (process.trace_id, process.span_id)


async def test_what_the_caller_does_not_record_is_not_recorded(
    traced: httpx.AsyncClient, collector: Collector, settings: Settings
):
    await send(traced, TRACE, flags="00")
    await send(traced, OTHER)
    await wait_for(collector, API)
    assert {span.trace_id for span in collector.spans} == {OTHER}
    traces = read_traces(settings)
    assert len(traces) == 2
    assert [trace[3:35] for trace in traces if trace is not None] == [OTHER]


async def test_without_traces_an_entry_is_what_it_ever_was(
    settings: Settings, redis_client: redis.asyncio.Redis
):
    plain = settings.model_copy(update={"otel_exporter_otlp_endpoint": None})
    async with calling(build_app(plain)) as client:
        await send(client, TRACE)
    found = [await redis_client.xrange(f"bus:shard:{shard}") or [] for shard in range(2)]
    assert [list(fields or {}) for entries in found for _, fields in entries] == [[b"d"]]


async def test_a_span_tells_route_and_status_and_no_query(
    traced: httpx.AsyncClient, collector: Collector
):
    answer = await traced.get("/api/v1/streams/nobody/metrics?start=2026-01-01T00:00:00Z")
    assert answer.status_code == 404
    await traced.get("/nowhere")
    await traced.get("/livez")
    (span,) = await wait_for(collector, "GET /api/v1/streams/{stream_id}/metrics")
    assert span.facts["http.response.status_code"] == 404
    assert span.facts["url.path"] == "/api/v1/streams/nobody/metrics"
    await wait_for(collector, "GET unmatched")
    assert "2026" not in str(collector.spans)
    assert not [span for span in collector.spans if "livez" in str(span)]


async def test_a_failure_of_ours_is_a_span_that_failed(
    settings: Settings, collector: Collector, dead_redis_url: str
):
    app = build_app(settings.model_copy(update={"redis_url": dead_redis_url}))
    async with calling(app) as client:
        event = write_event(chat(SystemClock().now()))
        assert (await client.post(INGEST, json=[event])).status_code == 503
        (request,), (append,) = [await wait_for(collector, name) for name in (API, SEND)]
    assert request.has_failed
    assert append.has_failed


async def test_the_span_of_a_socket_ends_when_it_is_open(settings: Settings, collector: Collector):
    async with (
        serving(build_app(settings)) as address,
        connect(
            f"ws://{address}/ws/live?ticket=tt_secret",
            additional_headers={"X-Request-ID": "mine", "traceparent": f"00-{TRACE}-{CALLER}-01"},
        ) as socket,
    ):
        assert socket.response is not None
        assert socket.response.headers["X-Request-ID"] == "mine"
        (span,) = await wait_for(collector, "GET /ws/live")
        assert span.facts["telemetra.request_id"] == "mine"
        assert (span.trace_id, span.parent_id) == (TRACE, CALLER)
        assert "tt_secret" not in str(span)


async def test_a_collector_that_is_away_costs_nothing_but_spans_and_is_named_once(
    settings: Settings, collector: Collector, dead_port: int
):
    del collector
    away = settings.model_copy(
        update={"otel_exporter_otlp_endpoint": f"http://127.0.0.1:{dead_port}"}
    )
    script = (
        "import asyncio, sys\n"
        "from core.logging import configure_logging\n"
        "from core.traces import Kind, Origin\n"
        "from streaming.traces.otlp import OtlpTracer\n"
        "configure_logging('api', level='INFO', as_json=True)\n"
        "tracer = OtlpTracer(sys.argv[1], 'api', sampler='always_on', ratio=1.0)\n"
        "for number in range(3):\n"
        "    with tracer.span('work', Kind.SERVER, {}, origin=Origin()):\n"
        "        pass\n"
        "    tracer._provider.force_flush()\n"
        "tracer.stop()\n"
    )
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", script, f"{away.otel_exporter_otlp_endpoint}/v1/traces"],
        cwd=REPOSITORY,
        env={"OTEL_EXPORTER_OTLP_TIMEOUT": "0.2", "OTEL_BSP_SCHEDULE_DELAY": "20"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line for line in done.stderr.splitlines() if "traces_collector_away" in line]
    assert len(done.stderr.splitlines()) == 1
    async with calling(build_app(away)) as client:
        await send(client, TRACE)
    assert [trace is not None for trace in read_traces(away)] == [True]


def test_without_a_collector_nothing_that_traces_is_loaded():
    script = (
        "import sys, api.app, streaming.flow.__main__\n"
        "from core.settings import Settings\n"
        "from streaming.traces.tracers import open_tracer\n"
        "assert open_tracer(Settings(_env_file=None), 'api') is None\n"
        "loaded = [name for name in sys.modules if name.startswith('opentelemetry.')]\n"
        "print([name for name in loaded if '.sdk.trace' in name or '.exporter' in name])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
