"""Shards: when minutes close, re-open and are forgotten, and what is listed as late."""

from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl
import pytest

from core import repeats
from core.baselines import BaselinePolicy
from core.batches import Entry, make_offset
from core.changes import Changes
from core.errors import SettingsInvalidError
from core.watermarks import LatenessPolicy
from streaming.flow.shards import SERIES_FORGOTTEN, TIDY_EVERY, FlowPolicy, Shard
from streaming.flow.tellings import TELL_EVERY
from tests.fixtures.clocks import START
from tests.fixtures.events import (
    STREAM,
    Event,
    chat,
    make_batch,
    make_entry,
    reading,
    transaction,
    viewers,
)

POLICY: Final = FlowPolicy()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Fed:
    """A shard that is fed by hand."""

    def __init__(self, policy: FlowPolicy = POLICY) -> None:
        self.policy = policy
        self.shard = Shard(0, policy)

    def apply(self, arrived_at: datetime, *events: Event) -> Changes:
        return self.apply_entries(make_entry(arrived_at, events))

    def apply_entries(self, *entries: Entry) -> Changes:
        (changes,) = self.shard.apply(make_batch(entries))
        return changes

    def close(self, now: datetime) -> Changes | None:
        return self.shard.close(now)

    def restart(self) -> None:
        self.shard = Shard.restore(self.shard.snapshot(), self.policy)


def list_chat(changes: Changes | None) -> list[tuple[str, int, bool]]:
    """Return minute, count and whether it is final of each chat row."""
    assert changes is not None
    rows = changes.chat.sort("minute").to_dicts() if changes.chat.height else []
    return [(f"{row['minute']:%H:%M}", row["chat_count"], row["final"]) for row in rows]


def test_a_running_minute_is_offered_whole_with_every_batch():
    shard = Fed()
    assert list_chat(shard.apply(at(1), chat(at(1)))) == [("10:00", 1, False)]
    assert list_chat(shard.apply(at(2), chat(at(2)))) == [("10:00", 2, False)]


def test_events_past_its_end_and_the_disorder_complete_a_minute():
    shard = Fed()
    shard.apply(at(1), chat(at(1)))
    assert list_chat(shard.apply(at(61.9), chat(at(61.9)))) == [("10:01", 1, False)]
    assert list_chat(shard.apply(at(62), chat(at(62)))) == [("10:00", 1, True), ("10:01", 2, False)]


def test_a_complete_minute_is_offered_once():
    shard = Fed()
    shard.apply(at(1), chat(at(1)))
    shard.apply(at(62), chat(at(62)))
    assert list_chat(shard.apply(at(63), chat(at(63)))) == [("10:01", 2, False)]


def test_silence_completes_a_minute_by_the_clock():
    shard = Fed()
    shard.apply(at(1), chat(at(1)), reading(at(1)))
    assert shard.close(at(69.9)) is None
    changes = shard.close(at(70))
    assert list_chat(changes) == [("10:00", 1, True)]
    assert changes is not None
    assert changes.readings["final"].to_list() == [True]
    assert shard.close(at(71)) is None


def test_a_stream_that_still_sends_is_not_completed_by_the_clock():
    shard = Fed()
    shard.apply(at(1), chat(at(1)))
    shard.apply(at(65), chat(at(59)))
    assert shard.close(at(74)) is None
    assert list_chat(shard.close(at(75))) == [("10:00", 2, True)]


def test_a_minute_ahead_of_the_clock_is_not_completed_before_its_end():
    shard = Fed()
    shard.apply(at(0), chat(at(500)))
    assert shard.close(at(549)) is None
    assert list_chat(shard.close(at(550))) == [("10:08", 1, True)]


def test_a_late_event_reopens_its_minute_and_raises_the_revision():
    shard = Fed()
    shard.apply(at(1), chat(at(1)))
    first = shard.close(at(80))
    second = shard.apply(at(90), chat(at(30), user="bob"))
    assert list_chat(second) == [("10:00", 2, True)]
    assert first is not None
    assert first.chat["revision"].item() == make_offset(int(at(1).timestamp() * 1000), 0)
    assert second.chat["revision"].item() == make_offset(int(at(90).timestamp() * 1000), 0)
    assert second.chat["unique_chatters"].item() == 2


