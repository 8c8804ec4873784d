"""Ingest: a body into columns, checked, split by shard, onto the bus.

Nothing is acknowledged before the bus has it; a bad row never takes a good one with it.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import orjson
import polars as pl

from api.ingest.readers import Reader
from core import metrics
from core.batches import encode_events, split_by_shard
from core.clock import Clock
from core.events import RejectedRow, TimePolicy, check_events
from core.keys import EVERYONE, Caller
from core.settings import Settings
from streaming.bus.base import BusWriter, Once

INLINE_BYTES_MAX: Final = 32_768
"""Larger bodies are parsed in a thread, so that they do not hold up small requests."""

ERRORS_NAMED_MAX: Final = 100
"""So many bad rows are named; all are counted."""

OUT_OF_REACH: Final = "stream_id: the key does not reach this stream"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A body as bus entries, and what was refused."""

    entries: dict[int, bytes]
    accepted_by_type: dict[str, int]
    rejected: list[RejectedRow]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a body."""

    accepted: int
    rejected: list[RejectedRow]

    def write(self) -> bytes:
        """Return the receipt as clients read it."""
        named = self.rejected[:ERRORS_NAMED_MAX]
        return orjson.dumps(
            {
                "accepted": self.accepted,
                "rejected": len(self.rejected),
                "errors": [{"index": row.index, "reason": row.reason} for row in named],
            }
        )


class IngestService:
    """Accepts bodies of one caller."""

    def __init__(
        self, settings: Settings, clock: Clock, bus: BusWriter, caller: Caller = EVERYONE
    ) -> None:
        self._shards = settings.bus_shards
        self._clock = clock
        self._bus = bus
        self._caller = caller
        self._policy = TimePolicy(
            past=timedelta(days=settings.ingest_past_days),
            ahead=timedelta(minutes=settings.ingest_ahead_minutes),
        )

    async def accept(self, body: bytes, read: Reader, key: str | None = None) -> Receipt:
        """Put a body's good events on the bus and name its bad ones; with a key it counts once."""
        if len(body) > INLINE_BYTES_MAX:
            parsed = await asyncio.to_thread(self._parse, body, read)
        else:
            parsed = self._parse(body, read)
        if parsed.entries:
            once = self._claim(body, key) if key else None
            with metrics.bus_append_seconds.time():
                await self._bus.append(parsed.entries, once=once)
        self._count(parsed)
        return Receipt(sum(parsed.accepted_by_type.values()), parsed.rejected)

    def _claim(self, body: bytes, key: str) -> Once:
        # Two senders that chose the same word do not know of each other.
        return Once(f"{self._caller.key_id or 'everyone'}:{key}", hashlib.sha256(body).hexdigest())

    def _parse(self, body: bytes, read: Reader) -> Parsed:
        raw, unreadable = read(body)
        raw, foreign = refuse_streams(raw, self._caller)
        events, refused = check_events(raw, now=self._clock.now(), policy=self._policy)
        counts = events.group_by("type").len()
        entries = split_by_shard(events, self._shards) if not events.is_empty() else {}
        return Parsed(
            entries={shard: encode_events(part) for shard, part in entries.items()},
            accepted_by_type=_pair(counts),
            rejected=sorted([*unreadable, *foreign, *refused], key=lambda row: row.index),
        )

    def _count(self, parsed: Parsed) -> None:
        for event_type, count in parsed.accepted_by_type.items():
            metrics.events_accepted_total.labels(event_type).inc(count)
        if parsed.rejected:
            metrics.events_rejected_total.labels("invalid").inc(len(parsed.rejected))


def refuse_streams(raw: pl.DataFrame, caller: Caller) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Put aside the rows of streams that a caller does not reach; one without a stream is none."""
    if caller.streams is None or "stream_id" not in raw.columns:
        return raw, []
    named = raw["stream_id"].unique().drop_nulls().to_list()
    foreign = [stream_id for stream_id in named if not caller.allows_stream(stream_id)]
    is_foreign = pl.col("stream_id").is_in(foreign).fill_null(value=False)
    refused = [
        RejectedRow(index, OUT_OF_REACH) for index in raw.filter(is_foreign)["index"].to_list()
    ]
    return raw.filter(~is_foreign), refused


def _pair(counts: pl.DataFrame) -> dict[str, int]:
    return dict(counts.iter_rows())
