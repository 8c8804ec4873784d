"""Batches: what goes onto the bus comes off it, in order."""

import random
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.batches import (
    REASON_LENGTH_MAX,
    Batch,
    Entry,
    encode_events,
    make_offset,
    split_by_shard,
    split_offset,
)
from core.events import SCHEMA, TIMESTAMP
from core.ids import shard_of
from core.times import EPOCH
from tests.fixtures.clocks import START
from tests.fixtures.events import (
    chat,
    make_entry,
    make_events,
    read_entries,
    reading,
    transaction,
    viewers,
    write_frame,
)

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
    entry = Entry(77, 1500, encode_events(events))
    batch = Batch(3, (entry,))
    assert (batch.shard, batch.offset) == (3, 77)
    assert batch.arrived_at == EPOCH + timedelta(seconds=1.5)
    frame, dead = read_entries(entry)
    assert dead == ()
    unused = [name for name in SCHEMA if name not in frame.columns]
    assert unused == ["id", "amount", "event", "title", "category", "viewers"]
    assert frame.select(events.drop(unused).columns).equals(events.drop(unused))
    assert frame["offset"].unique().to_list() == [77]
    assert frame["arrived"].unique().to_list() == [1_500_000]


def test_entries_with_different_columns_become_one_frame_in_order():
    entries = [
        Entry(1, 0, encode_events(make_events([chat(START, user="first")]))),
        Entry(2, 0, encode_events(make_events([reading(START, 1.0), reading(START, 2.0)]))),
        Entry(5, 0, encode_events(make_events([chat(START, user="last")]))),
    ]
    frame, dead = read_entries(*entries)
    assert dead == ()
    assert frame["offset"].to_list() == [1, 2, 2, 5]
    assert frame["user"].to_list() == ["first", None, None, "last"]
    assert frame["value"].to_list() == [None, 1.0, 2.0, None]


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


def test_a_batch_halves_into_its_earlier_and_its_later_entries():
    entries = tuple(Entry(offset, offset, b"") for offset in range(5))
    early, late = Batch(2, entries).halve()
    assert (early, late) == (Batch(2, entries[:2]), Batch(2, entries[2:]))


POISON = {
    "nothing": b"",
    "no arrow": b"what is this",
    "half of a frame": make_entry(START, [chat(START)] * 9).payload[:-300],
    "columns alone": write_frame(make_events([])),
    "a column missing": write_frame(make_events([chat(START)]).drop("timestamp")),
    "a column too many": write_frame(make_events([chat(START)]).with_columns(x=1)),
    "a column of another type": write_frame(
        make_events([chat(START)]).with_columns(pl.col("timestamp").dt.cast_time_unit("ms"))
    ),
    "no stream": make_entry(START, [chat(START), chat(START, stream_id=None)]).payload,
    "a type that is none": make_entry(START, [chat(START, type="gossip")]).payload,
    "a reading without a value": make_entry(START, [reading(START, None)]).payload,  # type: ignore[arg-type]
    "a value that is no number": make_entry(START, [reading(START, float("nan"))]).payload,
    "an amount without end": make_entry(START, [transaction(START, float("inf"))]).payload,
    "a name that cannot be one": make_entry(START, [chat(START, stream_id="a\x1fb")]).payload,
    "a time before all times": write_frame(
        make_events([chat(START)]).with_columns(timestamp=pl.lit(-(2**61)).cast(TIMESTAMP))
    ),
}


@pytest.mark.parametrize("payload", POISON.values(), ids=POISON)
def test_an_entry_that_holds_no_events_is_put_aside_and_its_neighbours_are_not(payload: bytes):
    first, last = make_entry(START, [chat(START, user="a")]), make_entry(START, [chat(START)], 2)
    poison = Entry(first.offset + 1, first.arrived_ms + 7, payload)
    frame, (letter,) = read_entries(first, poison, last)
    assert frame["offset"].to_list() == [first.offset, last.offset]
    assert (letter.offset, letter.payload) == (poison.offset, payload)
    assert letter.arrived_at == START + timedelta(milliseconds=7)
    assert 0 < len(letter.reason) <= REASON_LENGTH_MAX
    alone, dead = read_entries(poison)
    assert (alone.height, dead) == (0, (letter,))


def test_letters_come_in_the_order_of_their_entries():
    payloads = [POISON["no stream"], b"", POISON["a type that is none"], b""]
    _, dead = read_entries(*(Entry(place, 0, payload) for place, payload in enumerate(payloads)))
    assert [letter.offset for letter in dead] == [0, 1, 2, 3]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_became_of_the_bytes_an_entry_is_read_or_put_aside(seed: int):
    rng = random.Random(seed)
    good = make_entry(START, [chat(START, emotes=["x"])] * 20).payload
    for offset in range(150):
        damaged = bytearray(good)
        for _ in range(rng.randint(1, 6)):
            damaged[rng.randrange(len(good))] = rng.randrange(256)
        cut = damaged[: rng.randrange(len(good))] if rng.random() < 0.3 else damaged
        frame, dead = read_entries(Entry(offset, 0, bytes(cut)))
        assert len(dead) == (frame.height == 0), offset
