"""Shards: the state of one shard and what a batch changes in it.

    batch -> reduce_batch -> Partial ┐
                                     ├─> ShardState.apply -> Changes -> one database transaction
    wall clock ─> ShardState.close ──┘

Pure and free of Bytewax. The state is a handful of frames, replaced and never changed in place, so
that a snapshot is taken by keeping references.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import polars as pl

from core.baselines import BaselinePolicy, remember_minutes, score_minutes
from core.batches import Batch, find_arrival
from core.changes import Changes
from core.chat_minutes import ChatMinutes, build_chat_rows, forget_chat, merge_chat, reduce_chat
from core.events import TIMESTAMP
from core.moments import Moment, SpikePolicy
from core.reading_minutes import SUMS as READING_SUMS
from core.reading_minutes import build_reading_rows, merge_readings, reduce_readings
from core.watermarks import (
    MINUTE,
    WATERMARKS,
    LatenessPolicy,
    arrive,
    first_open_minute,
    truncate_minute,
)
from streaming.flow.spikes import follow_spikes, list_stream_times

CHAT_KEY = ["stream_id", "minute"]
READING_KEY = ["stream_id", "channel", "minute"]

_NOTHING: Final = pl.DataFrame()
"""Stands for rows of any kind: most shards have only chats or only channels."""


@dataclass(frozen=True, slots=True)
class FlowPolicy:
    """Every rule that the flow decides by."""

    lateness: LatenessPolicy = LatenessPolicy()
    baseline: BaselinePolicy = BaselinePolicy()
    spike: SpikePolicy = SpikePolicy()


@dataclass(frozen=True, slots=True)
class ShardState:
    """Everything a shard remembers."""

    shard: int
    offset: int
    watermarks: pl.DataFrame
    chat: ChatMinutes
    readings: pl.DataFrame
    closed_chat: pl.DataFrame
    """(stream_id, minute) of open minutes that were sent as final."""

    closed_readings: pl.DataFrame
    chat_history: pl.DataFrame
    reading_history: pl.DataFrame
    moments: dict[str, Moment]
    """The open spike of a stream, if it has one."""

    @classmethod
    def empty(cls, shard: int) -> "ShardState":
        """Return the state of a shard that has seen nothing."""
        chat_key = {"stream_id": pl.String(), "minute": TIMESTAMP}
        reading_key = {"stream_id": pl.String(), "channel": pl.String(), "minute": TIMESTAMP}
        return cls(
            shard=shard,
            offset=0,
            watermarks=pl.DataFrame(schema=WATERMARKS),
            chat=ChatMinutes.empty(),
            readings=pl.DataFrame(schema=READING_SUMS),
            closed_chat=pl.DataFrame(schema=chat_key),
            closed_readings=pl.DataFrame(schema=reading_key),
            chat_history=pl.DataFrame(schema={**chat_key, "value": pl.Float64()}),
            reading_history=pl.DataFrame(schema={**reading_key, "value": pl.Float64()}),
            moments={},
        )

    @property
    def has_running_minutes(self) -> bool:
        """Whether the wall clock may still have something to complete or to end."""
        return (
            self.chat.sums.height > self.closed_chat.height
            or self.readings.height > self.closed_readings.height
            or bool(self.moments)
        )


def apply_batch(
    state: ShardState, batch: Batch, *, now: datetime, policy: FlowPolicy
) -> tuple[ShardState, Changes]:
    """Merge a batch into the state and return what it changed."""
    frame = batch.frame.with_columns(minute=truncate_minute())
    arrival = arrive(frame, state.watermarks, policy.lateness)
    chat = reduce_chat(arrival.on_time)
    readings = reduce_readings(arrival.on_time)
    merged = replace(
        state,
        offset=batch.offset,
        watermarks=arrival.watermarks,
        chat=merge_chat(state.chat, chat),
        readings=merge_readings(state.readings, readings),
    )
    touched = (chat.sums.select(CHAT_KEY), readings.select(READING_KEY))
    late = _count_late(arrival.late)
    return _settle(merged, touched, now, policy, events=frame, late=late)


def close_minutes(
    state: ShardState, *, now: datetime, policy: FlowPolicy
) -> tuple[ShardState, Changes | None]:
    """Complete by the wall clock what silent streams left open."""
    touched = (state.closed_chat.clear(), state.closed_readings.clear())
    settled, changes = _settle(state, touched, now, policy, events=_NOTHING, late=_NOTHING)
    if changes.chat.is_empty() and changes.readings.is_empty() and not changes.moments:
        return settled, None
    return settled, changes


def _settle(
    state: ShardState,
    touched: tuple[pl.DataFrame, pl.DataFrame],
    now: datetime,
    policy: FlowPolicy,
    *,
    events: pl.DataFrame,
    late: pl.DataFrame,
) -> tuple[ShardState, Changes]:
    """Find what became complete, build the rows of all that changed, and forget what is over."""
    chat_wanted = _list_wanted(
        state.chat.sums, touched[0], state.closed_chat, state.watermarks, now, policy.lateness
    )
    reading_wanted = _list_wanted(
        state.readings, touched[1], state.closed_readings, state.watermarks, now, policy.lateness
    )
    chat_rows, chat_history = _judge_chat(state, chat_wanted, policy)
    reading_rows, reading_history = _judge_readings(state, reading_wanted, policy)
    open_moments, changed_moments = follow_spikes(
        state.moments,
        chat_rows,
        list_stream_times(state.watermarks, now, set(state.moments)),
        revision=state.offset,
        policy=policy.spike,
    )
    settled = replace(
        state,
        closed_chat=_union(state.closed_chat, chat_wanted, CHAT_KEY),
        closed_readings=_union(state.closed_readings, reading_wanted, READING_KEY),
        chat_history=chat_history,
        reading_history=reading_history,
        moments=open_moments,
    )
    changes = Changes(
        shard=state.shard,
        offset=state.offset,
        events=events,
        chat=chat_rows,
        readings=reading_rows,
        late=late,
        moments=changed_moments,
    )
    return _forget(settled, policy.lateness), changes


def _list_wanted(
    sums: pl.DataFrame,
    touched: pl.DataFrame,
    closed: pl.DataFrame,
    watermarks: pl.DataFrame,
    now: datetime,
    policy: LatenessPolicy,
) -> pl.DataFrame:
    """Return the touched and the newly complete minutes, with what is known of each."""
    if sums.is_empty():
        return _NOTHING
    key = touched.columns
    end = pl.col("minute") + MINUTE
    # Never later than it is forgotten.
    by_events = pl.col("watermark") >= end + min(policy.disorder, policy.allowed)
    by_clock = (pl.col("arrived_at") + policy.silence <= now) & (end + policy.silence <= now)
    marked = (
        sums.select(key)
        .join(watermarks, on="stream_id", maintain_order="left")
        .join(closed.with_columns(was_final=True), on=key, how="left", maintain_order="left")
        .join(touched.with_columns(is_touched=True), on=key, how="left", maintain_order="left")
        .with_columns(
            pl.col("was_final", "is_touched").fill_null(value=False),
        )
        .with_columns(final=pl.col("was_final") | by_events | by_clock)
    )
    return marked.filter(pl.col("is_touched") | (pl.col("final") & ~pl.col("was_final"))).select(
        *key, "watermark", "final", revised="was_final"
    )


def _judge_chat(
    state: ShardState, wanted: pl.DataFrame, policy: FlowPolicy
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the chat rows with their z-scores, and the history with the complete ones in it."""
    if wanted.is_empty():
        return _NOTHING, state.chat_history
    rows = build_chat_rows(state.chat, wanted).with_columns(
        value=pl.col("chat_count").cast(pl.Float64)
    )
    chance = pl.max_horizontal(pl.col("expected").sqrt(), pl.lit(1.0))
    return _judge(rows, state.chat_history, CHAT_KEY, chance, policy.baseline)


