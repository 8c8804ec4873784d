"""Emote counts: exact to the limit, and the most frequent ones are found beyond it."""

from collections import Counter

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.emote_counts import COUNTS, EXACT_MAX, TOP, EmoteCounts, list_top
from tests.fixtures.snapshots import through_snapshot

Top = list[tuple[str, int]]

counts = st.dictionaries(
    st.tuples(st.integers(1, 3), st.sampled_from([f"e{n:02}" for n in range(14)])),
    st.integers(1, 3),
)


def frame(counted: dict[tuple[int, str], int]) -> pl.DataFrame:
    rows = [(key, emote, count) for (key, emote), count in counted.items()]
    return pl.DataFrame(rows, schema=COUNTS, orient="row")


def rank_kept(emotes: EmoteCounts, *keys: int) -> dict[int, Top]:
    told = list_top([emotes], pl.Series(keys, dtype=pl.Int64)).to_dicts()
    return {
        row["key"]: [(item["emote"], item["count"]) for item in row["top_emotes"]] for row in told
    }


def rank(counted: Counter[str]) -> Top:
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:TOP]


@given(st.lists(counts))
def test_the_most_frequent_come_first_ties_by_name_each_stream_by_itself(
    batches: list[dict[tuple[int, str], int]],
):
    emotes, model = EmoteCounts(), dict[int, Counter[str]]()
    for batch in batches:
        emotes.add(frame(batch))
        for (key, emote), count in batch.items():
            model.setdefault(key, Counter())[emote] += count
    assert rank_kept(emotes, 1, 2, 3) == {key: rank(counted) for key, counted in model.items()}
    assert rank_kept(emotes, 9) == {}


def fill(emotes: EmoteCounts, key: int, start: int, stop: int) -> None:
    emotes.add(frame({(key, f"e{number:05}"): 1 for number in range(start, stop)}))


def test_counts_are_exact_at_the_limit_and_nothing_is_lost_right_behind_it():
    emotes = EmoteCounts()
    fill(emotes, 1, 0, EXACT_MAX)
    assert rank_kept(emotes, 1)[1][0] == ("e00000", 1)
    emotes.add(frame({(1, "e00007"): 4, (1, "new"): 3, (2, "own"): 1}))
    assert rank_kept(emotes, 1, 2) == {
        1: [("e00007", 5), ("new", 3), *((f"e{n:05}", 1) for n in (0, 1, 2, 3, 4, 5, 6, 8))],
        2: [("own", 1)],
    }


def test_far_beyond_the_limit_the_frequent_ones_are_still_found_with_nearly_their_counts():
    emotes, total = EmoteCounts(), 0
    for start in range(0, 20_000, 1000):
        fill(emotes, 1, start, start + 1000)
        emotes.add(frame({(1, "Kappa"): 200, (1, "LUL"): 100}))
        total += 1300
    (first, second, *_) = rank_kept(emotes, 1)[1]
    assert (first[0], second[0]) == ("Kappa", "LUL")
    assert abs(first[1] - 4000) <= 0.0009 * total
    assert abs(second[1] - 2000) <= 0.0009 * total


def test_a_stream_with_many_emotes_leaves_the_others_exact():
    emotes = EmoteCounts()
    fill(emotes, 1, 0, 5 * EXACT_MAX)
    emotes.add(frame({(2, "b"): 1, (2, "a"): 1}))
    emotes.add(frame({(2, "b"): 1}))
    assert rank_kept(emotes, 2) == {2: [("b", 2), ("a", 1)]}


def test_what_is_not_kept_is_forgotten_and_the_rest_is_not():
    emotes = EmoteCounts()
    fill(emotes, 1, 0, 2 * EXACT_MAX)
    emotes.add(frame({(2, "a"): 1, (3, "b"): 2}))
    emotes.keep(np.array([3]))
    assert rank_kept(emotes, 1, 2, 3) == {3: [("b", 2)]}


def test_a_snapshot_holds_the_counts_and_the_sketches():
    emotes = EmoteCounts()
    fill(emotes, 1, 0, 2 * EXACT_MAX)
    emotes.add(frame({(1, "Kappa"): 50, (2, "b"): 2}))
    again = through_snapshot(emotes)
    again.add(frame({(1, "Kappa"): 1, (2, "b"): 1}))
    assert rank_kept(again, 1)[1][0] == ("Kappa", 51)
    assert rank_kept(again, 2) == {2: [("b", 3)]}
