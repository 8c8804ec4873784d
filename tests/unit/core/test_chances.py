"""Chances: counts on the scale of a normal distribution."""

import numpy as np
import pytest
from scipy.stats import norm, poisson

from core.chances import score_counts


@pytest.mark.parametrize(("count", "usual"), [(9, 1.5), (4, 1.0), (60, 30.0), (1, 0.02)])
def test_more_than_usual_is_as_far_as_a_normal_deviate_that_is_as_seldom(count: int, usual: float):
    (score,) = score_counts(np.array([float(count)]), np.array([usual]))
    assert norm.sf(score) == pytest.approx(poisson.sf(count - 1, usual))


def test_less_than_usual_is_below_zero_and_the_usual_near_it():
    scores = score_counts(np.array([0.0, 30.0, 5.0]), np.array([12.0, 30.0, 30.0]))
    assert scores[0] < -4
    assert abs(scores[1]) < 0.2
    assert scores[2] < -4


def test_nothing_is_known_where_nothing_is_usual_yet_and_extremes_are_numbers():
    scores = score_counts(np.array([5.0, np.nan, 1e9, 0.0]), np.array([np.nan, 5.0, 1.0, 0.0]))
    assert np.isnan(scores[:2]).all()
    assert scores[2] > 30
    assert scores[3] == 0.0
