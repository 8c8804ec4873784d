"""OTLP: spans to a collector over HTTP, by the SDK of OpenTelemetry.

    span ends ─► queue (2048, then the oldest are lost) ─► a thread ─► POST …/v1/traces

Nothing waits for the collector. Of one that is away the log says so once, and once when it is
back; the SDK's own loggers, which would say it with every attempt, are silenced. Headers,
certificates, timeouts and sizes come from the environment under the names of OpenTelemetry, which
the SDK reads itself.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from typing_extensions import override

from core import metrics
from core.settings import VERSION
from core.traces import Facts, Kind, Origin

STOP_S_MAX: Final = 2.0
"""How long a process that stops waits for its last spans to be taken."""

KINDS: Final = {
    Kind.SERVER: trace.SpanKind.SERVER,
    Kind.PRODUCER: trace.SpanKind.PRODUCER,
    Kind.CONSUMER: trace.SpanKind.CONSUMER,
    Kind.CLIENT: trace.SpanKind.CLIENT,
}

log = structlog.get_logger()
_propagator: Final = TraceContextTextMapPropagator()


class OtlpSpan:
    """A span of the SDK."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def context(self) -> str | None:
        """What others say to belong to it; None when it is not recorded."""
        known = self._span.get_span_context()
        if not known.trace_flags.sampled:
            return None
        return f"00-{known.trace_id:032x}-{known.span_id:016x}-{known.trace_flags:02x}"

    def rename(self, name: str) -> None:
        """Take the name that was not known at the start."""
        self._span.update_name(name)

    def note(self, facts: Facts) -> None:
        """Add facts."""
        self._span.set_attributes(facts)

    def fail(self) -> None:
        """Say that the work failed."""
        self._span.set_status(trace.StatusCode.ERROR)

    def end(self) -> None:
        """End before the block does; once."""
        if self._span.is_recording():
            self._span.end()


class QuietExporter(SpanExporter):
    """Sends spans, counts them, and says once that they cannot be sent."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner
        self._is_away = False

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._inner.export(spans)
        is_away = result is not SpanExportResult.SUCCESS
        counter = metrics.spans_lost_total if is_away else metrics.spans_sent_total
        counter.inc(len(spans))
        if is_away and not self._is_away:
            log.warning("traces_collector_away", lost="spans, until it is back")
        elif self._is_away and not is_away:
            log.info("traces_collector_back")
        self._is_away = is_away
        return result

    @override
    def shutdown(self) -> None:
        self._inner.shutdown()


class OtlpTracer:
    """Begins spans of one process."""

    def __init__(self, endpoint: str, process: str, *, sampler: str, ratio: float) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        named = Resource(
            {
                "service.namespace": "telemetra",
                "service.name": f"telemetra-{process}",
                "service.version": VERSION,
            }
        )
        # What the environment says of the resource wins, OTEL_SERVICE_NAME too.
        self._provider = TracerProvider(
            resource=named.merge(OTELResourceDetector().detect()),
            sampler=make_sampler(sampler, ratio),
            shutdown_on_exit=False,
        )
        exporter = QuietExporter(OTLPSpanExporter(endpoint=endpoint))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("telemetra", VERSION)

    @contextmanager
    def span(
        self, name: str, kind: Kind, facts: Facts, *, origin: Origin | None = None
    ) -> Iterator[OtlpSpan]:
        """Lend a span for the length of a block; without an origin it belongs to the one around."""
        started = self._tracer.start_span(
            name,
            context=None if origin is None else _to_context(origin.parent),
            kind=KINDS[kind],
            attributes=facts,
            links=[] if origin is None else [_to_link(context) for context in origin.links],
        )
        span = OtlpSpan(started)
        try:
            with trace.use_span(started, end_on_exit=False):
                yield span
        finally:
            span.end()

    def stop(self) -> None:
        """Send what waits, for a moment, and let go of the connection."""
        # A thread of its own, left behind when the collector takes nothing: no stop waits for it.
        stopping = threading.Thread(target=self._provider.shutdown, daemon=True)
        stopping.start()
        stopping.join(STOP_S_MAX)


def make_sampler(name: str, ratio: float) -> Sampler:
    """Return the sampler of a name that OpenTelemetry gave it."""
    by_itself = {
        "always_on": ALWAYS_ON,
        "always_off": ALWAYS_OFF,
        "traceidratio": TraceIdRatioBased(ratio),
    }[name.removeprefix("parentbased_")]
    return ParentBased(by_itself) if name.startswith("parentbased_") else by_itself


def _to_context(text: str | None) -> Context:
    return _propagator.extract({"traceparent": text} if text else {}, Context())


def _to_link(text: str) -> trace.Link:
    return trace.Link(trace.get_current_span(_to_context(text)).get_span_context())
