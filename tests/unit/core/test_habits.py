"""Habits: what comes again and again is told twice, and then only when it is more."""

import numpy as np

from core.habits import APART_ROWS, BEYOND, TIMES, Habits
from tests.fixtures.snapshots import through_snapshot

SERIES = np.array([3])


def live(habits: Habits, minutes: int, distance: float = 0.5) -> None:
    for _ in range(minutes):
        habits.learn(SERIES, np.array([distance]), np.array([distance >= 4]))


def threshold(habits: Habits) -> float:
    return float(habits.raise_thresholds(SERIES, np.array([4.0]))[0])


def have_habit(distance: float = 8.0) -> Habits:
    habits = Habits()
    for _ in range(round(TIMES) + 1):
        live(habits, 1, distance)
        live(habits, 60)
    return habits


def test_what_happened_once_is_no_habit():
    habits = Habits()
    live(habits, 1, 8.0)
    assert threshold(habits) == 4.0


def test_an_incident_of_many_minutes_happened_once():
    habits = Habits()
    live(habits, 30, 8.0)
    live(habits, APART_ROWS - 1)
    live(habits, 5, 8.0)
    assert threshold(habits) == 4.0


def test_what_happened_often_must_be_more_to_be_news():
    assert 8.0 < threshold(have_habit()) <= BEYOND * 8.0


def test_another_series_has_its_own_habits():
    raised = have_habit().raise_thresholds(np.array([1, 3, 9]), np.full(3, 4.0))
    assert raised[0] == raised[2] == 4.0
    assert raised[1] > 8.0


def test_a_habit_is_forgotten_when_it_ceases():
    habits = have_habit()
    live(habits, 30 * 24 * 60)
    assert threshold(habits) == 4.0


def test_habits_are_forgotten_with_their_series_and_kept_through_a_snapshot():
    habits = through_snapshot(have_habit())
    assert threshold(habits) > 8.0
    habits.forget(SERIES)
    assert threshold(habits) == 4.0
