"""Chat minutes: partials in any cut and order make the row of a plain recomputation."""

import random
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.chat_minutes import (
    ChatMinutes,
    build_chat_rows,
    forget_chat,
    merge_chat,
    reduce_chat,
)
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM, Event, chat, make_frame, viewers
from tests.fixtures.expectations import CHAT_EXACT, recompute_chat


def build(minutes: ChatMinutes, *, final: bool = True) -> dict[tuple[str, datetime], Any]:
    """Return the full row of every minute."""
    wanted = minutes.sums.select(
        "stream_id", "minute", watermark=pl.col("minute") + timedelta(seconds=30), final=final
    )
    rows = build_chat_rows(minutes, wanted).to_dicts()
    return {(row["stream_id"], row["minute"]): row for row in rows}


def merge(parts: list[list[Event]]) -> ChatMinutes:
    minutes = ChatMinutes.empty()
    for offset, part in enumerate(parts, start=1):
        minutes = merge_chat(minutes, reduce_chat(make_frame(part, offset)))
    return minutes


def test_a_minute_of_chat_and_viewers():
    events = [
        chat(START, user="ada", text="great Kappa"),
        chat(START, user="ada", text="Kappa LUL"),
        chat(START, user="bob", text="", emotes=["Own"]),
        viewers(START, 10),
        viewers(START, 20),
    ]
    row = build(merge([events]))[STREAM, START]
    assert (row["chat_count"], row["unique_chatters"], row["chat_rate"]) == (3, 2, 3 / 60)
    assert (row["avg_viewers"], row["peak_viewers"]) == (15, 20)
    counts = [(emote["emote"], emote["count"]) for emote in row["top_emotes"]]
    assert counts == [("Kappa", 2), ("LUL", 1), ("Own", 1)]


def test_viewers_alone_make_a_minute_without_chat():
    row = build(merge([[viewers(START, 7)]]))[STREAM, START]
    assert (row["chat_count"], row["unique_chatters"], row["top_emotes"]) == (0, 0, [])
    assert row["avg_sentiment"] is None
    assert row["avg_viewers"] == 7


def test_chat_alone_says_nothing_about_viewers():
    row = build(merge([[chat(START)]]))[STREAM, START]
    assert (row["avg_viewers"], row["peak_viewers"]) == (None, None)


def test_a_given_list_of_emotes_is_believed_also_when_it_is_empty():
    row = build(merge([[chat(START, text="Kappa", emotes=[])]]))[STREAM, START]
    assert row["top_emotes"] == []


def test_ten_emotes_are_named_the_most_frequent_first_ties_by_name():
    emotes = [f"e{number:02}" for number in range(14)]
    row = build(merge([[chat(START, emotes=[*emotes, "e13", "e05", "e05"])]]))[STREAM, START]
    names = [emote["emote"] for emote in row["top_emotes"]]
    assert names == ["e05", "e13", "e00", "e01", "e02", "e03", "e04", "e06", "e07", "e08"]


def test_the_rate_of_a_running_minute_is_that_of_the_time_gone_by():
    row = build(merge([[chat(START)] * 15]), final=False)[STREAM, START]
    assert row["chat_rate"] == 15 / 30


def test_a_revision_is_the_offset_of_the_last_entry_that_touched_the_minute():
    later = START + timedelta(minutes=1)
    rows = build(merge([[chat(START)], [viewers(START)], [chat(later)]]))
    assert rows[STREAM, START]["revision"] == 2
    assert rows[STREAM, later]["revision"] == 3


def test_a_forgotten_minute_is_gone_and_its_neighbours_are_not():
    later = START + timedelta(minutes=1)
    minutes = merge([[chat(START), chat(later), chat(START, stream_id="other", text="Kappa")]])
    forgotten = pl.DataFrame({"stream_id": [STREAM], "minute": [START]}).cast(
        {"minute": minutes.sums.schema["minute"]}
    )
    left = forget_chat(minutes, forgotten)
    assert set(build(left)) == {(STREAM, later), ("other", START)}
    assert left.chatters[START]["stream_id"].to_list() == ["other"]
    assert build(left)["other", START] == build(minutes)["other", START]
    assert build(merge_chat(left, reduce_chat(make_frame([chat(START)]))))[STREAM, START][
        "unique_chatters"
    ] == (1)


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
    rows = build(merge(parts))
    expected = recompute_chat(events)
    assert rows.keys() == expected.keys()
    for key, row in expected.items():
        for name in (*CHAT_EXACT, "avg_viewers"):
            assert rows[key][name] == row[name], (key, name)
