"""Compare service: reads each stream and channel once and lines the curves up."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson

from api.compare.schemas import CompareQuery
from api.deps import Resources
from api.metrics.service import list_whole
from core.comparisons import Curve, line_up
from core.times import EPOCH
from db.windows import Source


async def load_comparison(uses: Resources, query: CompareQuery) -> bytes:
    """Return curves on one axis as JSON."""
    now = uses.clock.now()
    span = query.to_span(now)
    resolution = query.choose_resolution(span, now)
    curves = [Curve.parse(name) for name in dict.fromkeys(query.series)]
    sources = {curve: Source(curve.stream_id, curve.channel) for curve in curves}
    windows = {
        source: await list_whole(uses, source, resolution, span) for source in set(sources.values())
    }
    rows = {curve: windows[source] for curve, source in sources.items()}
    return await asyncio.to_thread(_write, rows, query.points, resolution.name)


def _write(rows: Mapping[Curve, list[dict[str, Any]]], points: int, resolution: str) -> bytes:
    axis, curves = line_up(rows, points)
    told = [
        {
            "series": str(curve),
            "stream_id": curve.stream_id,
            "channel": curve.channel,
            "column": curve.column,
            "values": values.tolist(),
        }
        for curve, values in curves.items()
    ]
    times = [EPOCH + timedelta(microseconds=at) for at in axis.tolist()]
    document = {"data": told, "next_cursor": None, "resolution": resolution, "times": times}
    # What is NaN, a gap, is written as null.
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)
