"""Telemetra without its servers, one thread: lines in, full rows of minutes out.

    lines -> columns -> checked -> split by shard -> the flow's state -> rows

The same functions as in the door and in the flow, sentiment, z-scores and moments included. Like
the flow when it is behind, a shard is given some 100 000 events at once.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

# Before Polars starts its threads: one core is what is measured.
os.environ["POLARS_MAX_THREADS"] = "1"  # noqa: TID251

import polars as pl

from core.batches import Batch, find_arrival, make_offset, split_by_shard
from core.clock import SystemClock
from core.events import TimePolicy, check_events
from core.ndjson import read_ndjson
from core.settings import VERSION
from loadtest.bench.bodies import read_bodies
from loadtest.peers.tasks import MinuteRow, run_task
from streaming.flow.shards import FlowPolicy, ShardState, apply_batch, close_minutes

SHARDS: Final = 16

BODY_BYTES: Final = 8_000_000
"""Lines that are parsed at once: the door takes up to 16 MB."""

FRAME_EVENTS: Final = 100_000
"""Events that a shard is given at once: about what the flow gathers when it is behind."""

AFTERWARDS: Final = timedelta(hours=1)
"""When everything has fallen silent and is complete."""

TIMES: Final = TimePolicy(past=timedelta(days=36_500))
"""The lines are older with every day; the rule is applied all the same."""

COLUMNS: Final = ["stream_id", "minute", "chat_count", "unique_chatters", "top_emotes"]


class Flow:
    """The shards of a flow, without Bytewax."""

    def __init__(self) -> None:
        self._policy = FlowPolicy()
        self._states: dict[int, ShardState] = {}

    def apply(self, batch: Batch) -> pl.DataFrame:
        """Return the rows that a batch changed."""
        state = self._states.get(batch.shard) or ShardState.empty(batch.shard)
        self._states[batch.shard], changes = apply_batch(
            state, batch, now=batch.arrived_at, policy=self._policy
        )
        return changes.chat

    def close(self) -> Iterator[pl.DataFrame]:
        """Return the rows that become complete when nothing more comes."""
        for state in self._states.values():
            now = find_arrival(state.offset) + AFTERWARDS
            _, changes = close_minutes(state, now=now, policy=self._policy)
            if changes is not None:
                yield changes.chat


def count_minutes(file: Path) -> list[MinuteRow]:
    """Run lines through the door's and the flow's functions."""
    flow = Flow()
    rows = [flow.apply(batch) for batch in gather_batches(read_events(file))]
    rows += flow.close()
    full = pl.concat(frame.select(COLUMNS) for frame in rows)
    newest = full.unique(["stream_id", "minute"], keep="last", maintain_order=True)
    return [
        MinuteRow(
            stream_id, minute, count, users, {pair["emote"]: pair["count"] for pair in emotes}
        )
        for stream_id, minute, count, users, emotes in newest.iter_rows()
    ]


def read_events(file: Path) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield the checked events of each body of lines, with their offset."""
    now = SystemClock().now()
    for number, body in enumerate(read_bodies(file, BODY_BYTES)):
        raw, unreadable = read_ndjson(body)
        events, refused = check_events(raw, now=now, policy=TIMES)
        if unreadable or refused:
            raise ValueError(f"A line was refused: {[*unreadable, *refused][0].reason}")
        newest = events["timestamp"].max()
        if not isinstance(newest, datetime):
            raise TypeError("The events have no times.")
        # It arrives a millisecond after its last event.
        yield make_offset(int(newest.timestamp() * 1000) + 1, number), events


def gather_batches(bodies: Iterator[tuple[int, pl.DataFrame]]) -> Iterator[Batch]:
    """Split events by shard and yield large frames of one shard each."""
    waiting: defaultdict[int, list[pl.DataFrame]] = defaultdict(list)
    offset = 0
    for offset, events in bodies:
        for shard, part in split_by_shard(events, SHARDS).items():
            waiting[shard].append(part.with_columns(offset=pl.lit(offset, dtype=pl.Int64)))
            if sum(frame.height for frame in waiting[shard]) >= FRAME_EVENTS:
                yield _gather(shard, offset, waiting.pop(shard))
    for shard, frames in waiting.items():
        yield _gather(shard, offset, frames)


def _gather(shard: int, offset: int, frames: list[pl.DataFrame]) -> Batch:
    return Batch(shard, offset, find_arrival(offset), pl.concat(frames))


if __name__ == "__main__":
    run_task("ours_lines", VERSION, count_minutes)
