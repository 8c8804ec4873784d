"""Shelf: bounded by number and by bytes, and nothing newer gives way to something older."""

import pytest

from api.cache import shelves
from api.cache.base import Answer, Kept
from api.cache.shelves import ANSWER_BYTES_MAX, OVERHEAD_BYTES, Shelf, Shelved


def make(body: bytes = b"{}", *, mark: int = 1, until_ms: int = 60_000) -> Shelved:
    return Shelved(mark, Kept(Answer.of(body), 0, until_ms))


def test_an_answer_is_good_while_its_mark_stands_and_its_time_lasts():
    shelf = Shelf()
    entry = make()
    shelf.put(("s", "k"), entry)
    assert shelf.find_good(("s", "k"), 1, 59_999) == entry.kept
    assert shelf.find_good(("s", "k"), 1, 60_000) is None
    assert shelf.find_good(("s", "k"), 2, 0) is None
    assert shelf.find_good(("s", "l"), 1, 0) is None
    assert shelf.find(("s", "k")) == entry.kept


def test_what_was_used_longest_ago_goes_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shelves, "ENTRIES_MAX", 3)
    shelf = Shelf()
    assert sum(shelf.put(("s", key), make()) for key in "abc") == 0
    shelf.find(("s", "a"))
    shelf.find_good(("s", "b"), 1, 0)
    assert shelf.put(("s", "d"), make()) == 1
    assert [key for key in "abcd" if shelf.find(("s", key))] == ["a", "b", "d"]
    assert len(shelf) == 3


def test_what_was_used_longest_ago_goes_when_it_is_too_much(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shelves, "BYTES_MAX", 4000)
    shelf = Shelf()
    for key in "abc":
        shelf.put(("s", key), make(b"x" * 600))
    assert shelf.bytes_count == 3 * (OVERHEAD_BYTES + 2 + 600)
    assert shelf.put(("s", "d"), make(b"x" * 1500)) == 2
    assert [key for key in "abcd" if shelf.find(("s", key))] == ["c", "d"]
    assert shelf.bytes_count == 2 * (OVERHEAD_BYTES + 2) + 2100


def test_an_answer_that_takes_the_place_of_another_is_weighed_alone():
    shelf = Shelf()
    for size in (1000, 10, 100):
        assert shelf.put(("s", "k"), make(b"x" * size)) == 0
    assert (len(shelf), shelf.bytes_count) == (1, OVERHEAD_BYTES + 2 + 100)


def test_an_answer_that_is_too_large_is_not_kept_and_neither_is_the_one_before_it():
    shelf = Shelf()
    shelf.put(("s", "k"), make())
    shelf.put(("s", "k"), make(b"x" * (ANSWER_BYTES_MAX + 1)))
    assert shelf.find(("s", "k")) is None
    assert shelf.bytes_count == 0


def test_what_comes_late_does_not_take_the_place_of_something_newer():
    shelf = Shelf()
    newer = make(b"newer", mark=2)
    shelf.put(("s", "k"), newer)
    shelf.put(("s", "k"), make(b"older", mark=1))
    assert shelf.find(("s", "k")) == newer.kept
