"""Spikes: how they end when no calm minute says that they are over."""

from datetime import datetime, timedelta

from core.changes import Changes
from core.moments import Moment
from streaming.flow.shards import FlowPolicy, Shard
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM, Event, chat, make_batch, make_entry

POLICY = FlowPolicy()
CALM, SPIKE = 20, 200


def at(minute: int, second: float = 0) -> datetime:
    return START + timedelta(minutes=minute, seconds=second)


def one_minute(minute: int, count: int) -> list[Event]:
    return [chat(at(minute, 59 * number / count), user=f"u{number}") for number in range(count)]


def apply(shard: Shard, arrived_at: datetime, events: list[Event]) -> Changes:
    (changes,) = shard.apply(make_batch([make_entry(arrived_at, events)]))
    return changes


def list_spikes(changes: Changes | None) -> list[Moment]:
    assert changes is not None
    return [each for each in changes.moments if each.moment_type == "chat_spike"]


def run_into_a_spike() -> tuple[Shard, Changes]:
    shard = Shard(0, POLICY)
    for minute in range(14):
        apply(shard, at(minute, 59), one_minute(minute, CALM))
    return shard, apply(shard, at(14, 59), one_minute(14, SPIKE))


def test_a_spike_opens_while_its_minute_still_runs():
    _, changes = run_into_a_spike()
    assert [(moment.state, moment.started_at) for moment in changes.moments] == [("open", at(14))]
    assert [moment.stream_id for moment in changes.moments] == [STREAM]


def test_a_spike_whose_stream_falls_silent_is_ended_by_the_clock():
    shard, _ = run_into_a_spike()
    assert [each.ended_at for each in list_spikes(shard.close(at(18)))] == [None]
    (moment,) = list_spikes(shard.close(at(20)))
    assert (moment.state, moment.ended_at) == ("open", at(15))
    assert shard.close(at(21)) is None


def test_a_spike_is_ended_after_a_restart_too():
    shard, changes = run_into_a_spike()
    (opened,) = changes.moments
    ended = list_spikes(Shard.restore(shard.snapshot(), POLICY).close(at(20)))
    assert [(moment.moment_id, moment.ended_at) for moment in ended] == [(opened.moment_id, at(15))]


def test_a_spike_before_a_gap_is_ended_when_the_stream_comes_back():
    shard, _ = run_into_a_spike()
    (moment,) = apply(shard, at(120, 59), one_minute(120, CALM)).moments
    assert (moment.state, moment.ended_at) == ("open", at(15))
    assert apply(shard, at(125), one_minute(124, CALM)).moments == ()


def test_history_that_arrives_fast_does_not_end_a_spike_early():
    shard, arrived_at = Shard(0, POLICY), at(600)
    told: list[Moment] = []
    for minute in range(16):
        events = one_minute(minute, SPIKE if minute >= 14 else CALM)
        told += apply(shard, arrived_at + timedelta(milliseconds=minute), events).moments
    assert {moment.started_at for moment in told} == {at(14)}
    assert (told[-1].state, told[-1].last_at) == ("open", at(15))
