"""Batches: frames of events as they travel over the bus.

    events -> split by shard -> Arrow IPC bytes -> one bus entry -> Arrow IPC bytes -> one large
    frame

An offset is the bus's own number of an entry; it rises. The bus also remembers when an entry
arrived, so that everything decided from either is decided the same way in a replay.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import polars as pl

from core.events import SCHEMA
from core.ids import shard_of
from core.times import EPOCH

SEQUENCE_BITS: Final = 20
"""Where the bus numbers by time, an offset is milliseconds since 1970, shifted by this, plus the
number within the millisecond."""

BATCH_SCHEMA: Final = pl.Schema({**SCHEMA, "offset": pl.Int64()})


class Entry(NamedTuple):
    """One entry of the bus."""

    offset: int
    arrived_ms: int
    """When the bus took it, in milliseconds since 1970."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive entries of one shard, in one frame with the column ``offset``."""

    shard: int
    offset: int
    """The offset of the last entry in it."""

    arrived_at: datetime
    """When its last entry was appended."""

    frame: pl.DataFrame


def make_offset(at_ms: int, sequence: int) -> int:
    """Return the offset of the n-th entry of a millisecond."""
    return at_ms << SEQUENCE_BITS | sequence


def split_offset(offset: int) -> tuple[int, int]:
    """Return the millisecond of an offset and the number within it."""
    return offset >> SEQUENCE_BITS, offset & ((1 << SEQUENCE_BITS) - 1)


def find_arrival(offset: int) -> datetime:
    """Return when the entry of an offset was appended."""
    return EPOCH + timedelta(milliseconds=split_offset(offset)[0])


def split_by_shard(events: pl.DataFrame, shards: int) -> dict[int, pl.DataFrame]:
    """Split events by the shard of their stream, keeping their order."""
    ids = events["stream_id"].unique().to_list()
    shard_by_id = {stream_id: shard_of(stream_id, shards) for stream_id in ids}
    if len(wanted := set(shard_by_id.values())) == 1:
        return {wanted.pop(): events}
    shard = events["stream_id"].replace_strict(shard_by_id, return_dtype=pl.Int64)
    parts = events.with_columns(shard.alias("_shard")).partition_by(
        "_shard", as_dict=True, include_key=False, maintain_order=True
    )
    return {int(key[0]): part for key, part in parts.items()}


def encode_events(events: pl.DataFrame) -> bytes:
    """Return events as an Arrow IPC stream; columns that hold nothing stay behind."""
    used = [name for name in events.columns if events[name].null_count() < events.height]
    buffer = io.BytesIO()
    events.select(used).write_ipc_stream(buffer, compression="lz4")
    return buffer.getvalue()


def decode_entries(shard: int, entries: Sequence[Entry]) -> Batch:
    """Return consecutive entries as one batch."""
    last = entries[-1]
    return Batch(
        shard=shard,
        offset=last.offset,
        arrived_at=EPOCH + timedelta(milliseconds=last.arrived_ms),
        frame=_concat(_decode(entry.offset, entry.payload) for entry in entries),
    )


def _decode(offset: int, payload: bytes) -> pl.DataFrame:
    return pl.read_ipc_stream(io.BytesIO(payload)).with_columns(
        offset=pl.lit(offset, dtype=pl.Int64)
    )


def _concat(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    empty = pl.DataFrame(schema=BATCH_SCHEMA)
    return pl.concat([empty, *frames], how="diagonal")
