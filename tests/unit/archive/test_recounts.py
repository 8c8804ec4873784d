"""Recounts: the rows that events make, held against plain Python; and how close is close enough."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.archives import read_rows
from core.batches import Entry
from core.events import TIMESTAMP
from streaming.archive.comparisons import ShardMarks, compare_all
from streaming.archive.recounts import Recount, Span, empty_recount, pick_top, recount
from tests.fixtures.events import STREAM, Event, chat, make_entry, reading, transaction, viewers
from tests.fixtures.expectations import CHAT_EXACT, recompute_chat, recompute_readings

AT = datetime(2026, 1, 26, 10, 59, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SPAN = Span(AT, AT + 2 * MINUTE)
MARKS = {0: ShardMarks(since=0, through=1 << 62, applied=1 << 62)}
LATE = pl.Schema(
    {"stream_id": pl.String(), "minute": TIMESTAMP, "type": pl.String(), "offset": pl.Int64()}
)


def count(
    *entries: Entry, late: tuple[tuple[str, datetime, str, int], ...] = (), span: Span = SPAN
) -> Recount:
    rows = read_rows(0, entries)[0]
    return recount(rows.lazy(), pl.DataFrame(list(late), schema=LATE, orient="row"), span)


def count_events(*events: Event) -> Recount:
    return count(make_entry(AT + MINUTE, events))


at_times = st.integers(0, 119).map(lambda s: AT + timedelta(seconds=s))
texts = st.sampled_from(["great Kappa Kappa", "lag", "\U0001f602 LUL nice!", "", "what a play"])
said = st.builds(
    chat,
    at_times,
    st.sampled_from(["ada", "bob", "cyd"]),
    texts,
    emotes=st.none() | st.lists(st.sampled_from(["Wave", "Kappa"]), max_size=3),
    stream_id=st.sampled_from(["a", "b"]),
)
watched = st.builds(viewers, at_times, st.integers(0, 10_000).map(float))
read = st.builds(
    reading, at_times, st.floats(-1e6, 1e6), st.sampled_from(["temp", "volt"]), unit=st.none()
)


@given(st.lists(said | watched | read, min_size=1, max_size=40))
def test_rows_equal_a_plain_recomputation(events: list[Event]):
    found = count_events(*events)
    chats = found.chat.with_columns(top_emotes=pick_top(pl.col("emotes")))
    rows = {(row["stream_id"], row["minute"]): row for row in chats.to_dicts()}
    expected = recompute_chat(events)
    assert rows.keys() == expected.keys()
    for key, wanted in expected.items():
        assert {name: rows[key][name] for name in CHAT_EXACT} == {
            name: wanted[name] for name in CHAT_EXACT
        }
        # Viewers are whole numbers here: their mean is exact.
        assert rows[key]["avg_viewers"] == wanted["avg_viewers"]
    channels: dict[Any, dict[str, Any]] = {
        (row["stream_id"], row["channel"], row["minute"]): row for row in found.readings.to_dicts()
    }
    plain = recompute_readings(events)
    assert channels.keys() == plain.keys()
    for channel, wanted in plain.items():
        for name in ("count", "min", "max", "last", "last_at"):
            assert channels[channel][name] == wanted[name]
        for name in ("mean", "stddev"):
            assert channels[channel][name] == pytest.approx(wanted[name], rel=1e-9, abs=1e-6)


def test_a_message_sent_twice_counts_once_and_the_first_one_counts():
    first = make_entry(AT + MINUTE, [chat(AT, "ada", id="7"), chat(AT, id="8")], 1)
    again = make_entry(
        AT + MINUTE, [chat(AT, "bob", id="7"), chat(AT, "bob", stream_id="b", id="7")], 2
    )
    rows = count(again, first).chat.sort("stream_id")
    assert rows.select("stream_id", "chat_count", "revision").rows() == [
        ("b", 1, again.offset),
        (STREAM, 2, first.offset),
    ]


def test_messages_without_an_id_all_count():
    assert count_events(chat(AT), chat(AT)).chat["chat_count"].to_list() == [2]


def test_a_repeat_beside_the_span_is_known():
    before = make_entry(AT, [chat(AT - timedelta(seconds=1), id="7")])
    again = make_entry(AT + MINUTE, [chat(AT, id="7"), chat(AT, id="8")])
    assert count(before, again).chat["chat_count"].to_list() == [1]


def test_late_events_do_not_count_but_for_transactions():
    early = make_entry(AT, [chat(AT), reading(AT)])
    events = [chat(AT), viewers(AT), reading(AT), transaction(AT), chat(AT + MINUTE)]
    late = make_entry(AT + MINUTE, events, 5)
    listed = tuple(
        (STREAM, AT, kind, late.offset) for kind in ("chat", "viewers", "reading", "transaction")
    )
    found = count(early, late, late=listed)
    assert found.chat.sort("minute")["chat_count"].to_list() == [1, 1]
    assert found.chat["peak_viewers"].to_list() == [None, None]
    assert found.readings["count"].to_list() == [1]
    assert found.transactions["count"].to_list() == [1]


def test_transactions_are_told_apart_by_kind_and_currency_and_nothing_sums_to_nothing():
    found = count_events(
        transaction(AT, 2.0, currency="EUR"),
        transaction(AT, 3.0, currency="EUR"),
        transaction(AT, None, currency="EUR", kind="bits"),
        transaction(AT, 4.0),
    ).transactions.sort("kind", "currency")
    assert found.select("kind", "currency", "count", "amount").rows() == [
        ("bits", "EUR", 1, None),
        ("donation", None, 1, 4.0),
        ("donation", "EUR", 2, 5.0),
    ]


def test_no_events_make_no_rows_of_the_same_columns():
    nothing, something = empty_recount(), count_events(chat(AT), reading(AT), transaction(AT))
    for name in ("chat", "readings", "transactions"):
        empty, full = getattr(nothing, name), getattr(something, name)
        assert empty.height == 0
        assert empty.schema == full.schema


@pytest.mark.parametrize(
    ("stored", "recounted", "differ"),
    [
        (9_999, 10_000, 1),
        (10_000, 10_000, 0),
        (10_000, 10_001, 0),
        (97_000, 100_000, 0),
        (103_000, 100_000, 0),
        (96_999, 100_000, 1),
        (103_001, 100_000, 1),
    ],
)
def test_many_chatters_may_be_estimated_within_their_error(
    stored: int, recounted: int, differ: int
):
    base = count_events(chat(AT))
    one, other = (
        base.chat.with_columns(
            unique_chatters=pl.lit(number, dtype=pl.Int64), final=pl.lit(value=True)
        )
        for number in (stored, recounted)
    )
    nothing = empty_recount()
    outcome = compare_all(
        Recount(one, nothing.readings.with_columns(final=pl.lit(value=True)), nothing.transactions),
        Recount(other.drop("final"), nothing.readings, nothing.transactions),
        MARKS,
        shards=1,
    )
    assert outcome.differences.height == differ
