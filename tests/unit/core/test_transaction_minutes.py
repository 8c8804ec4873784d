"""Transaction minutes: how many, and of how much, by kind and currency."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.minutes import find_minutes
from core.names import Names, Series
from core.open_minutes import Wanted
from core.transaction_minutes import TransactionMinutes, reduce_transactions
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM, Event, make_frame, transaction
from tests.fixtures.expectations import recompute_transactions

Key = tuple[str, str, str, datetime]


class Ledgers:
    """Transaction minutes that are fed by hand."""

    def __init__(self, *parts: list[Event]) -> None:
        self.streams = Names()
        self.series = Series(self.streams)
        self.minutes = TransactionMinutes(self.series)
        for offset, part in enumerate(parts, start=1):
            if part:
                given = [{"currency": "", **event} for event in part]
                frame = make_frame(given, offset, self.streams, self.series, ["kind", "currency"])
                self.minutes.add(reduce_transactions(frame))

    def build(self) -> dict[Key, dict[str, Any]]:
        size = len(self.minutes.rows)
        rows = self.minutes.build(Wanted(np.arange(size), np.zeros(size, np.bool_))).to_dicts()
        names = ("stream_id", "kind", "currency", "minute")
        return {tuple(row[name] for name in names): row for row in rows}


def test_kinds_and_currencies_are_counted_apart():
    rows = Ledgers(
        [transaction(START, 5.0), transaction(START, 2.5), transaction(START, 1.0, currency="EUR")],
        [transaction(START, 7.0, kind="bits")],
    ).build()
    told = {key[1:3]: (row["count"], row["sum"], row["revision"]) for key, row in rows.items()}
    assert told == {("donation", ""): (2, 7.5, 1), ("donation", "EUR"): (1, 1.0, 1)} | {
        ("bits", ""): (1, 7.0, 2)
    }


def test_a_transaction_without_an_amount_counts_and_adds_nothing():
    (row,) = Ledgers([transaction(START, None), transaction(START, 3.0)]).build().values()
    assert (row["count"], row["sum"]) == (2, 3.0)


def test_a_forgotten_minute_is_gone_and_its_neighbours_are_not():
    later = START + timedelta(minutes=1)
    made = Ledgers([transaction(START), transaction(later)])
    minutes = find_minutes(made.minutes.rows.keys)
    made.minutes.forget(minutes == minutes.min())
    assert set(made.build()) == {(STREAM, "donation", "", later)}


def test_the_owner_of_a_row_is_its_stream():
    made = Ledgers([transaction(START, stream_id="b")], [transaction(START, stream_id="a")])
    assert made.streams.list_names(made.minutes.owners) == ["b", "a"]


transactions = st.builds(
    transaction,
    st.integers(0, 150).map(lambda seconds: START + timedelta(seconds=seconds)),
    st.one_of(st.none(), st.integers(0, 10**6).map(lambda cents: cents / 100)),
    stream_id=st.sampled_from(["one", "two"]),
    kind=st.sampled_from(["donation", "bits"]),
    currency=st.sampled_from(["", "EUR", "\x1f"]),
)


@given(st.lists(transactions, max_size=25), st.lists(st.integers(0, 25), max_size=3))
def test_partials_in_any_cut_make_the_row_of_a_plain_recomputation(
    events: list[Event], cuts: list[int]
):
    bounds = sorted({0, len(events), *(min(cut, len(events)) for cut in cuts)})
    rows = Ledgers(*(events[a:b] for a, b in pairwise(bounds))).build()
    expected = recompute_transactions(events)
    assert rows.keys() == expected.keys()
    for key, row in expected.items():
        assert rows[key]["count"] == row["count"]
        assert rows[key]["sum"] == pytest.approx(row["sum"], rel=1e-12)
