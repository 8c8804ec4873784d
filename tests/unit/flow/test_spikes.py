"""Spikes: how they end when no calm minute says that they are over."""

from datetime import datetime, timedelta

from core.batches import Batch
from core.changes import Changes
from streaming.flow.shards import FlowPolicy, ShardState, apply_batch, close_minutes
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM, chat, make_batch, make_entry

POLICY = FlowPolicy()
CALM, SPIKE = 20, 200


def at(minute: int, second: float = 0) -> datetime:
    return START + timedelta(minutes=minute, seconds=second)


def one_minute(minute: int, count: int) -> Batch:
    events = [chat(at(minute, 59 * number / count), user=f"u{number}") for number in range(count)]
    return make_batch([make_entry(at(minute, 59), events)])


def run_into_a_spike() -> tuple[ShardState, Changes]:
    state = ShardState.empty(0)
    for minute in range(15):
        batch = one_minute(minute, SPIKE if minute == 14 else CALM)
        state, changes = apply_batch(state, batch, now=batch.arrived_at, policy=POLICY)
    return state, changes


def test_a_spike_opens_while_its_minute_still_runs():
    state, changes = run_into_a_spike()
    assert [(moment.state, moment.started_at) for moment in changes.moments] == [("open", at(14))]
    assert set(state.moments) == {STREAM}


def test_a_spike_whose_stream_falls_silent_is_ended_by_the_clock():
    state, _ = run_into_a_spike()
    state, changes = close_minutes(state, now=at(18), policy=POLICY)
    assert changes is not None
    assert [moment.state for moment in changes.moments] == []
    assert state.has_running_minutes
    state, changes = close_minutes(state, now=at(19), policy=POLICY)
    assert changes is not None
    (moment,) = changes.moments
    assert (moment.state, moment.ended_at) == ("resolved", at(15))
    assert state.moments == {}
    assert not state.has_running_minutes


def test_a_spike_before_a_gap_is_ended_when_the_stream_comes_back():
    state, _ = run_into_a_spike()
    batch = one_minute(120, CALM)
    state, changes = apply_batch(state, batch, now=batch.arrived_at, policy=POLICY)
    (moment,) = changes.moments
    assert (moment.state, moment.ended_at) == ("resolved", at(15))
    assert state.moments == {}


def test_history_that_arrives_fast_does_not_end_a_spike_early():
    state = ShardState.empty(0)
    arrived_at = at(600)
    for minute in range(16):
        events = one_minute(minute, SPIKE if minute >= 14 else CALM).frame.to_dicts()
        entry = make_entry(arrived_at + timedelta(milliseconds=minute), _without_offset(events))
        batch = make_batch([entry])
        state, _ = apply_batch(state, batch, now=batch.arrived_at, policy=POLICY)
    (moment,) = state.moments.values()
    assert (moment.started_at, moment.last_at) == (at(14), at(15))


def _without_offset(events: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{name: event[name] for name in event if name != "offset"} for event in events]
