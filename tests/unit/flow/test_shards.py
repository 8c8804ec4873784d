"""Shards: when minutes close, re-open and are forgotten, and what is listed as late."""

from datetime import datetime, timedelta
from typing import Final

import pytest

from core.batches import make_offset
from core.changes import Changes
from core.watermarks import LatenessPolicy
from streaming.flow.shards import FlowPolicy, ShardState, apply_batch, close_minutes
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM, Event, chat, make_batch, make_entry, reading, viewers

POLICY: Final = FlowPolicy()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Shard:
    """A shard that is fed by hand."""

    def __init__(self, policy: FlowPolicy = POLICY) -> None:
        self.policy = policy
        self.state = ShardState.empty(0)

    def apply(self, arrived_at: datetime, *events: Event, now: datetime | None = None) -> Changes:
        batch = make_batch([make_entry(arrived_at, events)])
        self.state, changes = apply_batch(
            self.state, batch, now=now or arrived_at, policy=self.policy
        )
        return changes

    def close(self, now: datetime) -> Changes | None:
        self.state, changes = close_minutes(self.state, now=now, policy=self.policy)
        return changes


def list_chat(changes: Changes | None) -> list[tuple[str, int, bool]]:
    """Return minute, count and whether it is final of each chat row."""
    assert changes is not None
    rows = changes.chat.sort("minute").to_dicts()
    return [(f"{row['minute']:%H:%M}", row["chat_count"], row["final"]) for row in rows]


def test_a_running_minute_is_offered_whole_with_every_batch():
    shard = Shard()
    assert list_chat(shard.apply(at(1), chat(at(1)))) == [("10:00", 1, False)]
    assert list_chat(shard.apply(at(2), chat(at(2)))) == [("10:00", 2, False)]


def test_events_past_its_end_and_the_disorder_complete_a_minute():
    shard = Shard()
    shard.apply(at(1), chat(at(1)))
    assert list_chat(shard.apply(at(61.9), chat(at(61.9)))) == [("10:01", 1, False)]
    assert list_chat(shard.apply(at(62), chat(at(62)))) == [("10:00", 1, True), ("10:01", 2, False)]


def test_a_complete_minute_is_offered_once():
    shard = Shard()
    shard.apply(at(1), chat(at(1)))
    shard.apply(at(62), chat(at(62)))
    assert list_chat(shard.apply(at(63), chat(at(63)))) == [("10:01", 2, False)]


def test_silence_completes_a_minute_by_the_clock():
    shard = Shard()
    shard.apply(at(1), chat(at(1)), reading(at(1)))
    assert shard.close(at(69.9)) is None
    changes = shard.close(at(70))
    assert list_chat(changes) == [("10:00", 1, True)]
    assert changes is not None
    assert changes.readings["final"].to_list() == [True]
    assert shard.close(at(71)) is None


def test_a_stream_that_still_sends_is_not_completed_by_the_clock():
    shard = Shard()
    shard.apply(at(1), chat(at(1)))
    shard.apply(at(65), chat(at(59)))
    assert shard.close(at(74)) is None
    assert list_chat(shard.close(at(75))) == [("10:00", 2, True)]


def test_a_minute_ahead_of_the_clock_is_not_completed_before_its_end():
    shard = Shard()
    shard.apply(at(0), chat(at(500)))
    assert shard.close(at(549)) is None
    assert list_chat(shard.close(at(550))) == [("10:08", 1, True)]


def test_a_late_event_reopens_its_minute_and_raises_the_revision():
    shard = Shard()
    shard.apply(at(1), chat(at(1)))
    first = shard.close(at(80))
    second = shard.apply(at(90), chat(at(30), user="bob"))
    assert list_chat(second) == [("10:00", 2, True)]
    assert first is not None
    assert first.chat["revision"].item() == make_offset(int(at(1).timestamp() * 1000), 0)
    assert second.chat["revision"].item() == make_offset(int(at(90).timestamp() * 1000), 0)
    assert second.chat["unique_chatters"].item() == 2


def test_an_event_later_than_allowed_is_listed_and_changes_nothing():
    shard = Shard()
    shard.apply(at(0), chat(at(0)))
    shard.apply(at(600), chat(at(600)))
    changes = shard.apply(at(601), chat(at(1)), chat(at(2)), reading(at(299)), viewers(at(300)))
    late = changes.late.sort("type").select("stream_id", "minute", "type", "events").rows()
    assert late == [(STREAM, START, "chat", 2), (STREAM, at(240), "reading", 1)]
    assert changes.late["offset"].unique().to_list() == [changes.offset]
    assert [row[0] for row in list_chat(changes)] == ["10:05"]
    assert changes.readings.is_empty()
    assert changes.events.height == 4


