"""Seconds: a chat that speeds up is noticed within seconds, chance and habit are not."""

import numpy as np
import pytest

from core.seconds import SAMPLES_A_SECOND, SIZE, Rushes, Seconds
from tests.fixtures.snapshots import through_snapshot

BEGIN = 1_700_000_000
STREAM = np.array([2])
THRESHOLD = 4.8


class Chat:
    """A chat of one stream, told second by second."""

    def __init__(self, rate: float, seed: int = 1) -> None:
        self.seconds = Seconds()
        self.usual = rate * 60
        self._now = BEGIN
        self._random = np.random.default_rng(seed)

    def say(self, rate: float, seconds: int) -> None:
        for _ in range(seconds):
            count = int(self._random.poisson(rate))
            at = self._now * 1_000_000 + np.sort(self._random.integers(0, 1_000_000, count))
            self.seconds.count(np.full(count, STREAM[0]), at)
            self._now += 1

    def look(self) -> Rushes:
        expected = np.array([self.usual])
        return self.seconds.find_rushes(STREAM, expected, np.sqrt(expected), THRESHOLD)

    def find_delay(self, rate: float) -> int:
        """Speed up; return after how many seconds that is noticed."""
        begun = self._now
        for _ in range(60):
            self.say(rate, 1)
            if (found := self.look()).seconds[0]:
                assert begun - 2 <= found.seconds[0] <= self._now
                return self._now - begun
        pytest.fail("It was never noticed.")


@pytest.mark.parametrize("rate", [1.0, 4.0, 20.0])
def test_three_times_the_usual_rate_is_noticed_within_seconds(rate: float):
    chat = Chat(rate)
    chat.say(rate, 600)
    assert not chat.look().seconds[0]
    assert chat.find_delay(3 * rate) <= (20 if rate == 1 else 8)


@pytest.mark.parametrize("rate", [0.1, 2.0, 20.0])
def test_chance_alone_is_hardly_ever_a_rush(rate: float):
    chat = Chat(rate, seed=7)
    found = 0
    for _ in range(1200):
        chat.say(rate, 30)
        found += int(chat.look().seconds[0] > 0)
    assert found <= 1


def test_a_chat_that_is_always_bursty_is_given_more():
    calm, bursty = Chat(6.0), Chat(6.0)
    for number in range(300):
        calm.say(6, 10)
        bursty.say(24 if number % 4 == 0 else 0, 10)
        calm.look()
        bursty.look()
    calm.say(24, 9)
    bursty.say(24, 9)
    assert calm.look().scores[0] > bursty.look().scores[0]


def test_each_second_is_judged_once_however_the_batches_are_cut():
    whole, cut = Chat(5.0, seed=3), Chat(5.0, seed=3)
    for chat in (whole, cut):
        chat.say(5, 300)
        chat.look()
    whole.say(30, 12)
    found = whole.look()
    scores = []
    for _ in range(12):
        cut.say(30, 1)
        scores.append(cut.look())
    first = next(each for each in scores if each.seconds[0])
    assert (first.seconds[0], first.found[0]) == (found.seconds[0], found.found[0])
    assert not whole.look().seconds[0]


def test_without_a_known_rate_nothing_is_a_rush():
    chat = Chat(5.0)
    chat.usual = np.nan
    chat.say(5, 100)
    chat.say(500, 10)
    assert not chat.look().seconds[0]


def test_what_is_older_than_the_ring_changes_nothing():
    chat = Chat(5.0)
    chat.say(5, 200)
    chat.look()
    old = (BEGIN + 199 - SIZE) * 1_000_000
    chat.seconds.count(np.full(5000, STREAM[0]), np.full(5000, old))
    chat.say(5, 5)
    assert not chat.look().seconds[0]


def test_a_few_messages_of_each_second_are_samples():
    seconds = Seconds()
    at = np.repeat([1_000_000, 2_000_000], [10, 2]) + BEGIN * 1_000_000
    sampled = seconds.count(np.zeros(12, np.int64), at)
    assert sampled.sum() == SAMPLES_A_SECOND + 2
    assert seconds.count(np.zeros(0, np.int64), np.zeros(0, np.int64)).size == 0


def test_a_snapshot_holds_the_seconds():
    chat = Chat(5.0)
    chat.say(5, 200)
    chat.look()
    chat.say(30, 9)
    chat.seconds = through_snapshot(chat.seconds)
    assert chat.look().seconds[0]
