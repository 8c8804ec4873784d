"""Baselines: the hour before, never the point itself, and no cap on what it is measured by."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.baselines import LAG, NORMAL_FROM_MAD, BaselinePolicy, Histories
from tests.fixtures.snapshots import through_snapshot

POLICY = BaselinePolicy()
REOPENED = timedelta(minutes=5)
SPAN = 60
START = 1_000_000
"""The number of a minute."""

A, B = 0, 1


def remember(histories: Histories, values: dict[int, float], series: int = A) -> None:
    """Remember values by minutes since the start."""
    numbers = np.array([START + minute for minute in values], np.int64)
    histories.remember(np.full(len(values), series), numbers, np.array([*values.values()]))


def make(values: dict[int, float], series: int = A) -> Histories:
    histories = Histories(POLICY, reopened=REOPENED)
    remember(histories, values, series)
    return histories


def measure(histories: Histories, minute: int, series: int = A) -> tuple[float, float]:
    """Return the median and the median deviation before a minute."""
    found = histories.measure(np.array([series]), np.array([START + minute]))
    return float(found.level[0]), round(float(found.spread[0] / NORMAL_FROM_MAD), 9)


def test_a_minute_is_measured_by_the_median_of_the_minutes_before():
    histories = make({minute: 10.0 + minute % 3 for minute in range(30)})
    assert measure(histories, 30) == (11.0, 1.0)


def test_the_median_of_an_even_number_lies_in_the_middle_of_two():
    histories = make({minute: float(minute) for minute in range(10)})
    assert measure(histories, 10) == (4.5, 2.5)


def test_a_baseline_never_contains_the_judged_minute_nor_later_ones():
    before = {minute: float(minute % 7) for minute in range(20)}
    clean = measure(make(before), 20)
    assert measure(make(before | {20: 99.0, 21: 500.0}), 20) == clean


def test_one_spike_before_does_not_move_the_bar_for_the_next():
    history = dict.fromkeys(range(20), 10.0)
    assert measure(make(history | {20: 10_000.0}), 21) == measure(make(history), 21)


def test_warming_up_gives_no_baseline():
    few = make(dict.fromkeys(range(POLICY.least - 1), 10.0))
    assert np.isnan(measure(few, 30)).all()
    remember(few, {POLICY.least - 1: 10.0})
    assert measure(few, 30) == (10.0, 0.0)


def test_minutes_beyond_the_span_do_not_count():
    histories = make(dict.fromkeys(range(POLICY.least), 10.0))
    assert measure(histories, SPAN)[0] == 10.0
    assert np.isnan(measure(histories, SPAN + 1)).all()


def test_series_are_measured_against_themselves():
    histories = make(dict.fromkeys(range(20), 10.0), A)
    remember(histories, dict.fromkeys(range(20), 1000.0), B)
    series, minutes = np.array([B, A, 7]), np.full(3, START + 20)
    assert histories.measure(series, minutes).level.tolist() == pytest.approx(
        [1000.0, 10.0, np.nan], nan_ok=True
    )


def test_a_series_that_comes_later_does_not_disturb_the_others():
    histories = make(dict.fromkeys(range(20), 30.0), 3)
    for series in (5, 1, 4):
        remember(histories, dict.fromkeys(range(20), 10.0 * series), series)
    assert [measure(histories, 20, series)[0] for series in (1, 3, 4, 5)] == [10, 30, 40, 50]


def test_a_revised_minute_replaces_the_remembered_one():
    histories = make(dict.fromkeys(range(11), 10.0))
    for minute in range(6):
        remember(histories, {minute: 70.0})
    assert measure(histories, 11) == (70.0, 0.0)


def test_a_minute_that_may_be_reopened_still_has_its_whole_span():
    values = {minute: float(minute) for minute in range(SPAN + 6)}
    reopened = SPAN + 6 - REOPENED // timedelta(minutes=1)
    expected = float(np.median([values[minute] for minute in range(reopened - SPAN, reopened)]))
    assert measure(make(values), reopened)[0] == expected


def test_what_is_older_than_all_that_is_remembered_does_not_take_its_place():
    history = dict.fromkeys(range(300, 370), 10.0)
    histories = make(history)
    remember(histories, dict.fromkeys(range(70), 99.0))
    assert measure(histories, 370) == (10.0, 0.0)


def test_a_forgotten_series_warms_up_again_and_the_others_do_not():
    histories = make(dict.fromkeys(range(20), 10.0), A)
    remember(histories, dict.fromkeys(range(20), 20.0), B)
    histories.forget(np.array([A]))
    assert np.isnan(measure(histories, 20, A)).all()
    assert measure(histories, 20, B) == (20.0, 0.0)
    remember(histories, {21: 1.0}, A)
    assert np.isnan(measure(histories, 22, A)).all()


def test_under_another_policy_as_many_minutes_are_kept_as_it_has_room_for():
    histories = make({minute: float(minute) for minute in range(66)})
    wider = histories.follow(POLICY, reopened=timedelta(minutes=60))
    assert measure(wider, 66) == measure(histories, 66)
    remember(wider, {66 + minute: 0.0 for minute in range(60)})
    assert measure(wider, 66) == measure(histories, 66)
    short = BaselinePolicy(span=timedelta(minutes=20), least=5)
    narrow = histories.follow(short, reopened=REOPENED)
    assert measure(narrow, 66) == (float(np.median(range(46, 66))), 5.0)


def test_nothing_is_known_of_nothing():
    assert np.isnan(measure(Histories(POLICY, reopened=REOPENED), 5)).all()


def test_a_snapshot_holds_the_histories():
    again = through_snapshot(make(dict.fromkeys(range(20), 10.0)))
    assert measure(again, 20) == (10.0, 0.0)


@given(
    st.lists(st.dictionaries(st.integers(0, 90), st.integers(0, 50).map(float), max_size=40)),
    st.integers(0, 5),
)
def test_a_baseline_is_the_median_of_what_a_plain_list_holds(
    batches: list[dict[int, float]], reopened: int
):
    histories, model = Histories(POLICY, reopened=REOPENED), dict[int, float]()
    for batch in batches:
        ordered = dict(sorted(batch.items()))
        remember(histories, ordered)
        model |= ordered
    judged = max(model, default=0) + 1 - reopened
    before = [value for minute, value in model.items() if judged - SPAN <= minute < judged]
    median, deviation = measure(histories, judged)
    if len(before) < POLICY.least:
        assert np.isnan([median, deviation]).all()
    else:
        assert median == np.median(before)
        assert deviation == np.median(np.abs(np.array(before) - np.median(before)))


def test_the_newest_minutes_tell_where_a_wandering_series_is_now():
    histories = make({minute: float(minute) for minute in range(40)})
    found = histories.measure(np.array([A]), np.array([START + 40]))
    assert found.level[0] == 19.5
    assert found.recent[0] == 38.0
    assert found.drift[0] == pytest.approx(LAG * NORMAL_FROM_MAD)


def test_minutes_are_read_back_as_they_were_and_gaps_as_nothing():
    histories = make({1: 10.0, 2: 20.0, 4: 40.0})
    values = histories.list_values(np.array([A, 7]), START + 1, START + 4)
    assert values[0].tolist() == pytest.approx([10.0, 20.0, np.nan, 40.0], nan_ok=True)
    assert np.isnan(values[1]).all()
    known = histories.knows(np.array([A, A, 7]), np.array([START + 2, START + 3, START + 2]))
    assert known.tolist() == [True, False, False]
