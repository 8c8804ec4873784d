"""Sequences: a live client's gaps, misses and stale numbers are found, and only those."""

from datetime import UTC, datetime
from typing import Any

import pytest

from loadtest.scenarios.sequences import Sequence, Told, Watch

MINUTE = datetime(2026, 1, 26, 10, 32, tzinfo=UTC)


class Script:
    """A server's side of one connection, numbered as the server numbers."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._seq = 0
        watch.connect()

    def say(self, kind: str, **facts: Any) -> None:
        self._watch.take({"type": kind, "seq": self._seq, **facts})
        self._seq += 1

    def say_minute(self, count: int, position: int | None = None, stream: str = "a") -> None:
        data = {"window_start": "2026-01-26T10:32:00Z", "chat_count": count}
        kind = "metrics" if position is None else "minute"
        self.say(kind, stream_id=stream, position=position, data=data)


def _watch(told: Told | None = None, streams: tuple[str, ...] = ("a",)) -> Watch:
    return Watch(told or Told(), streams)


@pytest.mark.parametrize(
    ("numbers", "gaps"),
    [([0, 1, 2], 0), ([], 0), ([0, 2], 1), ([3], 3), ([0, 1, 1], 1), ([0, 1, 0], 1)],
)
def test_numbers_that_are_left_out_or_said_twice_are_counted(numbers: list[int], gaps: int) -> None:
    sequence = Sequence()
    for number in numbers:
        sequence.take({"type": "metrics", "seq": number})
    assert sequence.close() == gaps


def test_a_message_without_a_number_is_a_gap() -> None:
    sequence = Sequence()
    sequence.take({"type": "metrics"})
    sequence.take({"type": "metrics", "seq": "0"})
    assert sequence.close() == 2


def test_dropped_explains_as_many_as_it_says_and_no_more() -> None:
    sequence = Sequence()
    sequence.take({"type": "connected", "seq": 0})
    sequence.take({"type": "dropped", "seq": 4, "count": 2})
    assert sequence.close() == 1
    sequence.take({"type": "dropped", "seq": 5, "count": 7})
    assert sequence.close() == 0


def test_each_connection_counts_from_zero_and_gaps_of_all_add_up() -> None:
    watch = _watch()
    for _ in range(2):
        watch.connect()
        watch.take({"type": "connected", "seq": 0, "position": 1})
        watch.take({"type": "ping", "seq": 2})
    watch.close()
    assert watch.gaps == 2


def test_what_one_was_told_all_who_follow_the_stream_should_have() -> None:
    told = Told()
    first, second, other = _watch(told), _watch(told), _watch(told, ("b",))
    Script(first).say_minute(1, position=10)
    Script(second).say_minute(1, position=10)
    Script(other).say_minute(1, position=11, stream="b")
    first.take({"type": "moment", "seq": 1, "stream_id": "a", "position": 12})
    assert (first.count_expected(), first.count_delivered()) == (2, 2)
    assert (second.count_expected(), second.count_delivered()) == (2, 1)
    assert (other.count_expected(), other.count_delivered()) == (1, 1)


def test_who_came_later_is_not_expected_to_know_what_was_before() -> None:
    told = Told()
    Script(_watch(told)).say_minute(1, position=10)
    late = _watch(told)
    assert (late.count_expected(), late.count_delivered()) == (0, 0)
    Script(late).say_minute(1, position=20)
    assert (late.count_expected(), late.count_delivered()) == (1, 1)


def test_a_complete_resume_promises_everything_since_the_position() -> None:
    told = Told()
    watch = _watch(told)
    Script(watch).say("connected", position=5)
    watch.ask()
    Script(watch).say("resumed", complete=True)
    Script(_watch(told)).say_minute(1, position=6)
    assert watch.resumed == watch.resumes == 1
    assert (watch.count_expected(), watch.count_delivered()) == (1, 0)


def test_the_position_of_a_greeting_counts_only_for_who_was_never_here() -> None:
    watch = _watch()
    Script(watch).say("connected", position=5)
    Script(watch).say_minute(1, position=9)
    Script(watch).say("connected", position=50)
    assert watch.position == 9


def test_an_incomplete_resume_excuses_what_came_before_it() -> None:
    told = Told()
    watch = _watch(told)
    Script(watch).say_minute(1, position=6)
    Script(_watch(told)).say_minute(2, position=7)
    watch.ask()
    Script(watch).say("resumed", complete=False, position=8)
    assert (watch.resumes, watch.resumed) == (1, 0)
    assert (watch.count_expected(), watch.position) == (0, 8)
    assert watch.compare_views({("a", MINUTE): 3}) == (0, 0)


def test_a_gap_that_the_server_owns_up_to_is_no_resume_of_ours() -> None:
    watch = _watch()
    Script(watch).say("resumed", complete=False, position=8)
    assert (watch.resumes, watch.resumed) == (0, 0)


def test_minutes_that_were_skipped_are_excused_when_dropped_says_so() -> None:
    told = Told()
    watch = _watch(told)
    script = Script(watch)
    script.say_minute(1, position=6)
    Script(_watch(told)).say_minute(2, position=7)
    script.say("dropped", count=3, replaced=3)
    assert watch.count_expected() == 2
    script.say("dropped", count=3, replaced=2)
    assert watch.count_expected() == 0


def test_the_last_number_of_a_minute_must_be_the_stored_one() -> None:
    watch = _watch()
    script = Script(watch)
    script.say_minute(3)
    script.say_minute(4, position=1)
    assert watch.compare_views({("a", MINUTE): 4}) == (1, 1)
    assert watch.compare_views({("a", MINUTE): 5}) == (1, 0)
    later = MINUTE.replace(minute=33)
    assert watch.compare_views({("a", MINUTE): 4, ("a", later): 1}) == (2, 1)


def test_who_was_shown_nothing_of_a_stream_misses_its_newest_minute() -> None:
    watch = _watch(streams=("a", "b"))
    Script(watch).say_minute(3)
    stored = {("a", MINUTE): 3, ("b", MINUTE): 1, ("c", MINUTE): 1}
    assert watch.compare_views(stored) == (2, 1)
