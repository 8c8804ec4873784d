"""Feeds: what comes in, second by second, without a door and without a bus.

    worlds of many seeds -> blocks of ten seconds -> the events of each step, with their arrival
    ordinary series      -> a reading of each, every so often

All seeds of a scenario go through one shard, under stream names of their own: a shard keeps its
streams apart, and a batch of many streams costs little more than one of few.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import numpy as np
import orjson
import polars as pl

from core.events import TIMESTAMP
from core.times import EPOCH
from loadtest.bench.detection.injections import Injected
from streaming.backtest.truths import Truth, read_label, rename_streams
from streaming.simulator.blocks import BLOCK_MS
from streaming.simulator.labels import write_labels
from streaming.simulator.profiles import Profile
from streaming.simulator.rows import Rows
from streaming.simulator.tables import Tables
from streaming.simulator.worlds import World

LAG: Final = timedelta(milliseconds=200)
"""What a reading needs from its sensor to us."""

METRICS: Final = 4
"""Of a stream with a chat: messages, viewers, mood, transactions."""


class Step(NamedTuple):
    """What arrives together; with no events, the clock just went on."""

    at: datetime
    events: pl.DataFrame


def feed_worlds(worlds: Sequence[World], span: tuple[int, int], step_s: int) -> Iterator[Step]:
    """Return the events of worlds, each step when it is over.

    Args:
        worlds: With seeds of their own.
        span: From when until when, in milliseconds since 1970.
        step_s: Seconds of a step; whole steps make ten seconds, or it is whole tens.
    """
    tables = Tables([profile for world in worlds for profile in _rename(world)])
    block_ms = max(BLOCK_MS, step_s * 1000)
    for start_ms in range(*span, block_ms):
        end_ms = min(start_ms + block_ms, span[1])
        rows = Rows.merge(list(_number(worlds, start_ms, end_ms)))
        yield from _cut(tables.make_frame(rows), start_ms, end_ms, step_s * 1000)


def label_worlds(worlds: Sequence[World], span: tuple[int, int]) -> list[Truth]:
    """Return what happens in worlds."""
    return [
        truth
        for world in worlds
        for incident in world.incidents_between(*span)
        for line in write_labels(world, incident)
        for truth in rename_streams([read_label(orjson.loads(line))], name_prefix(world))
    ]


def count_series(worlds: Sequence[World]) -> int:
    """Return in how many series something could be found: metrics of chats, and channels."""
    profiles = [profile for world in worlds for profile in world.profiles]
    chats = sum(1 for profile in profiles if profile.chat_share)
    return METRICS * chats + sum(len(profile.channels) for profile in profiles)


def name_prefix(world: World) -> str:
    """Return what stands before the names of a world's streams."""
    return f"seed-{world.seed:02}."


def feed_series(series: Sequence[Injected], start_ms: int, interval_s: int) -> Iterator[Step]:
    """Return series as channels, a reading of each in every interval.

    Each round of the kinds is a stream of its own.
    """
    drawn = Counter[str]()
    streams, channels = [], []
    for each in series:
        drawn[each.base] += 1
        streams.append(f"ordinary-{drawn[each.base]}")
        channels.append(name_kind(each.base))
    values = np.array([each.values for each in series])
    for row in range(values.shape[1]):
        at = EPOCH + timedelta(milliseconds=start_ms + row * interval_s * 1000)
        events = pl.DataFrame(
            {
                "stream_id": streams,
                "type": "reading",
                "timestamp": at,
                "channel": channels,
                "value": values[:, row],
            },
            schema_overrides={"timestamp": TIMESTAMP},
        )
        yield Step(at + LAG, events)


def name_kind(base: str) -> str:
    """Return the channel of a kind of ordinary series."""
    return base.replace(" ", "-")


def _number(worlds: Sequence[World], start_ms: int, end_ms: int) -> Iterator[Rows]:
    """Return what happens in worlds, their streams numbered through."""
    first = 0
    for world in worlds:
        for rows in world.rows_between(start_ms, end_ms):
            records = rows.records.copy()
            records["stream"] += first
            yield Rows(records, rows.stems)
        first += len(world.profiles)


def _rename(world: World) -> list[Profile]:
    prefix = name_prefix(world)
    return [replace(each, stream_id=prefix + each.stream_id) for each in world.profiles]


def _cut(events: pl.DataFrame, start_ms: int, end_ms: int, step_ms: int) -> Iterator[Step]:
    """Cut events, which are in the order of time, into steps."""
    used = [name for name in events.columns if events[name].null_count() < events.height]
    ordered = events.select(used)
    times = ordered["timestamp"].dt.epoch("ms").to_numpy()
    ends = np.arange(start_ms + step_ms, end_ms + step_ms, step_ms)
    places = np.searchsorted(times, ends).tolist()
    begin = 0
    for end_of_step, end in zip(ends.tolist(), places, strict=True):
        at = EPOCH + timedelta(milliseconds=end_of_step)
        yield Step(at, ordered.slice(begin, end - begin))
        begin = end
