"""Novelties: only what never was is news, nothing looks ahead, no series knows another."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.novelties import BLOCK_ROWS, COUNT, EARLIEST, REST_ROWS, TRAITS, judge_rows, make_states
from core.rows import Floats, Ints
from core.verdicts import NOTHING, Asked, Verdicts, make_verdicts

BEGIN = 1_769_385_600
MATURE = 2000


def judge(values: Floats, *, states=None, first: int = 0, step_s: int = 300) -> Verdicts:
    """Judge the rows of one series, one each five minutes."""
    states = make_states(1) if states is None else states
    count = len(values)
    times = BEGIN + step_s * np.arange(first, first + count)
    verdicts = make_verdicts(count)
    asked = Asked(np.zeros(count, np.int64), times, np.asarray(values, np.float64))
    judge_rows(states, asked, np.empty(COUNT), verdicts)
    return verdicts


def draw(count: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(50, 3, count)


def find(verdicts: Verdicts) -> Ints:
    return np.flatnonzero(verdicts.scores >= 1)


def test_every_trait_has_words_and_a_first_row():
    assert len(EARLIEST) == COUNT
    assert all(trait.higher != trait.lower for trait in TRAITS)


@given(st.lists(st.integers(1, MATURE), max_size=4))
def test_nothing_looks_ahead_however_the_rows_are_cut(cuts: list[int]):
    values = np.cumsum(draw(MATURE)) % 400
    whole = judge(values).scores
    states, parts = make_states(1), []
    bounds = sorted({0, MATURE, *cuts})
    for begin, end in pairwise(bounds):
        parts.append(judge(values[begin:end], states=states, first=begin).scores)
    assert np.array_equal(np.concatenate(parts), whole)


def test_series_do_not_know_each_other():
    count, series = 700, [draw(700, seed) for seed in range(3)]
    alone = [judge(values).scores for values in series]
    verdicts = make_verdicts(3 * count)
    asked = Asked(
        np.tile(np.arange(3), count),
        np.repeat(BEGIN + 300 * np.arange(count), 3),
        np.stack(series, axis=1).ravel(),
    )
    judge_rows(make_states(3), asked, np.empty(COUNT), verdicts)
    assert np.array_equal(verdicts.scores.reshape(count, 3).T, np.array(alone))


@pytest.mark.parametrize(
    ("change", "told", "is_higher"),
    [(60, "higher than ever", True), (-60, "lower than ever", False)],
)
def test_what_never_was_is_told_with_its_direction_and_at_once(
    change: float, told: str, *, is_higher: bool
):
    values = draw(MATURE)
    values[-1] += change
    verdicts = judge(values)
    assert verdicts.scores[-1] >= 1
    trait = TRAITS[verdicts.telling[-1]]
    assert verdicts.higher[-1] == is_higher
    assert told in (trait.higher if is_higher else trait.lower)


def test_a_known_extreme_that_comes_again_is_no_news():
    values = draw(MATURE)
    values[100::288] += 60
    verdicts = judge(values)
    assert not (find(verdicts) > 1200).any()


def test_after_a_detection_it_rests_and_goes_on_learning():
    values = draw(MATURE + 200)
    values[MATURE:] += 60
    found = find(judge(values))
    assert found[found >= MATURE][0] == MATURE
    assert all(found[found > MATURE] > MATURE + REST_ROWS)
    assert len(found[found >= MATURE]) <= 3


def test_the_first_change_of_what_was_constant_is_told_on_its_row():
    values = np.full(MATURE, 20.0)
    values[-1] = 20.5
    scores = judge(values).scores
    assert scores[-1] >= 1
    assert not scores[:-1].any()


def test_the_last_digit_of_what_is_constant_is_no_news():
    values = np.full(MATURE, 20.0)
    values[-100:] += 1e-9
    assert not find(judge(values)).size


@pytest.mark.parametrize("gap", [np.nan, np.inf, -np.inf])
def test_a_gap_is_no_value(gap: float):
    values = draw(MATURE)
    states, others = make_states(1), make_states(1)
    verdicts = judge(np.array([*values[:900], gap]), states=states)
    judge(values[:900], states=others)
    assert verdicts.scores[-1] == 0
    assert (verdicts.telling[-1], verdicts.ages[-1]) == (NOTHING, 900)
    assert states.tobytes() == others.tobytes()


def test_what_lies_far_back_is_forgotten():
    values = draw(4 * BLOCK_ROWS)
    values[700] = values[-1] = 200
    news = judge(values).scores[-1]
    assert news >= 1
    values[-1 - BLOCK_ROWS // 2] = 200
    assert judge(values).scores[-1] < news / 10


def test_rows_that_come_more_often_have_to_say_more():
    values = np.abs(draw(8000, 5))
    seldom, often = (find(judge(values, step_s=step_s)).size for step_s in (300, 60))
    assert often <= seldom


@pytest.mark.parametrize("value", [0.0, -1e100, 1e100, 5e-324])
def test_values_of_any_size_are_survived(value: float):
    values = np.where(np.arange(1000) % 7, value, -value)
    scores = judge(values).scores
    assert np.isfinite(scores).all()
    assert np.isfinite(judge(draw(1000), states=make_states(1)).scores).all()
