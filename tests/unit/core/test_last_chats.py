"""Last chats: which messages of a batch are handed on to be shown."""

from datetime import timedelta

import numpy as np
import orjson
import polars as pl
import pytest

from core.last_chats import TEXT_MAX, take_last_chats
from core.live_changes import describe_changes
from streaming.flow.shards import FlowPolicy, Shard
from tests.fixtures.changes import make_changes
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM, Event, chat, make_batch, make_entry, reading, viewers


def show(*events: Event, streams: tuple[str, ...] = (STREAM,), told: int = 2) -> pl.DataFrame:
    """Return what a shard hands on of a batch."""
    shard = Shard(0, FlowPolicy(chats_told=told))
    shard.show(streams)
    (changes,) = shard.apply(make_batch([make_entry(START + timedelta(minutes=10), events)]))
    return changes.said


def list_texts(said: pl.DataFrame) -> list[tuple[str, str]]:
    return said.select("stream_id", "text").rows() if said.height else []


def test_the_last_messages_of_each_stream_are_taken_in_the_order_in_which_they_came():
    names = ["a", "b", "a", "a", "b", "a", "c"]
    events = [chat(START, text=str(at), stream_id=name) for at, name in enumerate(names)]
    said = show(*events, streams=("a", "b", "c"))
    assert list_texts(said) == [("b", "1"), ("a", "3"), ("b", "4"), ("a", "5"), ("c", "6")]


def test_only_streams_that_somebody_looks_at_are_handed_on():
    events = [chat(START, text=name, stream_id=name) for name in "abc"]
    assert list_texts(show(*events, streams=("b", "never-seen"))) == [("b", "b")]
    assert list_texts(show(*events, streams=())) == []


def test_a_stream_looked_at_that_said_nothing_now_hands_nothing_on():
    shard = Shard(0, FlowPolicy())
    shard.show(["b"])
    for number, name in enumerate("ab"):
        shard.apply(make_batch([make_entry(START, [chat(START, stream_id=name)], number)]))
    (changes,) = shard.apply(make_batch([make_entry(START, [chat(START, stream_id="a")], 2)]))
    assert list_texts(changes.said) == []


def test_none_are_handed_on_where_none_are_wanted():
    assert list_texts(show(chat(START), told=0)) == []


@pytest.mark.parametrize("event", [reading(START), viewers(START)])
def test_what_is_no_chat_is_not_shown(event: Event):
    assert list_texts(show(event)) == []


def test_a_repeat_and_what_comes_too_late_are_not_shown():
    late = chat(START - timedelta(hours=3), text="late")
    soon = START + timedelta(minutes=9)
    first, again = (chat(soon, text=text, id="one") for text in ("first", "again"))
    now = chat(soon, text="now")
    shard = Shard(0, FlowPolicy())
    shard.show([STREAM])
    shard.apply(make_batch([make_entry(START + timedelta(minutes=10), [now])]))
    entry = make_entry(START + timedelta(minutes=10), [late, first, again], 1)
    (changes,) = shard.apply(make_batch([entry]))
    assert list_texts(changes.said) == [(STREAM, "first")]


def test_a_long_text_is_cut_by_characters():
    said = show(chat(START, text="\U0001f602" * (TEXT_MAX + 5)))
    assert said["text"].to_list() == ["\U0001f602" * TEXT_MAX]


def test_more_may_be_wanted_than_there_are():
    said = pl.DataFrame(
        {"stream": [0, 0], "stream_id": ["a", "a"], "timestamp": [START] * 2, "user": ["x", "y"]}
    ).with_columns(text=pl.col("user"))
    taken = take_last_chats(said, np.array([0, 7]), 50)
    assert taken["user"].to_list() == ["x", "y"]


def test_they_are_told_as_one_message_of_their_stream():
    odd = 'a\nb\x1f"\u2028'
    times = [START + timedelta(milliseconds=ms) for ms in (0, 250)]
    said = show(chat(times[0], "ada", odd), chat(times[1], "bob", "yes"))
    (message,) = describe_changes(make_changes(said=said), START)
    assert (message.stream_id, message.kind, message.key) == (STREAM, "chat", STREAM)
    body = orjson.loads(message.body)
    assert list(body) == ["type", "stream_id", "timestamp", "data"]
    assert body["type"] == "chat"
    assert body["data"]["messages"] == [
        {"user": "ada", "text": odd, "at": "2026-01-26T10:00:00.000000Z"},
        {"user": "bob", "text": "yes", "at": "2026-01-26T10:00:00.250000Z"},
    ]


def test_a_restarted_shard_shows_nothing_until_it_is_asked_again():
    shard = Shard(0, FlowPolicy())
    shard.show([STREAM])
    again = Shard.restore(shard.snapshot(), FlowPolicy())
    (changes,) = again.apply(make_batch([make_entry(START, [chat(START)])]))
    assert list_texts(changes.said) == []
