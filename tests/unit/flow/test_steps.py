"""Steps: what the keyed state does with the clock."""

import pickle
from datetime import timedelta

from core.clock import ManualClock
from core.tunings import NO_TUNINGS
from streaming.flow.lookaheads import Frame
from streaming.flow.preparations import prepare
from streaming.flow.shards import FlowPolicy
from streaming.flow.steps import CLOCK_STEP, Asked, ShardLogic, key_by_shard
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM, chat, make_batch, make_entry


def one_frame(second: int = 5, shard: int = 0) -> Frame:
    time = START + timedelta(seconds=second)
    return Frame(make_batch([make_entry(time, [chat(START)])], shard))


def test_a_backlog_is_judged_by_its_arrival_and_not_by_the_clock():
    logic = ShardLogic(None, ManualClock(START + timedelta(hours=2)), FlowPolicy())
    changes, _ = logic.on_batch([one_frame()])
    assert changes[0].chat["final"].to_list() == [False]


def test_the_clock_closes_the_minute_once_nothing_more_arrives():
    logic = ShardLogic(None, ManualClock(START + timedelta(hours=2)), FlowPolicy())
    logic.on_batch([one_frame()])
    changes, _ = logic.on_notify()
    assert changes[0].chat["final"].to_list() == [True]


def test_a_shard_without_open_minutes_asks_for_no_clock():
    logic = ShardLogic(None, ManualClock(START), FlowPolicy())
    assert logic.notify_at() is None
    assert logic.on_notify()[0] == []


def test_the_clock_is_asked_once_a_second_until_everything_is_complete_and_told():
    clock = ManualClock(START)
    logic = ShardLogic(None, clock, FlowPolicy())
    logic.on_batch([one_frame()])
    asked = 0
    while (wake_at := logic.notify_at()) is not None:
        assert wake_at == clock.now() + CLOCK_STEP
        clock.advance(CLOCK_STEP)
        logic.on_notify()
        asked += 1
        assert asked < 100
    assert clock.now() == START + timedelta(seconds=70)


def test_several_batches_are_applied_in_order():
    logic = ShardLogic(None, ManualClock(START), FlowPolicy())
    changes, is_over = logic.on_batch([one_frame(second) for second in (5, 6, 7)])
    assert [item.chat["chat_count"].to_list() for item in changes] == [[1], [2], [3]]
    assert not is_over


def test_what_people_want_is_asked_anew_with_every_batch():
    looked_at: set[str] = set()
    asked = Asked(lambda: NO_TUNINGS, lambda: looked_at)
    logic = ShardLogic(None, ManualClock(START), FlowPolicy(), asked=asked)
    shown: list[int] = []
    for streams in ([], [STREAM], []):
        looked_at = set(streams)
        changes, _ = logic.on_batch([one_frame(second=5 + len(shown))])
        shown.append(changes[0].said.height)
    assert shown == [0, 1, 0]


def test_a_restarted_step_goes_on_where_its_snapshot_was():
    logic = ShardLogic(None, ManualClock(START), FlowPolicy())
    assert ShardLogic(logic.snapshot(), ManualClock(START), FlowPolicy()).notify_at() is None
    logic.on_batch([one_frame(5, shard=3)])
    again = ShardLogic(logic.snapshot(), ManualClock(START), FlowPolicy())
    (changes,), _ = again.on_batch([one_frame(6, shard=3)])
    assert (changes.shard, changes.chat["chat_count"].to_list()) == (3, [2])


def test_a_frame_goes_to_the_state_of_its_shard():
    frame = one_frame(shard=11)
    assert key_by_shard(frame) == ("11", frame)


def test_what_was_prepared_ahead_is_merged_as_what_was_not():
    frame = one_frame()
    for given in (frame, Frame(frame.batch, prepare(frame.batch))):
        logic = ShardLogic(None, ManualClock(START), FlowPolicy())
        (changes,), _ = logic.on_batch([given])
        assert changes.chat["chat_count"].to_list() == [1]


def test_only_the_batch_travels_to_another_process():
    frame = one_frame()
    prepared = Frame(frame.batch, prepare(frame.batch))
    there = pickle.loads(pickle.dumps(prepared))  # noqa: S301 - what was written a moment ago.
    assert (there.batch, there.prepared) == (frame.batch, None)


def test_changes_tell_the_time_of_the_newest_event_by_its_own_clock():
    logic = ShardLogic(None, ManualClock(START), FlowPolicy())
    changes, _ = logic.on_batch([one_frame(second=5)])
    assert changes[0].newest_at == START