def test_an_event_later_than_allowed_is_listed_and_changes_nothing():
    shard = Fed()
    shard.apply(at(0), chat(at(0)))
    shard.apply(at(600), chat(at(600)))
    changes = shard.apply(at(601), chat(at(1)), chat(at(2)), reading(at(299)), viewers(at(300)))
    late = changes.late.sort("type").select("stream_id", "minute", "type", "events").rows()
    assert late == [(STREAM, START, "chat", 2), (STREAM, at(240), "reading", 1)]
    assert changes.late["offset"].unique().to_list() == [changes.offset]
    assert [row[0] for row in list_chat(changes)] == ["10:05"]
    assert changes.readings.is_empty()
    assert changes.events == 4
    assert sorted(changes.points["type"]) == ["reading", "viewers"]


def test_late_events_are_counted_by_the_entry_they_came_with():
    shard = Fed()
    shard.apply(at(600), chat(at(600)))
    entries = [make_entry(at(601), [chat(at(1))]), make_entry(at(602), [chat(at(1))] * 2)]
    changes = shard.apply_entries(*entries)
    rows = changes.late.sort("offset").select("offset", "events").rows()
    assert rows == [(entries[0][0], 1), (entries[1][0], 2)]


def test_a_late_repeat_leaves_no_second_point_and_is_listed_without_a_count():
    shard = Fed()
    first = [viewers(at(0), id="v"), transaction(at(1), id="t")]
    shard.apply(at(0), *first)
    shard.apply(at(600), chat(at(600)))
    changes = shard.apply(at(601), *first, viewers(at(2), id="w"))
    assert (changes.events, changes.points["type"].to_list()) == (1, ["viewers"])
    late = changes.late.sort("type").select("type", "events").rows()
    assert late == [("transaction", 0), ("viewers", 1)]
    again = shard.apply(at(602), viewers(at(2), id="w"))
    assert (again.events, again.late["events"].to_list()) == (0, [0])


