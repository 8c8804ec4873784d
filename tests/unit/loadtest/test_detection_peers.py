"""Detection beside River: its detectors are asked as it is said, and memory is really measured."""

import numpy as np
import pytest

from loadtest.bench.detection.rivers import (
    GRACE_ROWS,
    PEERS,
    scale_by_past,
    score_gaussian,
    score_trees,
)
from loadtest.bench.detection.speeds import (
    LOADS,
    RIVALS,
    Load,
    measure_ours,
    measure_rival,
    weigh,
)

KILOBYTE = 1024


@pytest.fixture
def values():
    drawn = np.random.default_rng(3).normal(10, 2, 600)
    drawn[500] = 60
    return drawn


def test_a_deviation_is_told_beyond_where_the_scorer_itself_is_full(values):
    scores = score_gaussian(values)
    before = values[:500]
    assert scores[500] == pytest.approx(abs(60 - before.mean()) / before.std(ddof=1))
    assert scores[500] > 20
    assert not scores[:GRACE_ROWS].any()


def test_trees_find_it_rare_where_none_was_near(values):
    scores = score_trees(values)
    assert not scores[:250].any()
    # What is rare enough is all the same to them.
    assert (scores[250:500] <= scores[500]).mean() > 0.95


@pytest.mark.parametrize("score", [scale_by_past, score_gaussian, score_trees])
def test_nobody_looks_ahead(score, values):
    assert np.array_equal(score(values)[:400], score(values[:400]))


def test_thresholds_go_around_what_is_found(values):
    for peer in PEERS.values():
        scores = peer.score(values)
        assert (scores >= peer.thresholds[0]).any()
        assert not (scores[:500] >= peer.thresholds[-1]).any()


def _hoard(count: int) -> object:
    return [bytes([n % 256]) * 64 * KILOBYTE for n in range(count)]


def test_what_a_series_weighs_is_what_the_process_grows_by():
    assert weigh(_hoard, 500) == pytest.approx(64 * KILOBYTE, rel=0.1)


def test_all_are_measured_under_the_numbers_of_series_that_ours_is():
    assert measure_ours(Load(3, 2)) > 0
    for rival in RIVALS:
        assert measure_rival(rival, Load(3, 2)) > 0
        assert {load.series for load in rival.loads} <= {load.series for load in LOADS}
        assert {rival.name for rival in RIVALS} == set(PEERS)
