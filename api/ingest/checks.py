"""Checks: a body into events that keep every rule, and the rows that do not.

    body ─► reader ─► within the caller's reach? ─► core.events ─► events │ refused rows
                                                                     └─► an entry a shard

Nothing here waits for anything; ``api.ingest.service`` and ``api.ingest.small_bodies`` do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import orjson
import polars as pl

from api.ingest.readers import Reader
from core import metrics
from core.batches import encode_events, split_by_shard
from core.clock import Clock
from core.errors import BadRequestError
from core.events import RejectedRow, TimePolicy, check_events
from core.keys import Caller
from core.settings import Settings
from streaming.bus.base import Offsets

ERRORS_NAMED_MAX: Final = 100
"""So many bad rows are named; all are counted."""

OUT_OF_REACH: Final = "stream_id: the key does not reach this stream"


@dataclass(frozen=True, slots=True)
class Checked:
    """The events of a body, and what was refused."""

    events: pl.DataFrame
    rejected: list[RejectedRow]

    def count_by_type(self) -> dict[str, int]:
        """Return how many events of each type there are."""
        return dict(self.events["type"].value_counts().iter_rows())


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a body."""

    accepted: int
    rejected: list[RejectedRow]
    offsets: Offsets = field(default_factory=dict, compare=False)
    """Where its events are, perhaps among those of others."""

    def write(self) -> bytes:
        """Return the receipt as clients read it."""
        named = self.rejected[:ERRORS_NAMED_MAX]
        return orjson.dumps(
            {
                "accepted": self.accepted,
                "rejected": len(self.rejected),
                "errors": [
                    {"index": row.index, "field": row.field, "reason": row.reason} for row in named
                ],
            }
        )


class Checker:
    """Knows the rules that are set."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._shards = settings.bus_shards
        self._clock = clock
        self._policy = TimePolicy(
            past=timedelta(days=settings.ingest_past_days),
            ahead=timedelta(minutes=settings.ingest_ahead_minutes),
        )

    def check_body(self, body: bytes, read: Reader, caller: Caller) -> Checked:
        """Return the good events of a body, and its bad rows in their order.

        Raises:
            TelemetraError: It cannot be read at all.
        """
        try:
            raw, unreadable = read(body)
            checked = self.check_rows(raw, caller)
        # A panic is no Exception, and would end the connection without a word.
        except pl.exceptions.PanicException as error:
            raise BadRequestError(f"The body cannot be read: {error}.") from None
        if unreadable:
            checked.rejected.extend(unreadable)
            checked.rejected.sort(key=lambda row: row.index)
        return checked

    def check_rows(self, raw: pl.DataFrame, caller: Caller) -> Checked:
        """Return the good events of raw rows, and the bad ones in their order."""
        raw, foreign = refuse_streams(raw, caller)
        events, refused = check_events(raw, now=self._clock.now(), policy=self._policy)
        rejected = sorted([*foreign, *refused], key=lambda row: row.index) if foreign else refused
        return Checked(events, rejected)

    def pack(self, events: pl.DataFrame) -> dict[int, bytes]:
        """Return events as one entry a shard."""
        parts = split_by_shard(events, self._shards) if not events.is_empty() else {}
        return {shard: encode_events(part) for shard, part in parts.items()}


def refuse_streams(raw: pl.DataFrame, caller: Caller) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Put aside the rows of streams that a caller does not reach; one without a stream is none."""
    if caller.streams is None or "stream_id" not in raw.columns:
        return raw, []
    named = raw["stream_id"].unique().drop_nulls().to_list()
    foreign = [stream_id for stream_id in named if not caller.allows_stream(stream_id)]
    is_foreign = pl.col("stream_id").is_in(foreign).fill_null(value=False)
    refused = [
        RejectedRow(index, OUT_OF_REACH, "stream_id")
        for index in raw.filter(is_foreign)["index"].to_list()
    ]
    return raw.filter(~is_foreign), refused


def count_events(accepted_by_type: Mapping[str, int], rejected: int) -> None:
    """Count what was accepted and what was refused."""
    for event_type, count in accepted_by_type.items():
        metrics.events_accepted_total.labels(event_type).inc(count)
    if rejected:
        metrics.events_rejected_total.labels("invalid").inc(rejected)
