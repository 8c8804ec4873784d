"""Traces of the flow: spans for frames, commits and live messages that came of traced requests.

    entries with contexts ─► process bus ─► commit ─► publish live

What came of one request alone goes on in its trace. A frame of several requests, or a commit of
frames of several, is a trace of its own with links to all. Nothing decides by any of it, and what
came of no traced request costs a look at its entries.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from core.changes import Changes
from core.traces import Facts, Kind, Origin, Tracer, join_contexts
from streaming.flow.lookaheads import Frame
from streaming.flow.shards import Shard

PROCESS: Final = "process bus"
COMMIT: Final = "commit"
PUBLISH: Final = "publish live"


class FlowTraces:
    """Begins the spans of one process; none without a tracer."""

    def __init__(self, tracer: Tracer | None) -> None:
        self._tracer = tracer

    def stop(self) -> None:
        """Send what waits."""
        if self._tracer is not None:
            self._tracer.stop()

    def apply(self, shard: Shard, frame: Frame) -> list[Changes]:
        """Let a shard apply a frame."""
        if self._tracer is None:
            return shard.apply(frame.batch, frame.prepared)
        entries = frame.batch.entries
        origin = join_contexts(entry.trace for entry in entries)
        if origin is None:
            return shard.apply(frame.batch, frame.prepared)
        facts: Facts = {
            "messaging.operation.type": "process",
            "messaging.destination.name": "bus",
            "messaging.destination.partition.id": str(frame.batch.shard),
            "messaging.batch.message_count": len(entries),
            "telemetra.offset": frame.batch.offset,
        }
        with self._tracer.span(PROCESS, Kind.CONSUMER, facts, origin=origin) as span:
            changes = shard.apply(frame.batch, frame.prepared)
            span.note({"telemetra.events": sum(item.events for item in changes)})
        return [replace(item, trace=span.context) for item in changes]

    @contextmanager
    def commit(self, group: Sequence[Changes]) -> Iterator[str | None]:
        """Trace the transaction of a group; lend its context."""
        origin = join_contexts(changes.trace for changes in group)
        if self._tracer is None or origin is None:
            yield None
            return
        facts: Facts = {
            "db.system.name": "postgresql",
            "telemetra.changes": len(group),
            "telemetra.events": sum(changes.events for changes in group),
        }
        with self._tracer.span(COMMIT, Kind.CLIENT, facts, origin=origin) as span:
            yield span.context

    @contextmanager
    def publish(self, commit: str | None) -> Iterator[None]:
        """Trace what is told of a commit."""
        if self._tracer is None or commit is None:
            yield
            return
        facts: Facts = {"messaging.system": "redis", "messaging.operation.type": "send"}
        with self._tracer.span(PUBLISH, Kind.PRODUCER, facts, origin=Origin(commit)):
            yield