def _judge_readings(
    state: ShardState, wanted: pl.DataFrame, policy: FlowPolicy
) -> tuple[pl.DataFrame, pl.DataFrame]:
    if wanted.is_empty():
        return _NOTHING, state.reading_history
    rows = build_reading_rows(state.readings, wanted).with_columns(value=pl.col("mean"))
    resolution = pl.max_horizontal(pl.col("expected").abs() * 1e-3, pl.lit(1e-9))
    return _judge(rows, state.reading_history, READING_KEY, resolution, policy.baseline)


def _judge(
    rows: pl.DataFrame,
    history: pl.DataFrame,
    key: list[str],
    floor: pl.Expr,
    policy: BaselinePolicy,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    series = key[:-1]
    remembered = remember_minutes(history, rows.filter("final"), key=series, policy=policy)
    scored = score_minutes(rows, remembered, key=series, floor=floor, policy=policy)
    # A running minute is still filling up: that it lies below the baseline says nothing.
    believed = pl.col("final") | (pl.col("z_score") > 0)
    judged = scored.with_columns(z_score=pl.when(believed).then(pl.col("z_score"))).with_columns(
        is_anomaly=(pl.col("z_score").abs() >= policy.threshold).fill_null(value=False)
    )
    return judged, remembered


def _forget(state: ShardState, policy: LatenessPolicy) -> ShardState:
    """Let go of minutes that no event may change any more.

    By the time of the bus, not by the clock: after an outage, entries that arrived long ago wait
    there and still count.
    """
    over = _list_over(state.chat.sums, CHAT_KEY, state, policy)
    readings_over = _list_over(state.readings, READING_KEY, state, policy)
    if not over.is_empty():
        state = replace(
            state,
            chat=forget_chat(state.chat, over),
            closed_chat=state.closed_chat.join(over, on=CHAT_KEY, how="anti"),
        )
    if not readings_over.is_empty():
        state = replace(
            state,
            readings=state.readings.join(readings_over, on=READING_KEY, how="anti"),
            closed_readings=state.closed_readings.join(readings_over, on=READING_KEY, how="anti"),
        )
    return state


def _list_over(
    sums: pl.DataFrame, key: list[str], state: ShardState, policy: LatenessPolicy
) -> pl.DataFrame:
    before = {"watermark": "watermark_before", "arrived_at": "arrival_before"}
    return (
        sums.select(key)
        .join(state.watermarks.rename(before), on="stream_id")
        .with_columns(arrived_at=pl.lit(find_arrival(state.offset), dtype=TIMESTAMP))
        .filter(pl.col("minute") < first_open_minute(policy))
        .select(key)
    )


def _union(closed: pl.DataFrame, wanted: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    if wanted.is_empty():
        return closed
    return pl.concat([closed, wanted.filter("final").select(key)]).unique()


def _count_late(late: pl.DataFrame) -> pl.DataFrame:
    """Return how many late events came in which entry for which minute of which stream."""
    return late.group_by("stream_id", "minute", "type", "offset").agg(
        events=pl.len().cast(pl.Int64)
    )
