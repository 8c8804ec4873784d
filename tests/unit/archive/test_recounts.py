"""Recounts: the rows that events make, held against plain Python; and how close is close enough."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.archives import read_rows
from core.batches import Entry
from streaming.archive.comparisons import ShardMarks, compare_all
from streaming.archive.recounts import LATE, Recount, Span, empty_recount, pick_top, recount
from tests.fixtures.events import STREAM, Event, chat, make_entry, reading, transaction, viewers
from tests.fixtures.expectations import CHAT_EXACT, recompute_chat, recompute_readings

AT = datetime(2026, 1, 26, 10, 59, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SPAN = Span(AT, AT + 2 * MINUTE)
MARKS = {0: ShardMarks(since=0, through=1 << 62, applied=1 << 62)}


def _list_late(late: tuple[tuple[Any, ...], ...]) -> pl.DataFrame:
    return pl.DataFrame([(*each, None)[:5] for each in late], schema=LATE, orient="row")


def _finish(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(final=pl.lit(value=True))


def count(*entries: Entry, late: tuple[tuple[Any, ...], ...] = (), span: Span = SPAN) -> Recount:
    rows = read_rows(0, entries)[0]
    return recount(rows.lazy(), _list_late(late), span)


def count_events(*events: Event) -> Recount:
    return count(make_entry(AT + MINUTE, events))


TABLES = ("chat", "readings", "transactions")

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
        for name in ("count", "min", "max", "p50", "p95", "last", "last_at"):
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


KINDS = ("chat", "viewers", "reading", "transaction")


def test_late_events_do_not_count_until_they_are_applied():
    early = make_entry(AT, [chat(AT), reading(AT)])
    events = [chat(AT), viewers(AT), reading(AT), transaction(AT), chat(AT + MINUTE)]
    late = make_entry(AT + MINUTE, events, 5)
    waiting = tuple((STREAM, AT, kind, late.offset) for kind in KINDS)
    found = count(early, late, late=waiting)
    assert found.chat.sort("minute")["chat_count"].to_list() == [1, 1]
    assert found.chat["peak_viewers"].to_list() == [None, None]
    assert found.readings["count"].to_list() == [1]
    assert found.transactions.height == 0
    applied = tuple((*each, AT + MINUTE) for each in waiting)
    found = count(early, late, late=applied)
    assert found.chat.sort("minute")["chat_count"].to_list() == [2, 1]
    assert found.readings["count"].to_list() == [2]
    assert found.transactions["count"].to_list() == [1]


def test_the_id_of_a_late_event_is_not_known_to_others_and_theirs_is_known_to_it():
    far = AT + MINUTE
    late = make_entry(far, [chat(AT, id="7"), chat(AT, id="8")], 1)
    on_time = make_entry(far, [chat(far, id="7")], 2)
    listed = (STREAM, AT, "chat", late.offset)
    assert count(late, on_time, late=(listed,)).chat.select("minute", "chat_count").rows() == [
        (far, 1)
    ]
    found = count(late, on_time, late=((*listed, far),))
    assert found.chat.sort("minute")["chat_count"].to_list() == [1, 1]


def test_a_repeat_in_a_later_minute_is_one_while_the_first_minute_may_change():
    long = Span(AT, AT + 60 * MINUTE)

    def repeat_after(minutes: int, *between: Event) -> Recount:
        at = AT + minutes * MINUTE
        first, again = make_entry(AT, [chat(AT, id="7")]), make_entry(at, [chat(at, id="7")], 9)
        others = [make_entry(each["timestamp"], [each]) for each in between]
        return count(first, *others, again, span=long)

    assert repeat_after(1).chat["minute"].to_list() == [AT]
    # Whatever the clock says: the time of the stream has not gone on.
    silent = repeat_after(30)
    assert (silent.chat["minute"].to_list(), silent.doubtful.height) == ([AT], 0)
    assert repeat_after(6, chat(AT + 5 * MINUTE)).doubtful.height == 0
    # Now the flow may have forgotten it, and need not: nobody can tell.
    doubted = repeat_after(8, chat(AT + 6 * MINUTE))
    assert doubted.doubtful.rows() == [(STREAM, AT + 8 * MINUTE)]
    # The time of another stream is not that of this one.
    other = chat(AT + 6 * MINUTE, stream_id="b")
    assert repeat_after(8, other).doubtful.height == 0


def test_a_doubtful_minute_is_not_judged():
    entries = [
        make_entry(AT + n * MINUTE, [chat(AT + n * MINUTE, id=f"{n % 8}")]) for n in (0, 6, 8)
    ]
    found = count(*entries, span=Span(AT, AT + 9 * MINUTE))
    stored = replace(found, **{n: _finish(getattr(found, n)) for n in TABLES})
    outcome = compare_all(stored, found, MARKS, shards=1)
    assert (outcome.compared, outcome.pending) == (2, {"an id came again after a while": 1})


def test_transactions_are_told_apart_by_kind_and_the_first_letters_of_their_currency():
    found = count_events(
        transaction(AT, 2.0, currency="EUR"),
        transaction(AT, 3.0, currency="EUR"),
        transaction(AT, None, currency="EUR", kind="bits"),
        transaction(AT, 4.0),
        transaction(AT, 5.0, currency="x" * 33),
        transaction(AT, 6.0, currency="x" * 34),
    ).transactions.sort("kind", "currency")
    assert found.select("kind", "currency", "count", "sum").rows() == [
        ("bits", "EUR", 1, 0.0),
        ("donation", "", 1, 4.0),
        ("donation", "EUR", 2, 5.0),
        ("donation", "x" * 32, 2, 11.0),
    ]


@pytest.mark.parametrize(
    ("values", "stored", "differ"),
    [
        (1_000, 501.0, 1),
        (1_000, 500.0, 0),
        (2_000, 1_000.0, 0),
        (2_000, 1_040.0, 0),
        (2_000, 960.0, 0),
        (2_000, 1_041.0, 1),
        (2_000, 959.0, 1),
    ],
)
def test_quantiles_of_many_values_may_be_estimated_within_their_error(
    values: int, stored: float, differ: int
):
    found = count_events(*(reading(AT, float(number + 1)) for number in range(values)))
    one = replace(
        found,
        chat=_finish(found.chat),
        readings=_finish(found.readings.with_columns(p50=pl.lit(stored))),
        transactions=_finish(found.transactions),
    )
    outcome = compare_all(one, found, MARKS, shards=1)
    assert outcome.differences["column"].to_list() == ["p50"] * differ


def test_no_events_make_no_rows_of_the_same_columns():
    nothing, something = empty_recount(), count_events(chat(AT), reading(AT), transaction(AT))
    for name in TABLES:
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
    base = count_events(chat(AT)).chat
    one, other = (
        base.with_columns(unique_chatters=pl.lit(number, dtype=pl.Int64))
        for number in (stored, recounted)
    )
    nothing = empty_recount()
    outcome = compare_all(
        Recount(
            chat=_finish(one),
            readings=_finish(nothing.readings),
            transactions=_finish(nothing.transactions),
            doubtful=nothing.doubtful,
        ),
        replace(nothing, chat=other),
        MARKS,
        shards=1,
    )
    assert outcome.differences.height == differ
