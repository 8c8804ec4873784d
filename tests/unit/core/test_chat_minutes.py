"""Chat minutes: partials in any cut and order make the row of a plain recomputation."""

import random
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chat_minutes import ChatMinutes, reduce_chat, reduce_viewers
from core.minutes import find_minutes, find_series, number_minutes, to_micros
from core.names import Names
from core.open_minutes import Wanted
from core.words import read_texts
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM, Event, chat, make_frame, viewers
from tests.fixtures.expectations import CHAT_EXACT, recompute_chat

HALF_A_MINUTE = 30_000_000


class Chat:
    """Chat minutes that are fed by hand."""

    def __init__(self) -> None:
        self.streams = Names()
        self.minutes = ChatMinutes()
        self.offset = 0

    def add(self, events: list[Event]) -> None:
        """Add what one entry brings."""
        self.offset += 1
        frame = make_frame(events, self.offset, self.streams)
        said, watched = (frame.filter(pl.col("type") == name) for name in ("chat", "viewers"))
        if said.height:
            feelings = read_texts(said["text"])
            felt = said.with_columns(
                feelings.sentiment, row=pl.int_range(pl.len(), dtype=pl.UInt32)
            )
            self.minutes.add_chat(reduce_chat(felt, feelings.emotes))
        if watched.height:
            self.minutes.add_viewers(reduce_viewers(watched))

    def build(self, *, final: bool = True) -> dict[tuple[str, datetime], Any]:
        """Return the full row of every minute, each stream being half a minute past the start."""
        rows = self.minutes.rows
        rows.bools("final")[:] = final
        wanted = Wanted(np.arange(len(rows)), np.zeros(len(rows), np.bool_))
        watermarks = np.full(len(self.streams), to_micros(START) + HALF_A_MINUTE)
        told = self.minutes.build(wanted, watermarks, self.streams).to_dicts()
        return {(row["stream_id"], row["minute"]): row for row in told}

    def forget(self, stream_id: str, minute: datetime) -> None:
        """Drop one minute of one stream."""
        keys = self.minutes.rows.keys
        is_stream = find_series(keys) == self.streams.find(stream_id)
        is_minute = find_minutes(keys) == number_minutes(np.array([to_micros(minute)]))
        self.minutes.forget(is_stream & is_minute)


def merge(parts: list[list[Event]]) -> Chat:
    made = Chat()
    for part in parts:
        if part:
            made.add(part)
    return made


def build(parts: list[list[Event]]) -> dict[tuple[str, datetime], Any]:
    return merge(parts).build()


def test_a_minute_of_chat_and_viewers():
    events = [
        chat(START, user="ada", text="great Kappa"),
        chat(START, user="ada", text="Kappa LUL"),
        chat(START, user="bob", text="", emotes=["Own"]),
        viewers(START, 10),
        viewers(START, 20),
    ]
    row = build([events])[STREAM, START]
    assert (row["chat_count"], row["unique_chatters"], row["chat_rate"]) == (3, 2, 3 / 60)
    assert (row["avg_viewers"], row["peak_viewers"]) == (15, 20)
    counts = [(emote["emote"], emote["count"]) for emote in row["top_emotes"]]
    assert counts == [("Kappa", 2), ("LUL", 1), ("Own", 1)]


def test_viewers_alone_make_a_minute_without_chat():
    row = build([[viewers(START, 7)]])[STREAM, START]
    assert (row["chat_count"], row["unique_chatters"], row["top_emotes"]) == (0, 0, [])
    assert row["avg_sentiment"] is None
    assert row["avg_viewers"] == 7


def test_chat_alone_says_nothing_about_viewers():
    row = build([[chat(START)]])[STREAM, START]
    assert (row["avg_viewers"], row["peak_viewers"]) == (None, None)


def test_a_given_list_of_emotes_is_believed_also_when_it_is_empty():
    row = build([[chat(START, text="Kappa", emotes=[])]])[STREAM, START]
    assert row["top_emotes"] == []


