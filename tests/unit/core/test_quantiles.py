"""Quantiles: the nearest rank up to the limit, within the stated error beyond, NaN for nothing."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.quantiles import EXACT_MAX, Values
from tests.fixtures.expectations import find_nearest_rank
from tests.fixtures.snapshots import through_snapshot

RANK_ERROR = 0.01
"""A little more than the sketch promises with 99 % confidence."""

readings = st.tuples(st.integers(1, 3), st.floats(-1e100, 1e100))


def add(values: Values, key: int, numbers: list[float]) -> None:
    values.add(np.full(len(numbers), key, np.int64), np.array(numbers, np.float64))


def find(values: Values, *keys: int) -> list[list[float]]:
    found: list[list[float]] = values.find_quantiles(np.array(keys, np.int64)).tolist()
    return found


@given(st.lists(st.lists(readings, max_size=30)))
def test_quantiles_are_the_nearest_ranks_of_each_channel(batches: list[list[tuple[int, float]]]):
    values, model = Values(), dict[int, list[float]]()
    for batch in batches:
        keys = np.array([key for key, _ in batch], np.int64)
        values.add(keys, np.array([value for _, value in batch], np.float64))
        for key, value in batch:
            model.setdefault(key, []).append(value)
    for key, all_values in model.items():
        expected = [find_nearest_rank(all_values, percent) for percent in (50, 95)]
        assert find(values, key) == [expected]


def test_a_channel_without_values_has_no_quantiles():
    values = Values()
    add(values, 1, [1.0])
    found = values.find_quantiles(np.array([0, 1, 2]))
    assert np.isnan(found).tolist() == [[True, True], [False, False], [True, True]]


def test_quantiles_are_exact_at_the_limit():
    values = Values()
    numbers = [float(number) for number in range(EXACT_MAX)]
    add(values, 1, numbers[::-1])
    assert find(values, 1) == [[find_nearest_rank(numbers, 50), find_nearest_rank(numbers, 95)]]


def test_beyond_the_limit_ranks_are_within_the_error_and_other_channels_stay_exact():
    rng = np.random.default_rng(7)
    values = Values()
    everything = rng.permutation(50_000).astype(float)
    for part in np.array_split(everything, 40):
        add(values, 1, part.tolist())
        add(values, 2, [1.0, 5.0])
    (middle, high), (low, top) = find(values, 1, 2)
    # The value of such a permutation is its rank.
    assert abs(middle - 25_000) <= RANK_ERROR * 50_000
    assert abs(high - 47_500) <= RANK_ERROR * 50_000
    assert (low, top) == (1.0, 5.0)


def test_nothing_is_lost_right_behind_the_limit():
    values = Values()
    add(values, 1, [float(number) for number in range(EXACT_MAX)])
    add(values, 1, [float(EXACT_MAX)])
    ((middle, high),) = find(values, 1)
    assert abs(middle - 0.5 * EXACT_MAX) <= RANK_ERROR * EXACT_MAX
    assert abs(high - 0.95 * EXACT_MAX) <= RANK_ERROR * EXACT_MAX


def test_what_is_not_kept_is_forgotten_and_the_rest_is_not():
    values = Values()
    add(values, 1, [0.0] * (EXACT_MAX + 1))
    add(values, 2, [2.0])
    add(values, 3, [3.0])
    values.keep(np.array([3]))
    assert np.isnan(values.find_quantiles(np.array([1, 2]))).all()
    assert find(values, 3) == [[3.0, 3.0]]


def test_a_snapshot_holds_the_values_and_the_sketches():
    values = Values()
    add(values, 1, [1.0] * (EXACT_MAX + 1))
    add(values, 2, [2.0])
    again = through_snapshot(values)
    add(again, 1, [9.0] * (3 * EXACT_MAX))
    add(again, 2, [3.0])
    assert find(again, 1, 2) == [[9.0, 9.0], [2.0, 3.0]]
