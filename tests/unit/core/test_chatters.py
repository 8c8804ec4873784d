"""Chatters: exact to the limit, near it beyond, and no stream hears of another's."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chatters import Chatters, hash_users
from core.sketches import CHATTERS_LOG_SIZE
from tests.fixtures.snapshots import through_snapshot

THREE_ERRORS = 3 * 1.04 / 2 ** (CHATTERS_LOG_SIZE / 2)
"""A sketch is off by more in 3 of 1000 cases; the users below are always the same."""

pairs = st.sets(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=12)


def hashes(numbers: list[int]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    users = pl.DataFrame({"user": [f"user{number}" for number in numbers]}, schema={"user": str})
    return users.select(hash_users(pl.col("user"))).to_series().to_numpy()


def add(chatters: Chatters, key: int, numbers: list[int]) -> dict[int, int]:
    grown, more = chatters.add(np.full(len(numbers), key, np.int64), hashes(numbers))
    return dict(zip(grown.tolist(), more.tolist(), strict=True))


@given(st.lists(pairs))
def test_each_chatter_counts_once_in_each_stream(batches: list[set[tuple[int, int]]]):
    chatters, seen, counts = Chatters(), set[tuple[int, int]](), dict[int, int]()
    for batch in batches:
        keys = [key for key, _ in sorted(batch)]
        users = hashes([user for _, user in sorted(batch)])
        grown, more = chatters.add(np.array(keys, np.int64), users)
        assert grown.tolist() == sorted({key for key, _ in batch - seen})
        for key, count in zip(grown.tolist(), more.tolist(), strict=True):
            counts[key] = counts.get(key, 0) + count
        seen |= batch
    assert counts == {key: sum(one == key for one, _ in seen) for key, _ in seen}


def test_a_sketch_takes_over_everyone_it_replaces_and_forgets_nobody():
    chatters = Chatters()
    add(chatters, 1, list(range(5000)))
    add(chatters, 2, list(range(10)))
    chatters.sketch(1)
    assert chatters.estimate() == {1: pytest.approx(5000, rel=THREE_ERRORS)}
    assert add(chatters, 1, list(range(5000))) == {}
    assert chatters.estimate() == {1: pytest.approx(5000, rel=THREE_ERRORS)}
    add(chatters, 1, list(range(5000, 20_000)))
    assert chatters.estimate() == {1: pytest.approx(20_000, rel=THREE_ERRORS)}
    # The others of the minute are still counted one by one.
    assert add(chatters, 2, list(range(11))) == {2: 1}


def test_an_estimate_does_not_depend_on_the_order_of_arrival():
    forth, back = Chatters(), Chatters()
    for chatters, numbers in ((forth, range(30_000)), (back, range(29_999, -1, -1))):
        add(chatters, 1, [])
        chatters.sketch(1)
        add(chatters, 1, list(numbers))
    assert forth.estimate() == back.estimate()


def test_promoted_early_or_late_an_estimate_is_the_same():
    early, late = Chatters(), Chatters()
    add(early, 1, list(range(100)))
    early.sketch(1)
    add(early, 1, list(range(100, 20_000)))
    add(late, 1, list(range(20_000)))
    late.sketch(1)
    assert early.estimate() == late.estimate()


def test_what_is_not_kept_is_forgotten_and_the_rest_is_not():
    chatters = Chatters()
    for key in (1, 2, 3):
        add(chatters, key, list(range(20)))
    chatters.sketch(3)
    chatters.keep(np.array([2]))
    assert chatters.estimate() == {}
    assert add(chatters, 2, list(range(21))) == {2: 1}
    assert add(chatters, 1, list(range(20))) == {1: 20}


def test_a_snapshot_holds_the_sets_and_the_sketches():
    chatters = Chatters()
    add(chatters, 1, list(range(2000)))
    chatters.sketch(1)
    add(chatters, 2, list(range(5)))
    again = through_snapshot(chatters)
    assert again.estimate() == chatters.estimate()
    assert add(again, 2, list(range(7))) == {2: 2}
    add(again, 1, list(range(4000)))
    assert again.estimate() == {1: pytest.approx(4000, rel=THREE_ERRORS)}
