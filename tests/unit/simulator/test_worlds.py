"""A world: the same whatever the cut, of the asked size, and true to its plan."""

from collections import Counter
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise

import numpy as np
import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import TimePolicy, check_events
from core.ndjson import read_ndjson
from core.words import read_texts
from streaming.simulator.blocks import BLOCK_MS
from streaming.simulator.profiles import list_profiles
from streaming.simulator.rows import Type
from streaming.simulator.worlds import World
from tests.unit.simulator.lines import Event, count_events, list_events

START_MS = 1_772_647_200_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
PROFILES = list_profiles(8)


def make_world(seed: int = 7, streams: int = 8, rate: float = 20.0) -> World:
    return World(seed, list_profiles(streams), rate)


@cache
def list_hour() -> tuple[Event, ...]:
    """Return an hour of a world, generated once for all tests."""
    return tuple(list_events(make_world(), START_MS, START_MS + HOUR_MS))


def read_ms(event: Event) -> int:
    at = datetime.fromisoformat(str(event["timestamp"]))
    return round(at.timestamp() * 1000)


@given(
    seed=st.integers(0, 5),
    start_ms=st.integers(START_MS, START_MS + HOUR_MS),
    pieces_ms=st.lists(st.integers(0, 9_000), min_size=1, max_size=8),
)
def test_any_cut_of_an_interval_gives_the_same_events(seed, start_ms, pieces_ms):
    end_ms = start_ms + sum(pieces_ms)
    whole = list_events(make_world(seed, streams=4), start_ms, end_ms)
    world, pieces, at_ms = make_world(seed, streams=4), [], start_ms
    for piece_ms in pieces_ms:
        pieces += list_events(world, at_ms, at_ms + piece_ms)
        at_ms += piece_ms
    assert pieces == whole
    assert all(start_ms <= read_ms(event) < end_ms for event in whole)


@given(order=st.permutations(range(6)))
def test_intervals_may_be_asked_for_in_any_order(order):
    world = make_world(streams=3)
    piece_ms = 7_000
    parts = {
        place: list_events(world, START_MS + place * piece_ms, START_MS + (place + 1) * piece_ms)
        for place in order
    }
    whole = list_events(make_world(streams=3), START_MS, START_MS + 6 * piece_ms)
    assert [event for place in range(6) for event in parts[place]] == whole


def test_an_empty_interval_has_no_events():
    assert list_events(make_world(), START_MS + 5, START_MS + 5) == []


def test_events_come_in_the_order_of_time():
    times = [read_ms(event) for event in list_hour()]
    assert times == sorted(times)


def test_streams_can_be_asked_for_alone():
    alone = list_events(make_world(), START_MS, START_MS + 60_000, {"mara_cooks"})
    among = [e for e in list_hour() if e["stream_id"] == "mara_cooks"]
    assert alone == among[: len(alone)]


def test_ids_are_unique():
    assert len({event["id"] for event in list_hour()}) == len(list_hour())


@pytest.mark.parametrize(("seed", "streams", "rate"), [(8, 8, 20.0), (7, 7, 20.0), (7, 8, 21.0)])
def test_another_world_shares_no_id(seed, streams, rate):
    other = make_world(seed, streams, rate)
    ids = {event["id"] for event in list_hour() if event["type"] == "chat"}
    events = list_events(other, START_MS, START_MS + MINUTE_MS)
    assert not ids & {event["id"] for event in events if event["type"] == "chat"}


def test_the_door_accepts_every_event():
    raw, unreadable = read_ndjson(b"\n".join(map(orjson.dumps, list_hour())))
    now = datetime.fromtimestamp((START_MS + HOUR_MS) / 1000, UTC)
    accepted, rejected = check_events(raw, now=now, policy=TimePolicy())
    assert (unreadable, rejected) == ([], [])
    assert accepted.height == len(list_hour())
    assert set(accepted["type"].unique()) == {"chat", "viewers", "reading", "transaction", "meta"}


