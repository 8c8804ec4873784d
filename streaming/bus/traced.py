"""Traced bus: a writer around a writer, which sends the trace of a request along with its entries.

Built only where a collector is named. Consumers that do not know of traces never see the context.
"""

from collections.abc import Mapping
from typing import Final

from core.traces import Facts, Kind, Tracer
from streaming.bus.base import BusWriter, Offsets, Once

APPEND: Final = "send bus"


class TracedBusWriter:
    """Appends entries, each append a span."""

    def __init__(self, writer: BusWriter, tracer: Tracer, *, system: str) -> None:
        self._writer = writer
        self._tracer = tracer
        self._system = system

    async def append(
        self, entries: Mapping[int, bytes], *, once: Once | None = None, trace: str | None = None
    ) -> Offsets | None:
        """Append one entry to each shard named, all or none; return None for a repeat."""
        facts: Facts = {
            "messaging.system": self._system,
            "messaging.operation.type": "send",
            "messaging.destination.name": "bus",
            "messaging.batch.message_count": len(entries),
            "telemetra.bytes": sum(map(len, entries.values())),
        }
        with self._tracer.span(APPEND, Kind.PRODUCER, facts) as span:
            offsets = await self._writer.append(entries, once=once, trace=span.context or trace)
            if offsets is None:
                span.note({"telemetra.repeat": True})
            return offsets

    async def close(self) -> None:
        """Let go of the connection."""
        await self._writer.close()
