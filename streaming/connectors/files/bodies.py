"""Bodies: blocks of raw events checked, given ids, and cut as they are to be sent.

    block -> checked as the door will -> ids of file and row -> parts -> Arrow, at most a megabyte

The rules are the door's own, but for the window of believable times: what that is, only the API
knows, and tells with its first refusal.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import pairwise
from typing import Final

import polars as pl

from core.clock import Clock
from core.events import NEWEST, OLDEST, RejectedRow, TimePolicy, check_events
from core.tables import ROW
from streaming.connectors.files.readers.base import Block, Position
from streaming.ingest.senders import BODY_EVENTS_MAX

BODY_BYTES_MAX: Final = 1_000_000
"""What every API takes, however small its INGEST_BODY_MAX_MB, and every proxy before it."""

_PAST: Final = re.compile(r"timestamp lies more than (\d+) days in the past")


@dataclass(frozen=True, slots=True)
class Piece:
    """What one request carries."""

    arrow: bytes
    events: pl.DataFrame
    """Its events row by row: ``ROW``, ``stream_id`` and ``timestamp``."""

    @property
    def digest(self) -> str:
        """What makes it this one and no other."""
        return blake2b(self.arrow, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Body:
    """Rows that are decided together."""

    pieces: list[Piece]
    rejected: list[RejectedRow]
    start: Position
    """Where the block begins that it is of."""

    done: int
    """The last row that is decided when this is."""

    end: Position | None
    """Where the next block begins, when this is the last of its own."""

    read_bytes: int

    @property
    def events(self) -> int:
        """How many events it has."""
        return sum(piece.events.height for piece in self.pieces)

    @property
    def first_at_us(self) -> int | None:
        """The time of its first event."""
        if not self.pieces:
            return None
        first: int = self.pieces[0].events["timestamp"].to_physical()[0]
        return first


@dataclass(frozen=True, slots=True)
class Cut:
    """Decides where bodies end."""

    events_max: int = BODY_EVENTS_MAX
    tick_us: int | None = None
    """Events of one such span of event time travel together, and no others with them."""


@dataclass(slots=True)
class Window:
    """The oldest time that the API takes, as far as it has told."""

    past: timedelta | None = None

    def learn(self, reason: str) -> None:
        """Take the span from a refusal of the API, if it names one."""
        if match := _PAST.fullmatch(reason):
            self.past = timedelta(days=int(match[1]))

    def make_policy(self, now: datetime) -> TimePolicy:
        """Return what is believable: as much as can be, until the API has told."""
        return TimePolicy(past=self.past or now - OLDEST, ahead=NEWEST - now)


class BodyMaker:
    """Makes bodies of the blocks of one file."""

    def __init__(
        self, name: str, clock: Clock, window: Window, *, cut: Cut, shift: timedelta | None = None
    ) -> None:
        self._name = name
        self._clock = clock
        self._window = window
        self._cut = cut
        self._shift = shift or timedelta(0)

    def make(self, block: Block, *, after: int = 0) -> Iterator[Body]:
        """Return the bodies of a block, without the rows up to one that is decided already."""
        events, refused = self.check(block.events)
        rejected = sorted([*block.rejected, *refused], key=lambda row: row.index)
        # Cut before anything is left out, so that the cuts are those of the last time.
        parts = [part.filter(pl.col(ROW) > after) for part in self._split(events, block.start)]
        parts = [part for part in parts if not part.is_empty()]
        lasts = [int(part[ROW][-1]) for part in parts[:-1]]
        bounds = [after, *lasts, max(block.end.rows, after)]
        for place, (low, high) in enumerate(pairwise(bounds)):
            yield Body(
                pieces=list(_write(parts[place])) if parts else [],
                rejected=[row for row in rejected if low < row.index <= high],
                start=block.start,
                done=high,
                end=block.end if place == len(bounds) - 2 else None,
                read_bytes=block.read_bytes,
            )

    def check(self, raw: pl.DataFrame) -> tuple[pl.DataFrame, list[RejectedRow]]:
        """Return checked events with their rows, and the rows that are none."""
        if raw.is_empty():
            return raw.select(ROW), []
        raw = raw.with_columns(self._name_events(raw)).with_row_index("index")
        now = self._clock.now()
        # Times that are moved afterwards are left to the API.
        policy = (Window() if self._shift else self._window).make_policy(now)
        events, refused = check_events(raw.drop(ROW), now=now, policy=policy)
        rows = raw[ROW]
        indexes = [row.index for row in refused]
        kept = raw.filter(~pl.col("index").is_in(indexes))[ROW] if indexes else rows
        moved = events.with_columns(pl.col("timestamp") + self._shift, kept.alias(ROW))
        numbers = rows.gather(indexes).to_list()
        reasons = (row.reason for row in refused)
        return moved, [RejectedRow(*pair) for pair in zip(numbers, reasons, strict=True)]

    def _name_events(self, raw: pl.DataFrame) -> pl.Expr:
        """Give an id to each event without one: the same whenever its row is read."""
        parts = [pl.lit(self._name), pl.col(ROW).cast(pl.String)]
        if raw[ROW].n_unique() < raw.height:
            parts.append(pl.col("channel"))
        made = pl.concat_str(parts, separator="-", ignore_nulls=True)
        return (pl.coalesce("id", made) if "id" in raw.columns else made).alias("id")

    def _split(self, events: pl.DataFrame, start: Position) -> list[pl.DataFrame]:
        """Cut events where a row ends, the same way whenever the block is read."""
        if events.is_empty():
            return []
        a_row = events.height / max(1, events[ROW].n_unique())
        rows_max = max(1, int(self._cut.events_max / a_row))
        keys = [(pl.col(ROW) - start.rows - 1) // rows_max]
        if self._cut.tick_us is not None:
            tick = pl.col("timestamp").to_physical().cum_max() // self._cut.tick_us
            keys.append(tick.alias("tick"))
        numbered = events.with_columns(part=pl.struct(keys).rle_id())
        return numbered.partition_by("part", maintain_order=True, include_key=False)


def _write(events: pl.DataFrame) -> Iterator[Piece]:
    """Write events as an Arrow stream, halved as often as a request has room for less."""
    used = [name for name in events.columns if events[name].null_count() < events.height]
    stream = io.BytesIO()
    events[used].drop(ROW).write_ipc_stream(stream)
    arrow = stream.getvalue()
    if len(arrow) > BODY_BYTES_MAX and events.height > 1:
        half = events.height // 2
        yield from _write(events[:half])
        yield from _write(events[half:])
    else:
        yield Piece(arrow, events.select(ROW, "stream_id", "timestamp"))
