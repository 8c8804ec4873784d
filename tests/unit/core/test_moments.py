"""Moments: what opens one, how its peak moves, how neighbours merge, and how it ends."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from core.moment_texts import describe_moment
from core.moments import (
    Judged,
    Key,
    Moment,
    find_band,
    follow_moment,
    is_over,
    revise_moment,
)
from core.tunings import UNTUNED, Tuning
from tests.fixtures.clocks import START

KEY: Final = Key("a", "chat_count", "chat_spike")


def minute(number: int, value: float = 100, z_score: float = 8.0, **more: Any) -> Judged:
    facts: dict[str, Any] = {
        "key": KEY,
        "minute": START + timedelta(minutes=number),
        "value": value,
        "expected": 20.0,
        "spread": 10.0,
        "z_score": z_score,
        "threshold": 4.0,
        "score": z_score / 4.0,
        "direction": "up",
        "final": True,
        "revision": number,
    }
    return Judged(**facts | more)


def calm(number: int, **more: Any) -> Judged:
    return minute(number, value=20, z_score=0.0, **more)


def follow(
    *minutes: Judged,
    current: Moment | None = None,
    former: Moment | None = None,
    tuning: Tuning = UNTUNED,
) -> Moment | None:
    for judged in minutes:
        current = follow_moment(current, former, judged, tuning)
    return current


def opened(*minutes: Judged, **more: Any) -> Moment:
    moment = follow(*minutes, **more)
    assert moment is not None
    return moment


def at(number: float) -> datetime:
    return START + timedelta(minutes=number)


def test_a_calm_minute_opens_nothing():
    assert follow(calm(0)) is None


def test_a_moment_opens_at_its_minute_with_its_numbers():
    moment = opened(minute(5))
    assert (moment.started_at, moment.peak_at, moment.ended_at) == (at(5), at(5), None)
    assert (moment.metric_value, moment.expected, moment.z_score) == (100, 20.0, 8.0)
    assert (moment.threshold, moment.score) == (4.0, 2.0)
    assert (moment.state, moment.direction, moment.revision) == ("open", "up", 5)
    assert find_band(moment) == (-20.0, 60.0)
    told = "Chat spike: 1.67 messages/s, expected 0.333/s, since 10:05 UTC"
    assert describe_moment(moment) == told


def test_a_few_messages_more_are_none_however_quiet_it_was():
    assert follow(minute(5, value=29, z_score=99.0)) is None
    assert follow(minute(5, value=30, z_score=99.0)) is not None


def test_just_below_a_score_of_one_is_none():
    assert follow(minute(5, z_score=3.999)) is None
    assert follow(minute(5, z_score=4.0)) is not None


def test_the_peak_moves_to_the_highest_score_and_stays_there():
    moment = opened(minute(5), minute(6, value=300, z_score=28.0), minute(7, value=200))
    assert (moment.started_at, moment.peak_at, moment.last_at) == (at(5), at(6), at(7))
    assert (moment.metric_value, moment.z_score, moment.score) == (300, 28.0, 7.0)
    assert moment.revision == 7


def test_it_ends_after_the_calm_that_would_have_merged():
    going_on = opened(minute(5), calm(6), calm(7), calm(8))
    assert going_on.ended_at is None
    ended = opened(calm(9), current=going_on)
    assert (ended.ended_at, ended.state, ended.revision) == (at(6), "open", 9)


def test_a_running_calm_minute_does_not_end_it():
    assert opened(minute(5), calm(9, final=False)).ended_at is None


def test_moments_with_little_calm_between_them_are_one():
    moment = opened(minute(5), calm(6), calm(7), calm(8), minute(9))
    assert (moment.started_at, moment.last_at, moment.ended_at) == (at(5), at(9), None)


def test_what_comes_long_after_ends_the_one_before():
    moment = opened(minute(5), minute(10))
    assert (moment.started_at, moment.ended_at) == (at(5), at(6))


def test_a_minute_from_before_leaves_it_as_it_is():
    moment = opened(minute(5))
    assert follow(minute(3, value=900, revision=50), current=moment) == moment
    assert follow(calm(3, revision=50), current=moment) == moment


def test_the_same_minutes_give_the_same_moment_with_the_same_id():
    minutes = [minute(5), minute(6, value=300), calm(7), calm(8), calm(9)]
    assert follow(*minutes) == follow(*minutes)
    assert opened(minute(6)).moment_id != opened(minute(5)).moment_id
    other = replace(minute(5), key=Key("a", "avg_viewers", "viewer_spike"))
    assert opened(other).moment_id != opened(minute(5)).moment_id


def rush(number: int, second: int) -> Judged:
    began = START + timedelta(minutes=number, seconds=second)
    return minute(number, value=900, final=False, at=began, told_by="rush")


def test_what_rose_within_seconds_keeps_its_second_and_takes_the_numbers_of_its_minute():
    moment = opened(rush(5, 40), minute(5, value=150))
    assert (moment.started_at, moment.timestamp) == (at(5) + timedelta(seconds=40), at(5))
    assert moment.is_confirmed
    assert (moment.metric_value, moment.peak_at) == (150, at(5))


def test_what_rose_within_seconds_may_be_confirmed_by_the_next_minute():
    moment = opened(rush(5, 58), calm(5))
    assert (moment.is_confirmed, moment.ended_at) == (False, None)
    confirmed = opened(minute(6, value=150), current=moment)
    assert (confirmed.is_confirmed, confirmed.is_withdrawn) == (True, False)
    assert confirmed.started_at == at(5) + timedelta(seconds=58)


def test_what_no_minute_confirms_is_withdrawn():
    moment = opened(rush(5, 40), calm(5), calm(6))
    assert (moment.is_withdrawn, moment.ended_at) == (True, at(6))
    assert describe_moment(moment).endswith("not confirmed")


def test_after_an_end_only_what_is_larger_opens_before_the_cool_down_is_over():
    ended = opened(minute(5), calm(9))
    assert ended.ended_at == at(6)
    assert follow(minute(10), former=ended) is None
    assert follow(minute(10, z_score=8.1), former=ended) is not None
    assert follow(minute(11), former=ended) is not None
    eager = Tuning(cool_down=timedelta())
    assert follow(minute(10), former=ended, tuning=eager) is not None


def test_what_was_withdrawn_does_not_keep_the_true_one_from_opening():
    withdrawn = opened(rush(5, 40), calm(5), calm(6))
    assert follow(minute(7, z_score=4.1), former=withdrawn) is not None


def test_late_events_revise_what_is_over_and_do_not_open_it_again():
    ended = opened(minute(5), minute(6), calm(10))
    higher = minute(6, value=500, z_score=48.0, revision=70)
    revised = revise_moment(ended, higher, UNTUNED)
    assert (revised.metric_value, revised.revision) == (500, 70)
    assert (revised.ended_at, revised.moment_id) == (ended.ended_at, ended.moment_id)
    assert revise_moment(ended, minute(20), UNTUNED) == ended
    assert follow(minute(4, z_score=99.0), former=ended) is None


@pytest.mark.parametrize(
    ("tuning", "is_opened"),
    [
        (Tuning(is_watched=False), False),
        (Tuning(strictness=2.0), True),
        (Tuning(strictness=2.1), False),
        (Tuning(deviation_min=80.0), True),
        (Tuning(deviation_min=80.1), False),
        (Tuning(direction="up"), True),
        (Tuning(direction="down"), False),
    ],
)
def test_a_tuning_decides_what_is_unusual(tuning: Tuning, is_opened: bool):
    assert (follow(minute(5), tuning=tuning) is not None) is is_opened


def test_a_strict_tuning_lowers_the_score():
    assert opened(minute(5), tuning=Tuning(strictness=2.0)).score == 1.0


def test_without_another_minute_it_is_over_when_a_neighbour_could_not_come_any_more():
    moment = opened(minute(5))
    last = at(5) + UNTUNED.merge + timedelta(minutes=2, seconds=15)
    assert not is_over(moment, UNTUNED, last - timedelta(seconds=1))
    assert is_over(moment, UNTUNED, last)
