"""Lines: the events of a world as a sender writes and a receiver reads them, or how many."""

from collections.abc import Collection
from typing import Any, TypeAlias

import orjson

from streaming.simulator.rows import Type
from streaming.simulator.tables import Tables
from streaming.simulator.worlds import World

Event: TypeAlias = dict[str, Any]


def list_events(
    world: World, start_ms: int, end_ms: int, stream_ids: Collection[str] | None = None
) -> list[Event]:
    """Return what happens from one time until before another, in the order of time."""
    tables = Tables(world.profiles)
    blocks = world.rows_between(start_ms, end_ms, stream_ids)
    return [orjson.loads(line) for rows in blocks for line in tables.write_lines(rows).splitlines()]


def count_events(
    world: World,
    event_type: Type,
    start_ms: int,
    end_ms: int,
    stream_ids: Collection[str] | None = None,
) -> int:
    """Return how many events of a type happen from one time until before another."""
    blocks = world.rows_between(start_ms, end_ms, stream_ids)
    return sum(int((rows.records["type"] == event_type).sum()) for rows in blocks)
