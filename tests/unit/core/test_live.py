"""Live messages: what changes tell, and that the bytes survive the way through Redis."""

from datetime import datetime, timedelta

import orjson
from hypothesis import given
from hypothesis import strategies as st

from core.changes import Changes
from core.live import LiveMessage, channel_of_shard, pack_messages, unpack_messages
from core.live_changes import describe_changes
from streaming.flow.shards import FlowPolicy, Shard
from tests.fixtures.changes import make_changes
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM, Event, chat, make_batch, make_entry, reading

ODD = ["a\nb", "\r", "\x1f", "\x1e\x0b\x0c", "\x85", "\u2028\u2029", '"\\', "\U0001f602", "\ufeff"]

names = st.text("abcXYZ0189_.:@~+=#-", min_size=1, max_size=20)
bodies = st.dictionaries(st.text(), st.one_of(st.text(), st.floats(-1, 1), st.none())).map(
    orjson.dumps
)
messages = st.builds(LiveMessage, names, st.sampled_from(["minute", "moment"]), names, bodies)


def apply(*events: Event) -> Changes:
    now = START + timedelta(minutes=10, seconds=30)
    return feed(Shard(0, FlowPolicy()), now, *events)


def feed(shard: Shard, arrived_at: datetime, *events: Event) -> Changes:
    (changes,) = shard.apply(make_batch([make_entry(arrived_at, events)]))
    return changes


@given(st.lists(messages, min_size=1))
def test_messages_survive_being_packed(told: list[LiveMessage]):
    assert list(unpack_messages(pack_messages(told))) == told


def test_odd_characters_in_emotes_stay_inside_their_message():
    told = describe_changes(apply(chat(START, emotes=ODD)), START)
    assert list(unpack_messages(pack_messages(told))) == told
    (message,) = told
    emotes = orjson.loads(message.body)["data"]["top_emotes"]
    assert {emote["emote"] for emote in emotes} == set(ODD)


def test_a_minute_is_told_with_the_row_that_is_stored():
    (message,) = describe_changes(apply(chat(START + timedelta(minutes=10))), START)
    wanted = (STREAM, "metrics", "2026-01-26T10:10:00Z")
    assert (message.stream_id, message.kind, message.key) == wanted
    body = orjson.loads(message.body)
    assert list(body) == ["type", "stream_id", "timestamp", "data"]
    assert body["timestamp"] == "2026-01-26T10:00:00.000000Z"
    assert body["data"]["window_start"] == "2026-01-26T10:10:00Z"
    assert body["data"]["chat_count"] == 1
    assert body["data"]["final"] is False


def test_a_complete_minute_is_told_as_such_and_the_newest_comes_last():
    times = [START + timedelta(minutes=minute, seconds=20) for minute in (9, 7, 10, 8)]
    told = describe_changes(apply(*(chat(time) for time in times)), START)
    rows = [(m.kind, orjson.loads(m.body)["data"]["window_start"][11:16]) for m in told]
    assert rows == [
        ("minute", "10:07"),
        ("minute", "10:08"),
        ("minute", "10:09"),
        ("metrics", "10:10"),
    ]


def test_news_of_a_minute_does_not_replace_news_of_the_next_that_runs_beside_it():
    times = [START + timedelta(seconds=second) for second in (599, 601)]
    told = describe_changes(apply(*map(chat, times)), START)
    assert [message.kind for message in told] == ["metrics", "metrics"]
    assert told[0].key != told[1].key


def test_of_a_channel_only_the_newest_value_is_told():
    told = describe_changes(
        apply(
            reading(START + timedelta(seconds=70), 3.0, unit="V"),
            reading(START, 1.0),
            reading(START, 2.0, channel="load"),
        ),
        START,
    )
    facts = {m.key: orjson.loads(m.body)["data"] for m in told}
    assert all(m.kind == "reading" for m in told)
    assert facts["temp"] == {
        "channel": "temp",
        "unit": "V",
        "value": 3.0,
        "timestamp": "2026-01-26T10:01:10.000000Z",
    }
    assert facts["load"]["value"] == 2.0


def test_a_moment_is_told_as_it_is_stored_and_as_it_is_by_now():
    stored = {
        "moment_id": "m",
        "stream_id": STREAM,
        "ended_at": None,
        "state": "shelved",
        "former_state": "acknowledged",
        "shelved_until": START + timedelta(minutes=5),
        "label": True,
        "version": 3,
    }
    shown = []
    for minutes in (0, 5):
        at = START + timedelta(minutes=minutes)
        (message,) = describe_changes(make_changes(), at, [stored])
        assert (message.kind, message.key) == ("moment", "m")
        shown.append(orjson.loads(message.body)["data"])
    assert [(m["state"], m["shelved_until"]) for m in shown] == [
        ("shelved", "2026-01-26T10:05:00Z"),
        ("acknowledged", None),
    ]
    assert all(m["label"] is True and "former_state" not in m for m in shown)


def test_nothing_that_changed_is_nothing_to_tell():
    assert Shard(0, FlowPolicy()).close(START) is None
    assert describe_changes(make_changes(), START) == []


def test_each_shard_has_a_channel():
    assert channel_of_shard(3) == "live:shard:3"


def test_a_revised_minute_is_no_news_of_what_a_channel_shows_now():
    shard = Shard(0, FlowPolicy())
    for seconds, value in ((10, 1.0), (130, 2.0)):
        at = START + timedelta(seconds=seconds)
        feed(shard, at, reading(at, value))
    changes = feed(shard, START + timedelta(seconds=131), reading(START, 9.0))
    assert changes.readings["count"].to_list() == [2]
    assert describe_changes(changes, START) == []