def test_late_events_are_counted_by_the_entry_they_came_with():
    shard = Shard()
    shard.apply(at(600), chat(at(600)))
    entries = [make_entry(at(601), [chat(at(1))]), make_entry(at(602), [chat(at(1))] * 2)]
    _, changes = apply_batch(shard.state, make_batch(entries), now=at(602), policy=POLICY)
    rows = changes.late.sort("offset").select("offset", "events").rows()
    assert rows == [(entries[0][0], 1), (entries[1][0], 2)]


def test_minutes_that_nothing_may_change_are_forgotten():
    shard = Shard()
    for minute in range(30):
        shard.apply(at(60 * minute), chat(at(60 * minute)), reading(at(60 * minute)))
    assert shard.state.chat.sums.height == 6
    assert shard.state.readings.height == 6
    assert len(shard.state.chat.chatters) == 6
    assert shard.state.closed_chat.height == 4


def test_a_silent_hour_on_the_bus_forgets_the_open_minutes():
    shard = Shard()
    shard.apply(at(0), chat(at(0), stream_id="quiet"))
    shard.apply(at(3601), chat(at(3601), stream_id="loud"))
    assert shard.state.chat.sums["stream_id"].to_list() == ["loud"]


def test_entries_that_waited_through_an_outage_still_count():
    shard = Shard()
    morning = at(10 * 3600)
    shard.apply(at(10), chat(at(10)), now=morning)
    changes = shard.apply(at(20), chat(at(20)), now=morning)
    assert list_chat(changes) == [("10:00", 2, True)]


@pytest.mark.parametrize("allowed", [timedelta(0), timedelta(seconds=1), timedelta(minutes=60)])
def test_every_minute_is_completed_before_it_is_forgotten(allowed: timedelta):
    shard = Shard(FlowPolicy(lateness=LatenessPolicy(allowed=allowed)))
    completed: list[str] = []
    for second in range(0, 600, 7):
        rows = list_chat(shard.apply(at(second), chat(at(second))))
        completed += [minute for minute, _, final in rows if final]
    assert completed == [f"10:0{minute}" for minute in range(9)]


def test_a_minute_far_ahead_is_kept_through_the_silence_before_it():
    shard = Shard()
    shard.apply(at(0), chat(at(7200)))
    shard.apply(at(3700), chat(at(3700), stream_id="other"))
    assert list_chat(shard.apply(at(7201), chat(at(7201))))[-1] == ("12:00", 2, False)


def test_other_events_move_the_time_of_their_stream_too():
    shard = Shard()
    shard.apply(at(1), chat(at(1)))
    meta = {"stream_id": STREAM, "type": "meta", "event": "raid", "timestamp": at(90)}
    assert list_chat(shard.apply(at(90), meta)) == [("10:00", 1, True)]


def test_a_spike_opens_while_its_minute_runs_and_ends_when_it_is_over():
    shard = Shard()
    for minute in range(12):
        shard.apply(at(60 * minute), *[chat(at(60 * minute))] * 5)
    opened = shard.apply(at(725), *[chat(at(725))] * 80)
    (moment,) = opened.moments
    assert (moment.started_at, moment.state) == (at(720), "open")
    assert list_chat(opened)[-1] == ("10:12", 80, False)
    ended = [
        moment
        for minute in range(13, 18)
        for moment in shard.apply(at(60 * minute + 5), *[chat(at(60 * minute + 5))] * 5).moments
    ]
    assert ended[-1].moment_id == moment.moment_id
    assert ended[-1].ended_at == at(780)


def test_a_running_minute_below_its_baseline_says_nothing_yet():
    shard = Shard()
    for minute in range(12):
        shard.apply(at(60 * minute), *[chat(at(60 * minute))] * 100)
    running = shard.apply(at(722), chat(at(722))).chat.sort("minute")
    assert running["z_score"].to_list()[-1] is None
    closed = shard.close(at(790))
    assert closed is not None
    assert closed.chat["z_score"].item() < -4
    assert closed.chat["is_anomaly"].item() is True


def test_nothing_is_left_to_close_in_an_empty_shard():
    assert not ShardState.empty(3).has_running_minutes
    assert Shard().close(at(0)) is None
