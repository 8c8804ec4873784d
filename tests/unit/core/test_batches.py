"""Batches: what goes onto the bus comes off it, in order."""

from datetime import timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.batches import (
    BATCH_SCHEMA,
    Entry,
    decode_entries,
    encode_events,
    make_offset,
    split_by_shard,
    split_offset,
)
from core.ids import shard_of
from tests.fixtures.clocks import START
from tests.fixtures.events import chat, make_events, reading, transaction, viewers

TEXTS = ["", "\n", '"', "\\.", "a,b", "\U0001f602", "\u2028", "e\u0301", "\ufeff"]


def test_events_of_every_type_come_back_as_they_were():
    events = make_events(
        [
            *(chat(START, user=text, text=text, emotes=[text, None]) for text in TEXTS),
            chat(START, badges=[], bits=2**62),
            viewers(START, 12.5),
            reading(START, -0.0, unit="°C"),
            transaction(START, None, currency="€"),
        ]
    )
    batch = decode_entries(3, [Entry(77, 0, encode_events(events))])
    assert (batch.shard, batch.offset) == (3, 77)
    assert batch.frame.schema == BATCH_SCHEMA
    assert batch.frame.drop("offset").equals(events)
    assert batch.frame["offset"].unique().to_list() == [77]


def test_entries_with_different_columns_become_one_frame_in_order():
    entries = [
        Entry(1, 0, encode_events(make_events([chat(START, user="first")]))),
        Entry(2, 0, encode_events(make_events([reading(START, 1.0), reading(START, 2.0)]))),
        Entry(5, 0, encode_events(make_events([chat(START, user="last")]))),
    ]
    batch = decode_entries(0, entries)
    assert batch.offset == 5
    assert batch.frame["offset"].to_list() == [1, 2, 2, 5]
    assert batch.frame["user"].to_list() == ["first", None, None, "last"]
    assert batch.frame["value"].to_list() == [None, 1.0, 2.0, None]


@given(st.integers(0, 2**42), st.integers(0, 2**20 - 1))
def test_an_offset_holds_its_time_and_its_number(at_ms: int, sequence: int):
    assert split_offset(make_offset(at_ms, sequence)) == (at_ms, sequence)


@given(st.tuples(st.integers(0, 2**42), st.integers(0, 2**20 - 1)), st.data())
def test_offsets_rise_as_time_does(first: tuple[int, int], data: st.DataObject):
    second = data.draw(st.tuples(st.integers(0, 2**42), st.integers(0, 2**20 - 1)))
    assert (make_offset(*first) < make_offset(*second)) == (first < second)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=80), st.integers(1, 16))
def test_a_split_keeps_every_event_and_the_order_in_each_shard(streams: list[int], shards: int):
    events = make_events(
        reading(START + timedelta(seconds=place), float(place), stream_id=f"s{stream}")
        for place, stream in enumerate(streams)
    )
    parts = split_by_shard(events, shards)
    for shard, part in parts.items():
        assert part.schema == events.schema
        assert {shard_of(name, shards) for name in part["stream_id"]} == {shard}
        assert part["value"].is_sorted()
    assert pl.concat(parts.values()).sort("value").equals(events)