def test_times_are_utc_to_the_millisecond():
    assert all(
        str(event["timestamp"])[-1] == "Z" and len(str(event["timestamp"])) == 24
        for event in list_hour()[:1000]
    )


def test_emotes_named_are_the_emotes_in_the_text():
    chats = [event for event in list_hour() if event["type"] == "chat"][:20_000]
    frame = pl.DataFrame(chats).with_row_index("row")
    found = read_texts(frame["text"]).emotes
    named = frame.select("row", emote="emotes").explode("emote", empty_as_null=True).drop_nulls()
    assert found.sort("row", "emote").equals(named.sort("row", "emote"))
    assert frame["emotes"].list.len().gt(0).mean() == pytest.approx(0.6, abs=0.2)


@pytest.mark.parametrize(("streams", "rate"), [(8, 60.0), (8, 600.0), (1, 30.0), (3, 2.0)])
def test_the_rate_is_near_the_one_asked_for(streams, rate):
    world = make_world(streams=streams, rate=rate)
    raids = world.incidents_between(START_MS, START_MS + 4 * HOUR_MS)
    minutes = range(START_MS, START_MS + 4 * HOUR_MS, 7 * MINUTE_MS)
    quiet = [
        at_ms
        for at_ms in minutes
        if not any(i.start_ms < at_ms + MINUTE_MS and i.end_ms > at_ms - MINUTE_MS for i in raids)
    ]
    counts = [count_events(world, Type.CHAT, at_ms, at_ms + MINUTE_MS) for at_ms in quiet]
    assert sum(counts) / len(counts) / 60 == pytest.approx(rate, rel=0.3)


def test_a_few_users_write_much():
    chats = [event for event in list_hour() if event["stream_id"] == "northlight_live"]
    counts = sorted(Counter(e["user"] for e in chats if e["type"] == "chat").values(), reverse=True)
    assert len(counts) > 1000
    assert sum(counts[: len(counts) // 10]) > 0.4 * sum(counts)


def test_the_mood_of_a_stream_varies():
    chats = pl.DataFrame(
        [e for e in list_hour() if e["type"] == "chat" and e["stream_id"] == "hex_marathon"]
    )
    scored = chats.with_columns(
        score=read_texts(chats["text"]).sentiment, minute=pl.col("timestamp").str.head(16)
    )
    scores = scored.group_by("minute").agg(pl.col("score").mean())["score"].to_numpy()
    assert np.ptp(scores) > 150


def test_viewers_are_counted_every_five_seconds():
    counts = [e for e in list_hour() if e["type"] == "viewers" and e["stream_id"] == "mara_cooks"]
    assert {later - earlier for earlier, later in pairwise(map(read_ms, counts))} == {5000}
    assert all(isinstance(event["value"], int) and event["value"] > 0 for event in counts)


def test_readings_come_at_the_interval_of_their_channel():
    channels = {(p.stream_id, c.name): c for p in PROFILES for c in p.channels}
    times: dict[tuple[str, str], list[int]] = {key: [] for key in channels}
    for event in list_hour():
        if event["type"] == "reading":
            key = str(event["stream_id"]), str(event["channel"])
            assert event["unit"] == channels[key].unit
            times[key].append(read_ms(event))
    for key, channel in channels.items():
        gaps = Counter(later - earlier for earlier, later in pairwise(times[key]))
        assert gaps.most_common(1)[0][0] == channel.interval_s * 1000


def test_a_world_without_chats_has_no_raids():
    benches = [profile for profile in PROFILES if profile.kind == "bench"]
    world = World(7, benches)
    events = list_events(world, START_MS, START_MS + 10 * BLOCK_MS)
    assert {event["type"] for event in events} == {"reading"}
    assert all(i.kind != "raid" for i in world.incidents_between(START_MS, START_MS + HOUR_MS))


def test_more_streams_than_the_cast_get_numbers():
    ids = [profile.stream_id for profile in list_profiles(20)]
    assert len(set(ids)) == 20
    assert ids[8:10] == ["northlight_live-2", "bench-07-2"]
