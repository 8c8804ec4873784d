"""Names: every name gets one number for ever, and no two share one."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.names import Names, Series
from tests.fixtures.snapshots import through_snapshot

some = st.lists(st.sampled_from(["a", "b", "c:d", "c", "ab"]), min_size=1, max_size=6)


@given(st.lists(some))
def test_names_are_numbered_in_the_order_in_which_they_were_first_seen(batches: list[list[str]]):
    names, model = Names(), dict[str, int]()
    for batch in batches:
        numbers = names.number(pl.Series(batch))
        for name in batch:
            model.setdefault(name, len(model))
        assert numbers.dtype == pl.Int64
        assert numbers.to_list() == [model[name] for name in batch]
    assert len(names) == len(model)
    assert names.list_names(np.arange(len(names))) == list(model)
    assert all(names.find(name) == number for name, number in model.items())


def frame(*rows: tuple[str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["stream_id", "kind", "currency"], orient="row")


def test_a_series_belongs_to_its_stream_and_shares_its_number_with_no_other():
    streams = Names()
    streams.number(pl.Series(["a", "b"]))
    series = Series(streams)
    rows = frame(("b", "x", "y"), ("a", "x", "y"), ("b", "x", ""), ("b", "x", "y"))
    numbers = series.number(rows, ["kind", "currency"])
    assert numbers.to_list() == [0, 1, 2, 0]
    assert series.find_owners(np.array([0, 1, 2])).tolist() == [1, 0, 1]
    assert series.list_owned(np.array([1])).tolist() == [0, 2]
    assert series.list_owned(np.array([], np.int64)).tolist() == []
    told = series.split_names(np.array([2, 1]), ["kind", "currency"])
    assert told.rows() == [("b", "x", ""), ("a", "x", "y")]


def test_the_last_part_of_a_name_may_hold_anything():
    streams = Names()
    streams.number(pl.Series(["a"]))
    series = Series(streams)
    odd = frame(("a", "x", "\x1fodd\x1f"), ("a", "x", "\n"))
    numbers = series.number(odd, ["kind", "currency"]).to_numpy()
    assert series.split_names(numbers, ["kind", "currency"]).rows() == odd.rows()


def test_series_and_their_streams_stay_together_in_a_snapshot():
    streams = Names()
    series = Series(streams)
    streams, series = through_snapshot((streams, series))
    streams.number(pl.Series(["new", "b"]))
    series.number(frame(("b", "x", "y")), ["kind", "currency"])
    assert series.find_owners(np.array([0])).tolist() == [streams.find("b")]