def test_ten_emotes_are_named_the_most_frequent_first_ties_by_name():
    emotes = [f"e{number:02}" for number in range(14)]
    row = build([[chat(START, emotes=[*emotes, "e13", "e05", "e05"])]])[STREAM, START]
    names = [emote["emote"] for emote in row["top_emotes"]]
    assert names == ["e05", "e13", "e00", "e01", "e02", "e03", "e04", "e06", "e07", "e08"]


def test_the_rate_of_a_running_minute_is_that_of_the_time_gone_by():
    row = merge([[chat(START)] * 15]).build(final=False)[STREAM, START]
    assert row["chat_rate"] == 15 / 30


def test_a_revision_is_the_offset_of_the_last_entry_that_touched_the_minute():
    later = START + timedelta(minutes=1)
    rows = build([[chat(START)], [viewers(START)], [chat(later)]])
    assert rows[STREAM, START]["revision"] == 2
    assert rows[STREAM, later]["revision"] == 3


def test_a_forgotten_minute_is_gone_and_its_neighbours_are_not():
    later = START + timedelta(minutes=1)
    made = merge([[chat(START), chat(later), chat(START, stream_id="other", text="Kappa")]])
    before = made.build()
    made.forget(STREAM, START)
    assert set(made.build()) == {(STREAM, later), ("other", START)}
    assert made.build()["other", START] == before["other", START]
    # Nothing is left of whom it had heard.
    made.add([chat(START)])
    row = made.build()[STREAM, START]
    assert (row["chat_count"], row["unique_chatters"]) == (1, 1)


def test_the_chatters_of_a_forgotten_minute_are_forgotten_when_it_was_the_last_of_its_time():
    made = merge([[chat(START, emotes=["x"])], [chat(START + timedelta(minutes=1))]])
    made.forget(STREAM, START)
    made.add([chat(START, emotes=["x"])])
    row = made.build()[STREAM, START]
    assert (row["unique_chatters"], row["top_emotes"]) == (1, [{"emote": "x", "count": 1}])


def test_a_crowd_is_counted_exactly_up_to_the_limit_and_nearly_beyond(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("core.chat_minutes.CHATTERS_EXACT_MAX", 1000)
    made = Chat()
    made.add([chat(START, user=f"u{number}") for number in range(1000)])
    made.add([chat(START, user="ada", stream_id="small")])
    assert made.build()[STREAM, START]["unique_chatters"] == 1000
    made.add([chat(START, user=f"u{number}") for number in range(500, 1500)])
    made.add([chat(START, user=f"u{number}") for number in range(1500)])
    assert made.build()[STREAM, START]["unique_chatters"] == pytest.approx(1500, rel=0.03)
    assert made.build()["small", START]["unique_chatters"] == 1


chats = st.builds(
    chat,
    st.integers(0, 150).map(lambda seconds: START + timedelta(seconds=seconds)),
    st.sampled_from(["ada", "bob", "cleo", ""]),
    st.sampled_from(["hi", "Kappa great", "LUL LUL bad", "\U0001f602", "", "a\nb Kappa"]),
    emotes=st.sampled_from([None, [], ["Kappa"], ["x\ny", "x\ny", None]]),
    stream_id=st.sampled_from(["one", "two"]),
)
watched = st.builds(
    viewers,
    st.integers(0, 150).map(lambda seconds: START + timedelta(seconds=seconds)),
    st.integers(0, 10**6).map(float),
    stream_id=st.sampled_from(["one", "two"]),
)


@given(st.lists(st.one_of(chats, watched), max_size=25), st.randoms(use_true_random=False))
def test_partials_in_any_cut_and_order_make_the_row_of_a_plain_recomputation(
    events: list[Event], rng: random.Random
):
    shuffled = rng.sample(events, len(events))
    cuts = sorted(rng.choices(range(len(events) + 1), k=3))
    bounds = [0, *cuts, len(events)]
    parts = [shuffled[a:b] for a, b in pairwise(bounds)]
    rows = build(parts)
    expected = recompute_chat(events)
    assert rows.keys() == expected.keys()
    for key, row in expected.items():
        for name in (*CHAT_EXACT, "avg_viewers"):
            assert rows[key][name] == row[name], (key, name)
