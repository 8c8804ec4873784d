"""Lookouts: what a shard finds is the same again, also after a restart, and explains itself."""

import pickle
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import numpy as np

from core.moments import Moment
from core.tunings import TuningRule, Tunings
from streaming.flow.pulses import GIVEN_UP
from streaming.flow.shards import QUIET, FlowPolicy, Shard
from tests.fixtures.clocks import START
from tests.fixtures.events import Event, chat, make_batch, make_entry, reading, viewers

POLICY = FlowPolicy()
RAID = {"stream_id": "northlight", "type": "meta", "event": "raid", "viewers": 900}


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


class Live:
    """A stream with chat, viewers and a sensor, a batch each second."""

    def __init__(self) -> None:
        self.shard = Shard(0, POLICY)
        self.second = 0
        self.told: list[Moment] = []
        self._random = np.random.default_rng(4)

    def warm_up(self, minutes: int = 20) -> None:
        """Tell of minutes as they usually are, each at once."""
        for _ in range(minutes):
            self.run(60, at_once=60)

    def run(self, seconds: int, rate: int = 5, *, at_once: int = 1, **off: Any) -> None:
        events: list[Event] = []
        for number in range(1, seconds + 1):
            self.second += 1
            events += self._make_second(rate, off)
            if events and number % at_once == 0:
                entry = make_entry(at(self.second), events)
                (changes,) = self.shard.apply(make_batch([entry]))
                self.told += changes.moments
                events = []

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.second += 1
            changes = self.shard.close(at(self.second))
            self.told += changes.moments if changes else ()

    def list_last(self) -> list[Moment]:
        """Return each moment as it was told last."""
        return list({moment.moment_id: moment for moment in self.told}.values())

    def _make_second(self, rate: int, off: dict[str, Any]) -> list[Event]:
        def when(part: float) -> datetime:
            return at(self.second - 1 + part)

        count = int(self._random.poisson(rate))
        text = off.get("text", "hello there")
        events = [
            chat(when(n / (count + 1)), user=f"u{self.second % 40}-{n}", text=f"{text} {n}")
            for n in range(count)
        ]
        if self.second % 5 == 0:
            seen = off.get("viewers", 500) + self._random.normal(0, 3)
            events.append(viewers(when(0.5), round(seen)))
        if not off.get("is_mute"):
            value = off.get("value", round(20 + self._random.normal(0, 0.2), 3))
            events.append(reading(when(0.6), value, channel="temp"))
        if self.second == off.get("raid_at"):
            events.append({**RAID, "timestamp": when(0.1)})
        return events


@cache
def pickle_warm() -> bytes:
    """Return a stream that was told of as it usually is, once for all tests."""
    live = Live()
    live.warm_up()
    return pickle.dumps(live)


def find_warm() -> Live:
    """Return a stream of one's own that was told of as it usually is."""
    live: Live = pickle.loads(pickle_warm())  # noqa: S301 (ours)
    return live


def run_into_a_raid() -> Live:
    # Not a copy: the words of a reason come from samples, which are no part of a snapshot.
    live = Live()
    live.warm_up()
    assert live.told == []
    live.run(100, rate=25, viewers=1500, text="welcome raiders", raid_at=1201)
    return live


def test_a_raid_opens_within_seconds_and_says_what_else_was_different():
    live = run_into_a_raid()
    spike = next(each for each in live.told if each.moment_type == "chat_spike")
    assert at(1198) <= spike.started_at <= at(1206)
    assert spike.told_by == "rush"
    live.run(420, at_once=5)
    (ended,) = [each for each in live.list_last() if each.moment_type == "chat_spike"]
    assert ended.moment_id == spike.moment_id
    assert ended.ended_at is not None
    assert (ended.is_confirmed, ended.is_withdrawn) == (True, False)
    kinds = {str(each["kind"]) for each in ended.reasons}
    assert kinds >= {"event", "metric", "word", "message"}
    texts = [str(each["text"]) for each in ended.reasons]
    assert any("Raid of 900" in text for text in texts)
    assert any(text.startswith("avg_viewers rose to") for text in texts)
    assert any("raiders" in text for text in texts)


