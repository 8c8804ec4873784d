"""Lines: the events of a world as a sender writes them and a receiver reads them."""

from collections.abc import Collection
from typing import Any, TypeAlias

import orjson

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
