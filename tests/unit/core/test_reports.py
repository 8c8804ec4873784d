"""Reports: what a period comes to, and what it is compared with."""

from datetime import timedelta
from typing import Any

import pytest

from core.reports import EMOTES_MAX, Found, Period, Report, make_report
from core.resolutions import MINUTE
from tests.fixtures.changes import make_chat_row
from tests.fixtures.clocks import START

PERIOD = Period(START, START + timedelta(minutes=10))


def make_window(number: int, **fields: Any) -> dict[str, Any]:
    at = START + number * MINUTE.width
    row = make_chat_row(at, 1, **fields)
    return {**row, "window_start": row.pop("minute")}


def make_found(**parts: Any) -> Found:
    nothing: dict[str, Any] = {
        "chat": [],
        "transactions": [],
        "moments": [],
        "moments_found": 0,
        "channels": {},
    }
    return Found(**(nothing | parts))


def report(found: Found, before: Found | None = None) -> Report:
    stream = {"stream_id": "a", "title": None}
    return make_report(stream, PERIOD, MINUTE, (found, before or make_found()), PERIOD.end)


def pay(number: int, kind: str, count: int, total: float, currency: str | None = "EUR") -> Any:
    at = START + number * MINUTE.width
    return {
        "window_start": at,
        "kind": kind,
        "currency": currency,
        "count": count,
        "sum": total,
    }


def test_the_period_before_is_as_long_and_ends_where_this_one_begins():
    assert PERIOD.before == Period(START - timedelta(minutes=10), START)


def test_totals_weigh_the_mood_by_messages_and_leave_out_minutes_without_data():
    windows = [
        make_window(0, chat_count=30, chat_rate=0.5, avg_sentiment=0.2, unique_chatters=7),
        make_window(3, chat_count=90, chat_rate=1.5, avg_sentiment=-0.2, unique_chatters=5),
        make_window(4, avg_viewers=100.0, peak_viewers=130.0),
        make_window(5, avg_viewers=200.0, peak_viewers=210.0),
    ]
    totals = report(make_found(chat=windows)).totals
    assert (totals.messages, totals.unique_chatters_max) == (120, 7)
    assert totals.chat_rate == pytest.approx(0.5)
    assert totals.chat_rate_max == 1.5
    assert totals.avg_sentiment == pytest.approx(-0.1)
    assert (totals.avg_viewers, totals.peak_viewers) == (150.0, 210.0)


def test_of_nothing_there_is_no_rate_and_not_a_rate_of_zero():
    totals = report(make_found()).totals
    assert totals.messages == 0
    assert [totals.chat_rate, totals.chat_rate_max, totals.avg_viewers] == [None] * 3
    assert [totals.unique_chatters_max, totals.avg_sentiment, totals.peak_viewers] == [None] * 3


def test_columns_begin_with_the_oldest():
    windows = [make_window(number, chat_rate=float(number)) for number in (3, 1, 2)]
    chat = report(make_found(chat=windows)).chat
    assert chat.chat_rate == [1.0, 2.0, 3.0]
    assert chat.times == sorted(chat.times)


def test_transactions_are_told_by_kind_and_currency_beside_those_before():
    now = [pay(0, "donation", 2, 10.0), pay(1, "donation", 3, 5.0), pay(1, "bits", 9, 0.0, None)]
    told = report(
        make_found(transactions=now), make_found(transactions=[pay(0, "donation", 4, 8.0)])
    )
    rows = [
        (each.kind, each.currency, each.count, each.sum, each.count_before, each.sum_before)
        for each in told.ledgers
    ]
    assert rows == [("bits", None, 9, 0.0, 0, 0.0), ("donation", "EUR", 5, 15.0, 4, 8.0)]
    assert told.transaction_counts == [2, 12]
    assert (told.totals.transactions, told.totals_before.transactions) == (14, 4)


def test_emotes_are_counted_over_all_windows_and_only_the_first_are_told():
    names = [f"e{number:02}" for number in range(EMOTES_MAX + 3)]
    many = [{"emote": name, "count": 1} for name in names]
    windows = [
        make_window(0, top_emotes=many),
        make_window(1, top_emotes=[{"emote": "e07", "count": 4}]),
    ]
    before = [make_window(-2, top_emotes=[{"emote": "e07", "count": 2}])]
    emotes = report(make_found(chat=windows), make_found(chat=before)).emotes
    assert len(emotes) == EMOTES_MAX
    assert (emotes[0].emote, emotes[0].count, emotes[0].count_before) == ("e07", 5, 2)
    assert emotes[1].emote == "e00"


def test_a_channel_without_windows_in_the_period_is_left_out():
    row = {"window_start": START, "unit": "V", "count": 2, "mean": 3.0, "min": 1.0, "max": 9.0}
    later = row | {"window_start": START + MINUTE.width, "count": 6, "mean": 7.0, "min": 0.5}
    channels = report(make_found(channels={"silent": [], "volts": [later, row]})).channels
    (volts,) = channels
    assert (volts.channel, volts.unit, volts.mean, volts.min, volts.max) == (
        "volts", "V", 6.0, 0.5, 9.0,
    )  # fmt: skip
    assert volts.means == [3.0, 7.0]
