"""Telemetra without its servers, one thread: lines in, full rows of minutes out.

    lines -> columns -> checked -> the flow's state -> rows

The same functions as in the door and in the flow, sentiment, z-scores and moments included.
"""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

# Before Polars starts its threads: one core is what is measured.
os.environ["POLARS_MAX_THREADS"] = "1"  # noqa: TID251

import polars as pl

from core import json_lines as lines
from core import words
from core.batches import Decoded
from core.clock import SystemClock
from core.events import TimePolicy, check_events
from core.ndjson import read_ndjson
from core.settings import VERSION
from loadtest.bench.bodies import read_bodies
from loadtest.peers.tasks import MinuteRow, run_task
from streaming.flow.shards import FlowPolicy, Shard

BODY_BYTES: Final = 12_000_000
"""Lines that are parsed at once: the door takes up to 16 MB."""

AFTERWARDS: Final = timedelta(hours=1)
"""When everything has fallen silent and is complete."""

TIMES: Final = TimePolicy(past=timedelta(days=36_500))
"""The lines are older with every day; the rule is applied all the same."""

COLUMNS: Final = ["stream_id", "minute", "chat_count", "unique_chatters", "top_emotes"]


def count_minutes(file: Path) -> list[MinuteRow]:
    """Run lines through the door's and the flow's functions."""
    shard = Shard(0, FlowPolicy())
    changes = [shard.apply_decoded(decoded) for decoded in read_events(file)]
    last = shard.close(changes[-1].arrived_at + AFTERWARDS)
    rows = [part.chat for part in (*changes, last) if part is not None and part.chat.height]
    full = pl.concat(frame.filter("final").select(COLUMNS) for frame in rows)
    newest = full.unique(["stream_id", "minute"], keep="last", maintain_order=True)
    return [
        MinuteRow(
            stream_id, minute, count, users, {pair["emote"]: pair["count"] for pair in emotes}
        )
        for stream_id, minute, count, users, emotes in newest.iter_rows()
    ]


def read_events(file: Path) -> Iterator[Decoded]:
    """Yield the checked events of each body of lines."""
    now = SystemClock().now()
    for number, body in enumerate(read_bodies(file, BODY_BYTES), start=1):
        raw, unreadable = read_ndjson(body)
        events, refused = check_events(raw, now=now, policy=TIMES)
        if unreadable or refused:
            raise ValueError(f"A line was refused: {[*unreadable, *refused][0].reason}")
        newest = events["timestamp"].max()
        if not isinstance(newest, datetime):
            raise TypeError("The events have no times.")
        yield Decoded(
            number,
            newest,
            events.with_columns(
                offset=pl.lit(number, dtype=pl.Int64),
                arrived=pl.lit(newest).dt.cast_time_unit("us").to_physical(),
            ),
        )


if __name__ == "__main__":
    # Part of starting, like importing: the machine code is read from where it was kept.
    lines.warm_up()
    words.warm_up()
    run_task("ours_lines", VERSION, count_minutes)