def test_a_shard_that_is_restored_finds_the_same():
    first, again = Live(), find_warm()
    # It was never anything else than it is.
    first.warm_up()
    again.shard = Shard.restore(again.shard.snapshot(), POLICY)
    for live in (first, again):
        live.run(60, rate=25, viewers=1500, value=26.0, at_once=2)
        live.run(300, at_once=10)
    found = [
        [
            (each.moment_id, each.started_at, each.ended_at, each.metric_value, each.score)
            for each in live.list_last()
        ]
        for live in (first, again)
    ]
    assert found[0] == found[1]
    assert len(found[0]) >= 3


def test_a_burst_that_its_minute_does_not_confirm_is_withdrawn():
    live = find_warm()
    live.run(10)
    live.run(3, rate=30)
    live.run(200, at_once=5)
    (moment,) = live.list_last()
    assert (moment.moment_type, moment.is_withdrawn) == ("chat_spike", True)
    assert moment.ended_at is not None


def test_a_channel_that_falls_silent_is_told_and_its_return_ends_it():
    live = find_warm()
    live.run(60, is_mute=True)
    live.run(10)
    (moment,) = live.list_last()
    assert (moment.moment_type, moment.metric_name) == ("silence", "temp")
    assert at(1198) <= moment.started_at <= at(1200)
    assert moment.ended_at is not None
    assert 58 <= moment.metric_value <= 62


def test_a_stream_that_falls_silent_is_told_once_and_not_for_each_of_its_series():
    live = find_warm()
    live.wait(120)
    (moment,) = live.list_last()
    assert (moment.moment_type, moment.metric_name) == ("silence", "events")
    assert moment.ended_at is None


def test_a_silence_that_lasts_for_hours_is_given_up_and_not_told_again():
    live = find_warm()
    live.wait(60)
    live.second += int(GIVEN_UP.total_seconds())
    live.wait(60)
    (moment,) = live.list_last()
    assert moment.ended_at is not None
    assert not live.shard.is_running(at(live.second))


def test_a_stream_that_said_that_it_ends_is_not_silent():
    live = find_warm()
    end = {"stream_id": "northlight", "type": "meta", "event": "stream_end"}
    live.shard.apply(make_batch([make_entry(at(1201), [{**end, "timestamp": at(1201)}])]))
    live.wait(200)
    assert live.told == []


def test_the_past_that_somebody_sends_is_never_silent():
    live = Live()
    for minute in range(30):
        events = [chat(at(60 * minute + n)) for n in range(60)]
        live.shard.apply(make_batch([make_entry(at(90_000 + minute), events)]))
    live.second = 90_100
    live.wait(200)
    assert live.told == []


def test_while_older_entries_are_read_nothing_seems_silent_by_the_clock():
    live = find_warm()
    live.second += 3600
    live.wait(int(QUIET.total_seconds()) - 1)
    assert live.told == []
    live.wait(10)
    assert [each.moment_type for each in live.told] == ["silence"]


def test_a_sensor_that_is_stuck_is_told_until_it_moves():
    live = find_warm()
    live.run(60, value=20.125)
    live.run(10)
    (moment,) = live.list_last()
    assert (moment.moment_type, moment.metric_name) == ("flatline", "temp")
    assert moment.metric_value == 20.125
    assert moment.ended_at is not None


def test_what_is_tuned_away_is_not_told():
    live = find_warm()
    rule = TuningRule("t1", stream_pattern="north*", metric_pattern="chat*", is_watched=False)
    live.shard.tune(Tunings((rule,), version=1))
    live.run(100, rate=25, at_once=2)
    live.run(60, at_once=5)
    assert live.told == []


def find_in_an_uproar(at_once: int) -> set[tuple[str, str, datetime]]:
    """Return the moments that are found in batches of so many seconds."""
    live = find_warm()
    live.run(120, rate=25, viewers=1500, value=26.0, at_once=at_once)
    live.run(360, at_once=60)
    return {(each.moment_id, each.moment_type, each.started_at) for each in live.list_last()}


def test_however_events_are_cut_into_batches_the_same_moments_are_found():
    found = [find_in_an_uproar(at_once) for at_once in (1, 10, 60, 120)]
    assert found == found[:1] * 4
    # The chat, the viewers, and a sensor that leaps and then stands still.
    assert len(found[0]) == 4
