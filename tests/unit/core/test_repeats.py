"""Repeats: an id counts once while its minute is open, and without one everything counts."""

import numpy as np
import polars as pl
import pytest

from core import repeats
from core.repeats import Repeats
from tests.fixtures.snapshots import through_snapshot

Row = tuple[str, str | None, int]
"""Stream, id and minute of an event."""


def frame(*rows: Row) -> pl.DataFrame:
    schema = {"stream_id": pl.String(), "id": pl.String(), "minute": pl.Int64()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def find(known: Repeats, *rows: Row) -> list[bool]:
    found = known.find(frame(*rows))
    return [False] * len(rows) if found is None else found.tolist()


def remember(*rows: Row) -> Repeats:
    known = Repeats()
    assert known.remember(frame(*rows)) == 0
    return known


def test_an_id_that_was_seen_is_a_repeat():
    known = remember(("a", "one", 5))
    assert find(known, ("a", "one", 5), ("a", "two", 5)) == [True, False]


def test_finding_alone_remembers_nothing():
    known = Repeats()
    assert find(known, ("a", "one", 5)) == [False]
    assert find(known, ("a", "one", 5)) == [False]


def test_of_equal_ids_in_one_batch_the_first_counts():
    rows: list[Row] = [("a", "x", 5), ("a", None, 5), ("a", "y", 5), ("a", "x", 5), ("a", "x", 5)]
    assert find(Repeats(), *rows) == [False, False, False, True, True]


def test_the_same_id_in_another_stream_is_another_event():
    known = remember(("a", "one", 5))
    assert find(known, ("b", "one", 5)) == [False]
    assert find(known, ("aone", "", 5)) == [False]


def test_events_without_an_id_never_repeat():
    known = remember(("a", None, 5), ("a", "one", 5))
    assert find(known, ("a", None, 5), ("a", None, 5)) == [False, False]
    assert known.find(frame(("a", None, 5))) is None
    assert known.find(frame(("a", "one", 5)).drop("id")) is None
    assert known.remember(frame(("a", "one", 5)).drop("id")) == 0


def test_an_id_that_comes_again_with_another_time_is_a_repeat_too():
    known = remember(("a", "one", 5))
    assert find(known, ("a", "one", 6)) == [True]


def test_ids_are_forgotten_with_their_minute_and_not_before():
    known = remember(("a", "old", 5), ("a", "new", 6))
    known.keep(np.array([5, 6]))
    assert find(known, ("a", "old", 5), ("a", "new", 6)) == [True, True]
    known.keep(np.array([6, 7]))
    assert find(known, ("a", "old", 5), ("a", "new", 6)) == [False, True]


def test_ids_beyond_the_limit_are_told_and_those_within_stay_known(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(repeats, "IDS_A_MINUTE_MAX", 3)
    known = remember(("a", "1", 5), ("a", "2", 5))
    more: list[Row] = [("a", "3", 5), ("a", "4", 5), ("a", "5", 5), ("a", "6", 6)]
    assert known.remember(frame(*more)) == 2
    assert find(known, ("a", "1", 5), ("a", "3", 5), ("a", "4", 5), ("a", "6", 6)) == [
        True,
        True,
        False,
        True,
    ]
    assert known.remember(frame(("a", "7", 5))) == 1


def test_a_snapshot_holds_the_ids():
    again = through_snapshot(remember(("a", "one", 5)))
    assert find(again, ("a", "one", 5), ("a", "two", 5)) == [True, False]