def test_a_snapshot_does_not_grow_with_the_minutes_that_nothing_may_change(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(repeats, "LATEST_IDS_MAX", 500)
    shard = Fed()
    sizes = []
    for minute in range(90):
        time = at(60 * minute)
        crowd = [chat(time, f"u{minute}-{number}", id=f"{minute}-{number}") for number in range(50)]
        shard.apply(time, *crowd, reading(time), transaction(time))
        sizes.append(len(shard.shard.snapshot()))
    assert sizes[89] < 1.02 * sizes[20]


def test_a_late_event_after_an_hour_of_silence_completes_what_the_silence_closed():
    shard = Fed()
    shard.apply(at(1), chat(at(1)), chat(at(1), stream_id="loud"))
    changes = shard.apply(at(3700), chat(at(2)), chat(at(3700), stream_id="loud"))
    assert changes.late["events"].to_list() == [1]
    rows = changes.chat.filter(stream_id=STREAM).select("chat_count", "final").rows()
    assert rows == [(1, True)]
    again = shard.apply(at(3701), chat(at(3)))
    assert (again.chat.height, again.late["events"].to_list()) == (0, [1])


def test_a_silent_hour_on_the_bus_forgets_the_open_minutes():
    loud, both = Fed(), Fed()
    crowd = [chat(at(0), f"u{number}", stream_id="quiet") for number in range(2000)]
    for shard, first in ((loud, crowd[:8]), (both, crowd)):
        shard.apply(at(0), *first)
        shard.apply(at(3601), chat(at(3601), stream_id="loud"))
    assert abs(len(loud.shard.snapshot()) - len(both.shard.snapshot())) < 16


def test_entries_that_waited_through_an_outage_still_count():
    shard = Fed()
    shard.apply(at(10), chat(at(10)))
    assert list_chat(shard.close(at(10 * 3600))) == [("10:00", 1, True)]
    assert list_chat(shard.apply(at(20), chat(at(20)))) == [("10:00", 2, True)]


@pytest.mark.parametrize("allowed", [timedelta(0), timedelta(seconds=1), timedelta(minutes=60)])
def test_every_minute_is_completed_before_it_is_forgotten(allowed: timedelta):
    shard = Fed(FlowPolicy(lateness=LatenessPolicy(allowed=allowed)))
    completed: list[str] = []
    for second in range(0, 600, 7):
        rows = list_chat(shard.apply(at(second), chat(at(second))))
        completed += [minute for minute, _, final in rows if final]
    assert completed == [f"10:0{minute}" for minute in range(9)]


def test_a_minute_far_ahead_is_kept_through_the_silence_before_it():
    shard = Fed()
    shard.apply(at(0), chat(at(7200)))
    shard.apply(at(3700), chat(at(3700), stream_id="other"))
    assert list_chat(shard.apply(at(7201), chat(at(7201))))[-1] == ("12:00", 2, False)


def test_other_events_move_the_time_of_their_stream_too():
    shard = Fed()
    shard.apply(at(1), chat(at(1)))
    meta = {"stream_id": STREAM, "type": "meta", "event": "raid", "timestamp": at(90)}
    assert list_chat(shard.apply(at(90), meta)) == [("10:00", 1, True)]


def test_a_spike_opens_while_its_minute_runs_and_ends_when_it_is_over():
    shard = Fed()
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
    shard = Fed()
    for minute in range(12):
        shard.apply(at(60 * minute), *[chat(at(60 * minute))] * 100)
    running = shard.apply(at(722), chat(at(722))).chat.sort("minute")
    assert running["z_score"].to_list()[-1] is None
    closed = shard.apply(at(783), chat(at(783))).chat.filter(final=True)
    assert closed["z_score"].item() < -4
    assert closed["is_anomaly"].item() is True


def test_the_minute_in_which_a_stream_falls_silent_is_no_drop():
    shard = Fed()
    for minute in range(12):
        shard.apply(at(60 * minute + 59), *[chat(at(60 * minute + n * 0.59)) for n in range(100)])
    shard.apply(at(722), chat(at(722)))
    closed = shard.close(at(790))
    assert closed is not None
    assert closed.chat["is_anomaly"].item() is False
    assert closed.moments == ()


def test_nothing_is_left_to_close_in_an_empty_shard():
    assert not Shard(3, POLICY).is_running(at(0))
    assert Fed().close(at(0)) is None


def crowd(second: float, streams: int) -> list[Event]:
    return [chat(at(second), stream_id=f"s{number}") for number in range(streams)]


def test_many_running_minutes_are_written_in_turn_and_all_of_them_within_a_second():
    shard = Fed(FlowPolicy(running_rows_a_second=100))
    assert len(list_chat(shard.apply(at(1), *crowd(1, 50)))) == 50
    assert list_chat(shard.apply(at(1.4), *crowd(1.4, 50))) == []
    assert len(list_chat(shard.apply(at(1.5), chat(at(1.5), stream_id="s0")))) == 50
    many = Fed(FlowPolicy(running_rows_a_second=1))
    many.apply(at(1), *crowd(1, 50))
    assert list_chat(many.apply(at(1.999), *crowd(1.9, 50))) == []
    assert len(list_chat(many.apply(at(2), chat(at(2), stream_id="s0")))) == 50


def test_what_was_not_written_yet_is_written_by_the_clock_also_after_a_restart():
    shard = Fed(FlowPolicy(running_rows_a_second=1))
    shard.apply(at(1), chat(at(1)))
    assert list_chat(shard.apply(at(1.5), chat(at(1.5)))) == []
    shard.restart()
    assert shard.shard.is_running(at(2))
    assert list_chat(shard.close(at(2.5))) == [("10:00", 2, False)]
    assert shard.close(at(3.5)) is None


def test_a_complete_minute_is_never_held_back():
    shard = Fed(FlowPolicy(running_rows_a_second=1))
    shard.apply(at(59.6), *crowd(59.6, 50))
    shard.apply(at(61.9), *crowd(61.9, 50))
    complete = list_chat(shard.apply(at(62), *crowd(62, 50)))
    assert complete == [("10:00", 1, True)] * 50
    assert list_chat(shard.apply(at(62.1), chat(at(59), stream_id="s1"))) == [("10:00", 2, True)]


def list_transactions(changes: Changes) -> list[tuple[Any, ...]]:
    names = ("stream_id", "kind", "currency", "count", "sum", "final")
    return sorted(changes.transactions.select(names).rows())


def test_transactions_are_counted_by_kind_and_currency():
    shard = Fed()
    shard.apply(at(1), transaction(at(1), 2.0), transaction(at(1), None))
    changes = shard.apply(at(2), transaction(at(2), 3.0), transaction(at(2), 9.0, currency="EUR"))
    assert list_transactions(changes) == [
        (STREAM, "donation", "", 3, 5.0, False),
        (STREAM, "donation", "EUR", 1, 9.0, False),
    ]
    closed = shard.close(at(90))
    assert closed is not None
    assert [row[-1] for row in list_transactions(closed)] == [True, True]


def test_an_event_sent_again_counts_once_and_touches_nothing():
    shard = Fed()
    first = shard.apply(at(1), chat(at(1), id="a"), viewers(at(1), id="b"), chat(at(1)))
    assert (first.events, first.points.height) == (3, 1)
    shard.restart()
    again = shard.apply(at(2), chat(at(1), id="a"), viewers(at(1), id="b"))
    assert (again.events, again.points.height, again.chat.height) == (0, 0, 0)
    assert list_chat(shard.apply(at(3), chat(at(3), id="c"))) == [("10:00", 3, False)]


def test_an_entry_that_holds_no_events_is_told_and_the_offset_moves_past_it():
    shard = Fed()
    poison = Entry(make_offset(int(at(1).timestamp() * 1000), 0), 1, b"poison")
    changes = shard.apply_entries(poison)
    assert (changes.events, changes.offset) == (0, poison.offset)
    assert [(letter.offset, letter.payload) for letter in changes.dead] == [
        (poison.offset, b"poison")
    ]
    assert shard.shard.offset == poison.offset


def test_an_entry_that_fails_in_a_way_nobody_thought_of_is_found_and_put_aside(
    monkeypatch: pytest.MonkeyPatch,
):
    def fail_at(user: pl.Expr) -> pl.Expr:
        return user.replace_strict({"ok": 7}, return_dtype=pl.UInt64)

    monkeypatch.setattr("core.chat_minutes.hash_users", fail_at)
    shard = Fed()
    entries = [make_entry(at(n), [chat(at(n), "bad" if n == 3 else "ok")]) for n in range(1, 6)]
    told = shard.shard.apply(make_batch(entries))
    dead = [letter for changes in told for letter in changes.dead]
    assert [letter.offset for letter in dead] == [entries[2].offset]
    assert list_chat(told[-1]) == [("10:00", 4, False)]
    assert sum(changes.events for changes in told) == 4
    assert [changes.offset for changes in told] == sorted(changes.offset for changes in told)


def test_a_restored_shard_goes_on_by_the_rules_of_now():
    shard = Fed()
    for minute in range(12):
        shard.apply(at(60 * minute), *[chat(at(60 * minute))] * 100)
    shard.policy = FlowPolicy(
        lateness=LatenessPolicy(allowed=timedelta(minutes=1)),
        baseline=BaselinePolicy(strictness=0.5),
    )
    shard.restart()
    # 125 against 100 ± 10: nothing by the old rules, a spike by the new ones.
    changes = shard.apply(at(725), *[chat(at(725))] * 125, chat(at(430)))
    assert changes.late["events"].to_list() == [1]
    running = changes.chat.filter(~pl.col("final"))
    assert running["is_anomaly"].to_list() == [True]


def test_a_stream_that_was_gone_for_long_warms_up_again():
    shard = Fed()
    for minute in range(12):
        shard.apply(at(60 * minute), *[chat(at(60 * minute))] * 5)
    gone = SERIES_FORGOTTEN.total_seconds() + 12 * 60
    shard.apply(at(gone), chat(at(gone), stream_id="other"))
    back = shard.apply(at(gone + TIDY_EVERY.total_seconds()), *[chat(at(gone))] * 99)
    assert back.chat.filter(stream_id=STREAM)["z_score"].to_list() == [None]


def test_streams_are_told_when_new_when_titled_when_completed_and_else_now_and_then():
    shard = Fed()

    def tell(second: float, *events: Event) -> list[str]:
        streams = shard.apply(at(second), *events).streams
        return sorted(streams["stream_id"]) if streams.height else []

    titled = {"stream_id": "b", "type": "meta", "event": "title_change", "title": "New"}
    assert tell(1, chat(at(1), stream_id="a"), chat(at(1), stream_id="b")) == ["a", "b"]
    assert tell(2, chat(at(2), stream_id="a"), chat(at(2), stream_id="b")) == []
    assert tell(3, {**titled, "timestamp": at(3)}) == ["b"]
    assert tell(1 + TELL_EVERY.total_seconds(), chat(at(6), stream_id="c")) == ["a", "c"]
    assert tell(58, chat(at(58), stream_id="a")) == ["a"]
    assert tell(62, chat(at(62), stream_id="a")) == ["a"]


def test_a_snapshot_of_another_release_is_refused_with_what_to_do():
    snapshot = Shard(0, POLICY).snapshot()
    with pytest.raises(SettingsInvalidError, match="another release"):
        Shard.restore(b"\x00" + snapshot[1:], POLICY)
