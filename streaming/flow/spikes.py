"""Spikes: the open moments of a shard, moved on by judged minutes, ended by their stream's time.

Only anomalous minutes and streams with an open spike are looked at, one by one.
"""

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from core.moments import JudgedMinute, Moment, SpikePolicy, end_spike, follow_spike


def follow_spikes(
    moments: dict[str, Moment],
    rows: pl.DataFrame,
    stream_times: Mapping[str, datetime],
    *,
    revision: int,
    policy: SpikePolicy,
) -> tuple[dict[str, Moment], tuple[Moment, ...]]:
    """Return the open spikes by stream, and those that opened, changed or ended."""
    current = dict(moments)
    changed: dict[str, Moment] = {}
    for judged in _list_judged(rows, moments):
        before = current.pop(judged.stream_id, None)
        after = follow_spike(before, judged, policy)
        if after is not None:
            if after != before:
                changed[after.moment_id] = after
            if after.ended_at is None:
                current[judged.stream_id] = after
    for stream_id, at in stream_times.items():
        if stream_id in current and at >= current[stream_id].last_at + policy.over_after:
            ended = end_spike(current.pop(stream_id), revision)
            changed[ended.moment_id] = ended
    return current, tuple(changed.values())


def _list_judged(rows: pl.DataFrame, moments: Mapping[str, Moment]) -> list[JudgedMinute]:
    if rows.is_empty() or not (moments or rows["is_anomaly"].any()):
        return []
    looked_at = rows.filter(
        pl.col("is_anomaly") | pl.col("stream_id").is_in(list(moments)),
        pl.col("z_score").is_not_null(),
    ).sort("minute")
    judged = looked_at.select(
        "stream_id", "minute", "chat_count", "expected", "z_score", "final", "revision"
    )
    return [JudgedMinute(*row) for row in judged.iter_rows()]
