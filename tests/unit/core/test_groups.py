"""Groups: against dictionaries."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.groups import SLOTS_FIRST, find_first, group_rows

whole = st.integers(-(2**62), 2**62)
rows = st.lists(st.tuples(st.sampled_from([0, 1, -1, 7, 2**62, -(2**62)]) | whole, whole))


@given(rows)
def test_groups_count_add_and_bound_as_dictionaries_do(pairs: list[tuple[int, int]]):
    keys = np.array([key for key, _ in pairs], np.int64)
    values = np.array([value for _, value in pairs], np.int64)
    groups = group_rows(keys)
    model: dict[int, list[int]] = {}
    for key, value in pairs:
        model.setdefault(key, []).append(value)
    assert groups.keys.tolist() == sorted(model)
    assert groups.keys[groups.places].tolist() == keys.tolist()
    assert groups.count_rows().tolist() == [len(model[key]) for key in sorted(model)]
    least, most = groups.bound(values)
    assert least.tolist() == [min(model[key]) for key in sorted(model)]
    assert most.tolist() == [max(model[key]) for key in sorted(model)]
    small = values % 1000
    sums = {key: sum(value % 1000 for value in model[key]) for key in model}
    assert groups.add(small).tolist() == [sums[key] for key in sorted(model)]


def test_more_groups_than_there_are_slots_at_first():
    keys = np.repeat(np.arange(SLOTS_FIRST * 9)[::-1] << 32, 2)
    groups = group_rows(keys)
    assert groups.keys.tolist() == sorted(set(keys.tolist()))
    assert (groups.count_rows() == 2).all()


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 5)))
def test_the_first_of_each_is_found(keys: list[int]):
    first = find_first(np.array(keys, np.uint64))
    assert first.tolist() == [at for at, key in enumerate(keys) if key not in keys[:at]]
