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


def find_late(known: Repeats, *rows: Row, on_time: int = 0) -> list[bool]:
    """Return which rows are repeats, of which only the first came on time."""
    found: list[bool] = known.find_late(frame(*rows), np.arange(len(rows)) >= on_time).tolist()
    return found


def remember_all(known: Repeats, *rows: Row) -> int:
    return known.remember(frame(*rows), frame(*rows))


def remember(*rows: Row) -> Repeats:
    known = Repeats()
    assert remember_all(known, *rows) == 0
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
    nameless = frame(("a", "one", 5)).drop("id")
    assert known.remember(nameless, nameless) == 0


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
    assert remember_all(known, *more) == 2
    assert find(known, ("a", "1", 5), ("a", "3", 5), ("a", "4", 5), ("a", "6", 6)) == [
        True,
        True,
        False,
        True,
    ]
    assert remember_all(known, ("a", "7", 5)) == 1


def test_a_late_event_repeats_whatever_came_lately():
    known = Repeats()
    known.remember(frame(("a", "one", 5)), frame(("a", "one", 5), ("a", "late", 1)))
    known.keep(np.array([9]))
    rows: list[Row] = [("a", "one", 5), ("a", "late", 1), ("a", "new", 1), ("a", "new", 2)]
    assert find_late(known, *rows) == [True, True, False, True]
    assert find_late(known, ("a", "x", 9), ("a", "x", 1), on_time=1) == [False, True]
    assert find_late(known, ("b", "one", 5), ("a", None, 1)) == [False, False]
    assert find_late(known, ("a", None, 5)) == [False]
    # On time an event repeats none that came late: it is the one that its minute counts.
    assert find(known, ("a", "late", 9)) == [False]


def test_the_latest_ids_make_room_for_later_ones(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(repeats, "LATEST_IDS_MAX", 3)
    known = remember(*(("a", str(number), 5) for number in range(4)))
    assert find_late(known, ("a", "0", 5), ("a", "1", 5)) == [False, True]
    assert remember_all(known, ("a", "4", 9), ("a", None, 9)) == 0
    assert find_late(known, ("a", "1", 5), ("a", "2", 5), ("a", "4", 9)) == [False, True, True]


def test_a_snapshot_holds_the_ids():
    again = through_snapshot(remember(("a", "one", 5)))
    assert find(again, ("a", "one", 5), ("a", "two", 5)) == [True, False]
    assert find_late(again, ("a", "one", 5), ("a", "two", 5)) == [True, False]
