"""The default detector: many series, in any order of numbers, in a fixed room."""

import numpy as np

from core.rows import Ints
from core.verdicts import Asked, Verdicts
from streaming.detect.base import Detector
from streaming.detect.novelties import Novelties
from tests.fixtures.snapshots import through_snapshot

ROWS = 50


def ask(series: Ints, first: int = 0) -> Asked:
    """Return a row for each series and step, the value told by both."""
    times = np.repeat(60 * np.arange(first, first + ROWS), len(series))
    who = np.tile(series, ROWS)
    return Asked(who, times, np.sin(times / 100 + who) + who % 7)


def update(detector: Detector, *asked: Asked) -> list[Verdicts]:
    return [detector.update(each) for each in asked]


def test_a_series_is_judged_the_same_whatever_others_there_are():
    few, many = np.array([7, -3]), np.array([100, 7, 5, -3, 2**60])
    alone = update(Novelties(), ask(few), ask(few, ROWS))[1]
    together = Novelties()
    update(together, ask(few))
    again = together.update(ask(many, ROWS))
    kept = np.isin(np.tile(many, ROWS), few)
    assert np.array_equal(again.scores[kept], alone.scores)
    assert set(again.ages[~kept]) == set(range(1, ROWS + 1))
    assert len(together) == 5


def test_a_forgotten_series_begins_anew_and_its_room_is_used_again():
    detector = Novelties()
    detector.update(ask(np.arange(20)))
    detector.forget(np.array([3, 4, 99]))
    assert len(detector) == 18
    verdicts = detector.update(ask(np.array([3, 5, 50]), ROWS))
    ages = verdicts.ages.reshape(ROWS, 3)[0]
    assert ages.tolist() == [1, ROWS + 1, 1]
    assert len(detector) == 20


def test_a_snapshot_goes_on_where_it_was():
    detector, series = Novelties(), np.arange(3)
    detector.update(ask(series))
    again = through_snapshot(detector)
    one, other = (each.update(ask(series, ROWS)) for each in (detector, again))
    assert np.array_equal(one.scores, other.scores)


def test_nothing_asked_is_nothing_said():
    nothing = np.empty(0, np.int64)
    assert len(Novelties().update(Asked(nothing, nothing, np.empty(0))).scores) == 0


def test_what_told_most_has_words():
    detector = Novelties()
    assert detector.explain(0, is_higher=True) == "higher than ever"
    assert detector.explain(0, is_higher=False) == "lower than ever"
