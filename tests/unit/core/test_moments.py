"""Moments: a spike opens, its peak moves, neighbours merge, and it ends."""

from datetime import datetime, timedelta
from typing import Any, Final

from core.moments import JudgedMinute, Moment, SpikePolicy, follow_spike
from tests.fixtures.clocks import START

POLICY: Final = SpikePolicy()


def minute(number: int, count: int = 100, z_score: float = 8.0, **more: Any) -> JudgedMinute:
    facts: dict[str, Any] = {
        "stream_id": "a",
        "minute": START + timedelta(minutes=number),
        "count": count,
        "expected": 20.0,
        "z_score": z_score,
        "final": True,
        "revision": number,
    }
    return JudgedMinute(**facts | more)


def calm(number: int, **more: Any) -> JudgedMinute:
    return minute(number, count=20, z_score=0.0, **more)


def follow(*minutes: JudgedMinute, current: Moment | None = None) -> Moment | None:
    for judged in minutes:
        current = follow_spike(current, judged, POLICY)
    return current


def at(number: int) -> datetime:
    return START + timedelta(minutes=number)


def test_a_calm_minute_opens_nothing():
    assert follow(calm(0)) is None


def test_a_spike_opens_at_its_minute_with_its_numbers():
    moment = follow(minute(5))
    assert moment is not None
    assert (moment.started_at, moment.peak_at, moment.ended_at) == (at(5), at(5), None)
    assert (moment.metric_value, moment.expected, moment.z_score) == (100, 20.0, 8.0)
    assert (moment.threshold, moment.score) == (4.0, 2.0)
    assert (moment.state, moment.direction, moment.revision) == ("open", "up", 5)
    assert moment.description == ("Chat spike: 1.67 messages/s, expected 0.333/s, since 10:05 UTC")


def test_a_running_minute_opens_one_too():
    assert follow(minute(5, final=False)) is not None


def test_a_few_messages_are_no_spike_however_quiet_it_was():
    assert follow(minute(5, count=POLICY.least_count - 1, z_score=99.0)) is None
    assert follow(minute(5, count=POLICY.least_count, z_score=99.0)) is not None


def test_just_below_the_threshold_is_no_spike():
    assert follow(minute(5, z_score=3.999)) is None
    assert follow(minute(5, z_score=4.0)) is not None


def test_the_peak_moves_to_the_highest_minute_and_stays_there():
    moment = follow(minute(5), minute(6, count=300, z_score=28.0), minute(7, count=200))
    assert moment is not None
    assert (moment.started_at, moment.peak_at, moment.last_at) == (at(5), at(6), at(7))
    assert (moment.metric_value, moment.z_score, moment.score) == (300, 28.0, 7.0)
    assert moment.revision == 7


def test_a_growing_minute_moves_its_own_peak():
    moment = follow(minute(5, final=False), minute(5, count=150, z_score=13.0, revision=9))
    assert moment is not None
    assert (moment.peak_at, moment.metric_value, moment.revision) == (at(5), 150, 9)


def test_it_ends_after_the_calm_that_would_have_merged():
    opened = follow(minute(5), calm(6), calm(7))
    assert opened is not None
    assert opened.ended_at is None
    ended = follow(calm(8), current=opened)
    assert ended is not None
    assert (ended.ended_at, ended.state, ended.revision) == (at(6), "open", 8)


def test_a_running_calm_minute_does_not_end_it():
    moment = follow(minute(5), calm(9, final=False))
    assert moment is not None
    assert moment.ended_at is None


def test_spikes_with_little_calm_between_them_are_one():
    moment = follow(minute(5), calm(6), calm(7), minute(8))
    assert moment is not None
    assert (moment.started_at, moment.last_at, moment.ended_at) == (at(5), at(8), None)


def test_a_spike_long_after_ends_the_one_before():
    moment = follow(minute(5), minute(9))
    assert moment is not None
    assert (moment.started_at, moment.ended_at) == (at(5), at(6))


def test_a_minute_from_before_leaves_it_as_it_is():
    opened = follow(minute(5))
    assert follow(minute(3, count=900, revision=50), current=opened) == opened
    assert follow(calm(3, revision=50), current=opened) == opened


def test_the_same_minutes_give_the_same_moment_with_the_same_id():
    minutes = [minute(5), minute(6, count=300), calm(7), calm(8), calm(9)]
    assert follow(*minutes) == follow(*minutes)
    other = follow(minute(6))
    first = follow(minute(5))
    assert first is not None
    assert other is not None
    assert first.moment_id != other.moment_id
