"""Batches: frames of events as they travel over the bus.

    events -> split by shard -> Arrow IPC bytes -> one bus entry -> Arrow IPC bytes -> one large
    frame

An offset is the bus's own number of an entry; it rises. The bus also remembers when an entry
arrived, so that everything decided from either is decided the same way in a replay.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from core.dead_letters import STREAMS_NAMED_MAX, DeadLetter
from core.events import SCHEMA, find_impossible
from core.ids import NAME_PATTERN, shard_of
from core.times import EPOCH

SEQUENCE_BITS: Final = 20
"""Where the bus numbers by time, an offset is milliseconds since 1970, shifted by this, plus the
number within the millisecond."""

REASON_LENGTH_MAX: Final = 500

UNREADABLE: Final = (
    pl.exceptions.PolarsError,
    # Damaged bytes may make the reader panic, which is no Exception and would end the flow.
    pl.exceptions.PanicException,
    ValueError,
    OSError,
)
"""What reading an entry that is none raises."""

_FRAMING: Final = 8
"""Bytes before each message of an Arrow stream: a mark and its length. The first one, the head,
says what the columns are."""

_END: Final = b"\xff\xff\xff\xff\0\0\0\0"
"""What an Arrow stream ends with."""

_LEAST: Final = pl.Schema(
    {
        **{name: SCHEMA[name] for name in ("stream_id", "type", "timestamp")},
        "offset": pl.Int64(),
        "arrived": pl.Int64(),
    }
)


class Entry(NamedTuple):
    """One entry of the bus."""

    offset: int
    arrived_ms: int
    """When the bus took it, in milliseconds since 1970."""

    payload: bytes
    trace: str | None = None
    """The context of the request it came with, where that is traced; decides nothing."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive entries of one shard, as they came."""

    shard: int
    entries: tuple[Entry, ...]

    @property
    def offset(self) -> int:
        """The offset of the last entry."""
        return self.entries[-1].offset

    @property
    def arrived_at(self) -> datetime:
        """When the last entry was appended."""
        return EPOCH + timedelta(milliseconds=self.entries[-1].arrived_ms)

    def halve(self) -> tuple["Batch", "Batch"]:
        """Return both halves of more than one entry."""
        middle = len(self.entries) // 2
        return Batch(self.shard, self.entries[:middle]), Batch(self.shard, self.entries[middle:])


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a batch holds."""

    offset: int
    arrived_at: datetime
    events: pl.DataFrame
    """Columns that no event uses are not there; ``offset`` and ``arrived`` (microseconds) are."""

    dead: tuple[DeadLetter, ...] = ()


def make_offset(at_ms: int, sequence: int) -> int:
    """Return the offset of the n-th entry of a millisecond."""
    return at_ms << SEQUENCE_BITS | sequence


def split_offset(offset: int) -> tuple[int, int]:
    """Return the millisecond of an offset and the number within it."""
    return offset >> SEQUENCE_BITS, offset & ((1 << SEQUENCE_BITS) - 1)


def split_by_shard(events: pl.DataFrame, shards: int) -> dict[int, pl.DataFrame]:
    """Split events by the shard of their stream, keeping their order."""
    # Few look-ups and one reordering: a small frame is split as cheaply as it was read.
    names = events["stream_id"].unique()
    shards_of = np.array([shard_of(stream_id, shards) for stream_id in names.to_list()])
    if len(np.unique(shards_of)) == 1:
        return {int(shards_of[0]): events}
    shard = shards_of[events["stream_id"].cast(pl.Enum(names)).to_physical().to_numpy()]
    order = np.argsort(shard, kind="stable")
    found, begins = np.unique(shard[order], return_index=True)
    # Column by column: a frame would wake the threads of Polars for it.
    ordered = pl.DataFrame([column.gather(order) for column in events.get_columns()])
    ends = [*begins[1:], len(order)]
    return {
        int(number): ordered.slice(begin, end - begin)
        for number, begin, end in zip(found, begins.tolist(), ends, strict=True)
    }


def encode_events(events: pl.DataFrame) -> bytes:
    """Return events as an Arrow IPC stream; columns that hold nothing stay behind."""
    used = [name for name in events.columns if events[name].null_count() < events.height]
    buffer = io.BytesIO()
    if len(used) < events.width:
        events = events.select(used)
    events.write_ipc_stream(buffer, compression="lz4")
    return buffer.getvalue()


def decode_batch(batch: Batch) -> Decoded:
    """Return the events of a batch in one frame, and the entries that hold none."""
    entries, dead = batch.entries, list[DeadLetter]()
    frames = _decode_together(entries)
    if frames is None:
        entries, frames, dead = _decode_each(entries)
    if not frames:
        return Decoded(batch.offset, batch.arrived_at, pl.DataFrame(schema=_LEAST), tuple(dead))
    heights = [height for frame in frames for height in frame["type"].chunk_lengths()]
    events = pl.concat(frames, how="diagonal", rechunk=True).with_columns(
        offset=np.repeat([entry.offset for entry in entries], heights),
        arrived=np.repeat([entry.arrived_ms * 1000 for entry in entries], heights),
    )
    events, buried = _drop_impossible(events, entries)
    letters = sorted([*dead, *buried], key=lambda letter: letter.offset)
    return Decoded(batch.offset, batch.arrived_at, events, tuple(letters))


def _decode_together(entries: Sequence[Entry]) -> list[pl.DataFrame] | None:
    """Read entries of the same columns as one stream, a chunk each; None where that fails."""
    first = entries[0].payload
    head = first[: _FRAMING + int.from_bytes(first[4:_FRAMING], "little")]
    if not all(e.payload.startswith(head) and e.payload.endswith(_END) for e in entries):
        return None
    bodies = (entry.payload[len(head) : -len(_END)] for entry in entries)
    try:
        frame = _decode(b"".join([head, *bodies, _END]))
    except UNREADABLE:
        return None
    lengths = frame["type"].chunk_lengths()
    return [frame] if len(lengths) == len(entries) and all(lengths) else None


def _decode_each(
    entries: Sequence[Entry],
) -> tuple[tuple[Entry, ...], list[pl.DataFrame], list[DeadLetter]]:
    """Return the entries that hold events, these, and letters for the others."""
    good: list[Entry] = []
    frames: list[pl.DataFrame] = []
    dead: list[DeadLetter] = []
    for entry in entries:
        try:
            frames.append(_decode(entry.payload).rechunk())
            good.append(entry)
        except UNREADABLE as error:
            dead.append(bury_entry(entry, f"{type(error).__name__}: {error}"))
    return tuple(good), frames, dead


def _decode(payload: bytes) -> pl.DataFrame:
    """Read an Arrow stream.

    Raises:
        ValueError: It has not the columns of events, or no rows.
    """
    frame = pl.read_ipc_stream(payload)
    wrong = [name for name, kind in frame.schema.items() if SCHEMA.get(name) != kind]
    missing = [name for name in ("stream_id", "type", "timestamp") if name not in frame.columns]
    if wrong or missing:
        raise ValueError(f"wrong columns: {', '.join(wrong) or '-'}; missing: {missing or '-'}")
    if not frame.height:
        # What was cut off behind its columns reads as a whole frame of nothing.
        raise ValueError("no events")
    return frame


def _drop_impossible(
    events: pl.DataFrame, entries: Sequence[Entry]
) -> tuple[pl.DataFrame, list[DeadLetter]]:
    """Take out whole entries with rows that no door lets through."""
    is_bad = find_impossible(events)
    if is_bad is None:
        return events, []
    bad = events["offset"].filter(is_bad).unique()
    offsets = set(bad.to_list())
    reason = "an event breaks the rules of every door"
    buried = [bury_entry(entry, reason) for entry in entries if entry.offset in offsets]
    return events.filter(~pl.col("offset").is_in(bad.implode())), buried


def bury_entry(entry: Entry, reason: str) -> DeadLetter:
    """Return the letter for an entry that cannot be applied."""
    arrived_at = EPOCH + timedelta(milliseconds=entry.arrived_ms)
    streams = find_streams(entry.payload)
    return DeadLetter(entry.offset, arrived_at, reason[:REASON_LENGTH_MAX], entry.payload, streams)


def find_streams(payload: bytes) -> tuple[str, ...]:
    """Return the first streams by name that a broken entry is about; none where nothing is read."""
    try:
        names = pl.read_ipc_stream(payload, columns=["stream_id"])["stream_id"].unique()
        good = names.filter(names.str.contains(NAME_PATTERN))
    except UNREADABLE:
        return ()
    return tuple(good.sort().head(STREAMS_NAMED_MAX).to_list())
