"""Layouts: which column is known as what, and what becomes of its cells."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from core.errors import InvalidError
from core.events import TIMESTAMP, TimePolicy, check_events
from core.layouts import Wishes, clean_name, find_layout
from core.tables import ROW, apply_layout

NOW = datetime(2026, 3, 1, tzinfo=UTC)
AT = "2026-02-01T10:00:00Z"


def lay_out(table: dict[str, list[Any]], wishes: Wishes | None = None) -> pl.DataFrame:
    rows = pl.DataFrame(table)
    layout = find_layout(rows, wishes or Wishes(), stream="a file")
    numbered = rows.with_columns(pl.int_range(1, rows.height + 1, dtype=pl.Int64).alias(ROW))
    return apply_layout(numbered, layout)


def check(
    table: dict[str, list[Any]], wishes: Wishes | None = None
) -> tuple[list[dict[str, Any]], list[str]]:
    raw = lay_out(table, wishes).with_row_index("index")
    events, refused = check_events(raw, now=NOW, policy=TimePolicy())
    return events.to_dicts(), [row.reason for row in refused]


@pytest.mark.parametrize("time", ["timestamp", "Time", "ts", "DATE", "created-at", "date time"])
@pytest.mark.parametrize("user", ["user", "Username", "author"])
@pytest.mark.parametrize("text", ["text", "Message", "body"])
def test_a_chat_is_known_by_its_columns(time, user, text):
    events, refused = check({time: [AT], "Channel": ["c"], user: ["ann"], text: ["hi"]})
    assert refused == []
    assert events == [
        {
            "stream_id": "c",
            "type": "chat",
            "timestamp": datetime(2026, 2, 1, 10, tzinfo=UTC),
            "user": "ann",
            "text": "hi",
        }
    ]


def test_readings_have_a_channel_by_column_by_wish_or_by_the_column_of_the_value():
    table = {"time": [AT], "host": ["bench"], "value": ["1.5"]}
    assert check(table)[0][0]["channel"] == "value"
    assert check(table, Wishes(channel="volts"))[0][0]["channel"] == "volts"
    assert check({**table, "sensor": ["s7"]})[0][0]["channel"] == "s7"
    assert check(table)[0][0]["stream_id"] == "bench"


def test_a_stream_is_named_by_wish_before_a_column_and_else_by_the_file():
    table = {"time": [AT], "host": ["bench"], "value": ["1"]}
    assert check(table, Wishes(stream="mine"))[0][0]["stream_id"] == "mine"
    assert check({"time": [AT], "value": ["1"]})[0][0]["stream_id"] == "a_file"


def test_numeric_columns_nobody_knows_become_channels():
    events, refused = check(
        {"Date": [AT, AT], "Temp (°C)": ["1.5", ""], "rpm": ["90", "91"], "note": ["a", "b"]}
    )
    assert refused == []
    found = [(event["channel"], event["value"]) for event in events]
    assert found == [("Temp_C", 1.5), ("rpm", 90), ("rpm", 91)]


def test_a_cell_of_a_wide_table_that_is_no_number_is_named():
    table = {"time": [AT] * 2, "a": ["1", "2"], "b": ["3", "4"]}
    layout = find_layout(pl.DataFrame(table), Wishes(), stream="s")
    rows = pl.DataFrame({**table, "b": ["3", "broken"], ROW: [1, 2]})
    raw = apply_layout(rows, layout).with_row_index("index")
    events, refused = check_events(raw, now=NOW, policy=TimePolicy())
    assert events.height == 3
    assert [row.reason[:21] for row in refused] == ["value is not a number"]


def test_a_mistake_in_the_first_rows_makes_a_column_no_less_a_channel():
    table = {"time": [AT] * 3, "a": ["1", "2", "3"], "b": ["3", "broken", "5"], "note": ["x"] * 3}
    events, refused = check(table)
    assert len(events) == 5
    assert len(refused) == 1
    told = find_layout(pl.DataFrame(table), Wishes(), stream="s").tell()
    assert told == "type reading, stream_id s, time from time, channels a, b; not used: note"


def test_wide_is_wished_for_where_a_column_is_called_value():
    table = {"time": [AT], "value": ["1"], "other": ["2"]}
    assert [event["channel"] for event in check(table)[0]] == ["value"]
    wide = check(table, Wishes(is_wide=True))[0]
    assert [event["channel"] for event in wide] == ["value", "other"]


def test_channels_that_clean_to_one_name_stay_two():
    events, _ = check({"time": [AT], "a b": ["1"], "a,b": ["2"]})
    assert len({event["channel"] for event in events}) == 2


def test_people_go_before_names():
    table = {"time": ["x"], "Day": [AT], "value": ["1"], "Close": ["7"]}
    wishes = Wishes(columns={"timestamp": "Day", "value": "Close"}, channel="price")
    events, _ = check(table, wishes)
    assert [(event["channel"], event["value"]) for event in events] == [("price", 7)]


def test_a_date_and_a_time_are_one_time():
    day = {"Date": ["2026-02-01"], "Time": ["10:00:00"], "value": ["1"]}
    named = {"D": ["2026-02-01"], "T": ["10:00:00"], "value": ["1"]}
    events, _ = check(day)
    assert events[0]["timestamp"] == datetime(2026, 2, 1, 10, tzinfo=UTC)
    assert check(named, Wishes(columns={"timestamp": "D+T"}))[0] == events


def test_times_are_read_by_format_and_zone():
    table = {"time": ["01.02.2026 11:00"], "value": ["1"]}
    events, _ = check(table, Wishes(time_format="%d.%m.%Y %H:%M", zone="Europe/Berlin"))
    assert events[0]["timestamp"] == datetime(2026, 2, 1, 10, tzinfo=UTC)
    iso = {"time": ["2026-02-01 11:00:00", "2026-02-01T10:00:00Z"], "value": ["1", "2"]}
    events, _ = check(iso, Wishes(zone="Europe/Berlin"))
    assert [event["timestamp"].hour for event in events] == [10, 10]


def test_what_is_no_time_is_refused_and_not_taken_for_now():
    table: dict[str, list[Any]] = {"time": [AT, "yesterday", "", None], "value": ["1"] * 4}
    events, refused = check(table)
    assert len(events) == 1
    assert refused == ["timestamp is neither ISO 8601 nor an epoch"] * 3
    assert len(check(table, Wishes(time_format="%Y-%m-%dT%H:%M:%SZ"))[1]) == 3


def test_typed_columns_of_other_tables_are_read():
    naive = pl.Series("time", [datetime(2026, 2, 1, 10)]).cast(pl.Datetime("ns"))  # noqa: DTZ001
    for time in (naive, naive.dt.replace_time_zone("UTC"), naive.dt.timestamp("ms")):
        table = pl.DataFrame({"time": time, "value": pl.Series([3], dtype=pl.Int16)})
        rows = table.with_columns(pl.lit(1, pl.Int64).alias(ROW))
        raw = apply_layout(rows, find_layout(table, Wishes(), stream="s")).with_row_index("index")
        events, refused = check_events(raw, now=NOW, policy=TimePolicy())
        assert refused == []
        assert events["timestamp"].dtype == TIMESTAMP
        assert events["timestamp"][0].hour == 10


def test_decimal_commas_are_found():
    events, _ = check({"time": [AT], "value": ["1,5"]})
    assert events[0]["value"] == 1.5


def test_viewers_and_transactions_are_known_by_their_columns():
    viewers, _ = check({"time": [AT], "channel": ["c"], "viewer_count": ["120"]})
    assert (viewers[0]["type"], viewers[0]["value"]) == ("viewers", 120)
    paid, _ = check({"time": [AT], "stream": ["c"], "amount": ["5"], "currency": ["EUR"]})
    assert (paid[0]["type"], paid[0]["kind"], paid[0]["amount"]) == ("transaction", "other", 5)


def test_a_table_of_events_keeps_what_its_columns_say():
    events, refused = check(
        {
            "stream_id": ["a", "b"],
            "type": ["chat", "reading"],
            "timestamp": [AT, AT],
            "id": ["one", None],
            "user": ["ann", None],
            "text": ["hi", None],
            "emotes": ["Kappa LUL", None],
            "channel": [None, "volts"],
            "value": [None, "1"],
        }
    )
    assert refused == []
    assert [event["id"] for event in events] == ["one", None]
    assert events[0]["emotes"] == ["Kappa", "LUL"]
    assert events[1]["channel"] == "volts"


def test_an_id_of_a_foreign_table_is_no_id_of_events():
    table = {"time": [AT, AT], "id": ["device", "device"], "value": ["1", "2"]}
    assert "id" not in check(table)[0][0]
    assert check(table, Wishes(columns={"id": "id"}))[0][0]["id"] == "device"


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ({"when": [AT], "value": ["1"]}, "as the time"),
        ({"time": [AT], "note": ["a"]}, "what events these are"),
        ({"time": [AT], "text": ["a"]}, "as user of a chat event"),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_columns_and_an_example(table, what):
    with pytest.raises(InvalidError) as error:
        find_layout(pl.DataFrame(table), Wishes(), stream="s")
    assert what in error.value.detail
    assert f"Columns found: {', '.join(table)}" in error.value.detail
    assert "--map timestamp=" in error.value.detail


def test_a_wish_for_what_there_is_not_is_refused():
    table = pl.DataFrame({"time": [AT], "value": ["1"]})
    with pytest.raises(InvalidError, match="no column 'Close'"):
        find_layout(table, Wishes(columns={"value": "Close"}), stream="s")
    with pytest.raises(InvalidError, match="events have"):
        find_layout(table, Wishes(columns={"price": "value"}), stream="s")


def test_names_are_cleaned_of_what_no_name_may_have():
    assert clean_name("Temp (°C) / Öl") == "Temp_C_l"
    assert clean_name("***") == "unnamed"
    assert len(clean_name("x" * 500)) == 128
