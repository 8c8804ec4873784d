"""Steps: what the keyed state does with the clock."""

from datetime import timedelta

from core.clock import ManualClock
from streaming.flow.shards import FlowPolicy
from streaming.flow.steps import ShardLogic
from tests.fixtures.clocks import START
from tests.fixtures.events import chat, make_batch, make_entry


def test_a_backlog_is_judged_by_its_arrival_and_not_by_the_clock():
    logic = ShardLogic(None, ManualClock(START + timedelta(hours=2)), FlowPolicy())
    batch = make_batch([make_entry(START + timedelta(seconds=5), [chat(START)])])
    changes, _ = logic.on_batch([batch])
    assert changes[0].chat["final"].to_list() == [False]


def test_the_clock_closes_the_minute_once_nothing_more_arrives():
    logic = ShardLogic(None, ManualClock(START + timedelta(hours=2)), FlowPolicy())
    logic.on_batch([make_batch([make_entry(START + timedelta(seconds=5), [chat(START)])])])
    changes, _ = logic.on_notify()
    assert changes[0].chat["final"].to_list() == [True]


def test_a_shard_without_open_minutes_asks_for_no_clock():
    logic = ShardLogic(None, ManualClock(START), FlowPolicy())
    assert logic.notify_at() is None
    assert logic.on_notify()[0] == []
