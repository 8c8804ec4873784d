"""Plans: which statements a question becomes, and what each of them reads."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg
import orjson

from api.metrics.schemas import THINNED_ROWS_MAX, MetricsQuery
from core.windows import CHAT
from db.minutes import Span
from db.windows import Source, WindowStore

EXPLAIN: Final = "EXPLAIN (ANALYZE, BUFFERS, TIMING off, FORMAT JSON) "

Statement = tuple[str, Sequence[Any]]
"""Text and parameters."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the statements of one request read."""

    rows: int
    buffers: int
    chunks: int


async def list_statements(
    connection: asyncpg.Connection, stream_id: str, query: MetricsQuery, now: datetime
) -> list[Statement]:
    """Return what the API asks the database for a question."""
    ran: list[Statement] = []
    store, source = WindowStore(connection), Source(stream_id)
    resolution, span = query.choose_resolution(now), query.to_span()
    with connection.query_logger(lambda record: ran.append((record.query, record.args))):
        if query.points is None:
            await store.list_windows(source, resolution, span)
        else:
            whole = Span(span.start, span.end, THINNED_ROWS_MAX + 1)
            starts = CHAT.pick(await store.list_curves(source, resolution, whole), query.points)
            chosen = Span(starts[-1], starts[0] + resolution.width, len(starts), starts)
            await store.list_windows(source, resolution, chosen)
        # The library tells what ran with the next turn of the loop.
        await asyncio.sleep(0)
    return ran


async def run_plainly(connection: asyncpg.Connection, statements: Sequence[Statement]) -> bytes:
    """Run statements and write the rows of the last one, with nothing around it."""
    rows: list[asyncpg.Record] = []
    for text, parameters in statements:
        rows = await connection.fetch(text, *parameters)
    return orjson.dumps([dict(row) for row in rows], option=orjson.OPT_UTC_Z)


async def explain(connection: asyncpg.Connection, statements: Sequence[Statement]) -> Reading:
    """Return what statements read, as the server counts it."""
    nodes: list[dict[str, Any]] = []
    buffers = 0
    for text, parameters in statements:
        found = await connection.fetchval(EXPLAIN + text, *parameters)
        plan = orjson.loads(found)[0]["Plan"]
        nodes += [node for node in walk(plan) if is_scan(node) and node["Actual Loops"]]
        buffers += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    rows = sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in nodes
    )
    return Reading(int(rows), buffers, len({node["Relation Name"] for node in nodes}))


def is_scan(node: dict[str, Any]) -> bool:
    """Tell whether a node reads a table itself; what appends chunks only names its hypertable."""
    return "Relation Name" in node and node["Node Type"] != "Custom Scan"


def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a node of a plan and everything below it."""
    yield node
    for child in node.get("Plans", ()):
        yield from walk(child)
