"""Rows: a sorted table of columns does what a dictionary of rows would."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.rows import Rows

keys_of_a_step = st.sets(st.integers(-3, 40), max_size=8).map(sorted)
dropped = st.sets(st.integers(-3, 40), max_size=8)


def ints(values: object) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, np.int64)


@given(st.lists(st.tuples(keys_of_a_step, dropped)))
def test_placing_adding_and_dropping_do_what_a_dictionary_does(
    steps: list[tuple[list[int], set[int]]],
):
    rows, model = Rows(count=np.int64(0), peak=np.float64(np.nan)), dict[int, list[float]]()
    for number, (keys, gone) in enumerate(steps, start=1):
        at = rows.place(ints(keys))
        rows.ints("count")[at] += number
        peak = rows.floats("peak")
        peak[at] = np.fmax(peak[at], number)
        for key in keys:
            model[key] = [model.get(key, [0.0])[0] + number, number]
        rows.keep(~np.isin(rows.keys, list(gone)))
        model = {key: row for key, row in model.items() if key not in gone}
        assert len(rows) == len(model)
    assert rows.keys.tolist() == sorted(model)
    taken = rows.take(np.arange(len(rows)))
    assert taken["count"].tolist() == [model[key][0] for key in sorted(model)]
    assert taken["peak"].tolist() == [model[key][1] for key in sorted(model)]


def test_a_new_row_holds_what_each_column_begins_with():
    rows = Rows(count=np.int64(7), is_open=np.True_, value=np.float64(np.nan))
    rows.place(ints([5]))
    assert rows.ints("count").tolist() == [7]
    assert rows.bools("is_open").tolist() == [True]
    assert np.isnan(rows.floats("value")).all()
    kinds = [rows[name].dtype.kind for name in ("count", "is_open", "value")]
    assert kinds == ["i", "b", "f"]


def test_rows_that_stand_already_keep_their_place_and_content():
    rows = Rows(count=np.int64(0))
    at = rows.place(ints([2, 9]))
    rows.ints("count")[at] = [20, 90]
    assert rows.place(ints([2, 9])).tolist() == [0, 1]
    assert rows.place(ints([1, 5, 9])).tolist() == [0, 2, 3]
    assert rows.ints("count").tolist() == [0, 20, 0, 90]


def test_the_keys_of_two_tables_are_their_own():
    one, other = Rows(count=np.int64(0)), Rows(count=np.int64(0))
    one.place(ints([1]))
    assert (len(one), len(other)) == (1, 0)
    assert other.place(ints([])).tolist() == []
