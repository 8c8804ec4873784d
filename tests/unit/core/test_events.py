"""Events: every rule of the door, each with a row that breaks it and a row that just keeps it."""

from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from core.events import (
    RAW_SCHEMA,
    SCHEMA,
    TEXT_BYTES_MAX,
    VALUE_MAX,
    TimePolicy,
    check_events,
    fill_columns,
)
from tests.fixtures.clocks import START

CHAT = {"stream_id": "a", "type": "chat", "user": "ada", "text": "hi"}
VIEWERS = {"stream_id": "a", "type": "viewers", "value": 10.0}
READING = {"stream_id": "a", "type": "reading", "channel": "temp", "value": 1.5}
TRANSACTION = {"stream_id": "a", "type": "transaction", "kind": "bits", "amount": 3.0}
META = {"stream_id": "a", "type": "meta", "event": "raid"}

NAME_RULE = "is not 1 to 128 letters, digits or _.:@~+=#-"

BAD: list[tuple[dict[str, Any], str]] = [
    (CHAT | {"stream_id": None}, "stream_id is missing"),
    (CHAT | {"stream_id": ""}, f"stream_id {NAME_RULE}"),
    (CHAT | {"stream_id": "a b"}, f"stream_id {NAME_RULE}"),
    (CHAT | {"stream_id": "a\n"}, f"stream_id {NAME_RULE}"),
    (CHAT | {"stream_id": "é"}, f"stream_id {NAME_RULE}"),
    (CHAT | {"stream_id": "a" * 129}, f"stream_id {NAME_RULE}"),
    (CHAT | {"type": None}, "type is missing"),
    (CHAT | {"type": "CHAT"}, "type is not one of chat, viewers, reading, transaction, meta"),
    (CHAT | {"timestamp": "yesterday"}, "timestamp is neither ISO 8601 nor an epoch"),
    (CHAT | {"timestamp": ""}, "timestamp is neither ISO 8601 nor an epoch"),
    (CHAT | {"timestamp": "nan"}, "timestamp is neither ISO 8601 nor an epoch"),
    (CHAT | {"timestamp": "2024-01-01T00:00:00Z"}, "timestamp lies more than 365 days in the past"),
    *(
        (CHAT | {"timestamp": text}, "timestamp is neither ISO 8601 nor an epoch")
        for text in (
            *("inf", "-inf", "1e400", "-1e400", "1e21", "9" * 400, "0x10", " ", "--5"),
            "9223372036854775808" + "0" * 9,
            *("2026-02-30T00:00:00Z", "2026-01-26T09:59:15+24:00", "2026-01-26T09:59:15[Europe]"),
            *("2026-01-26T25:00:00Z", "26/01/2026", "2026-01-26T09:59:15 Mars"),
        )
    ),
    *(
        (CHAT | {"timestamp": text}, "timestamp lies more than 365 days in the past")
        for text in (
            "0",
            "-0.5",
            "-1e10",
            "-62135596800",
            "-1769421555000",
            "1e5",
            "0001-01-01",
            str(-(2**63)),
        )
    ),
    *(
        (CHAT | {"timestamp": text}, "timestamp lies more than 10 minutes ahead")
        for text in ("99999999999", "1769422255", "9999-12-31T23:59:59Z")
    ),
    (CHAT | {"timestamp": "-5"}, "timestamp lies more than 365 days in the past"),
    (CHAT | {"timestamp": "2026-01-26T10:10:00.000001Z"}, "timestamp lies more than 10 minutes"),
    (CHAT | {"text": "a\0b"}, "text has a null byte"),
    (CHAT | {"user": "x" * (TEXT_BYTES_MAX + 1)}, "user is longer than 16384 bytes"),
    (
        READING | {"unit": "é" * (TEXT_BYTES_MAX // 2 + 1)},
        "unit is longer than 16384 bytes",
    ),
    (CHAT | {"emotes": ["a\0"]}, "emotes has a null byte or is too long"),
    (CHAT | {"badges": ["b" * 9000] * 2}, "badges has a null byte or is too long"),
    (CHAT | {"user": None}, "user is missing"),
    (CHAT | {"text": None}, "text is missing"),
    (VIEWERS | {"value": None}, "value is not a number of viewers"),
    (VIEWERS | {"value": -1.0}, "value is not a number of viewers"),
    (VIEWERS | {"value": float("nan")}, "value is not a number of viewers"),
    (VIEWERS | {"value": 1e101}, "value is not a number of viewers"),
    (READING | {"channel": None}, "channel is missing"),
    (READING | {"channel": "a/b"}, f"channel {NAME_RULE}"),
    (READING | {"value": None}, "value is not a number of at most 1e+100"),
    (READING | {"value": float("inf")}, "value is not a number of at most 1e+100"),
    (READING | {"value": -1e101}, "value is not a number of at most 1e+100"),
    (TRANSACTION | {"kind": None}, "kind is not one of donation, subscription, bits"),
    (TRANSACTION | {"kind": "theft"}, "kind is not one of donation, subscription, bits"),
    (TRANSACTION | {"amount": -0.5}, "amount is not a positive number"),
    (TRANSACTION | {"amount": float("inf")}, "amount is not a positive number"),
    (META | {"event": None}, "event is not one of stream_start, stream_end"),
    (META | {"event": "explosion"}, "event is not one of stream_start, stream_end"),
]

GOOD: list[dict[str, Any]] = [
    CHAT,
    CHAT | {"stream_id": "A-z_0.:@~+=#" + "x" * 116},
    CHAT | {"text": "", "user": ""},
    CHAT | {"text": "x" * TEXT_BYTES_MAX},
    CHAT | {"emotes": [None, "Kappa"], "badges": []},
    CHAT | {"timestamp": None},
    CHAT | {"timestamp": "2026-01-26T10:10:00Z"},
    CHAT | {"timestamp": "2025-01-26T10:00:00Z"},
    VIEWERS | {"value": 0.0},
    READING | {"value": -VALUE_MAX},
    TRANSACTION | {"amount": None},
    TRANSACTION | {"amount": 0.0},
    META,
]

TIMES = [
    ("2026-01-26T09:59:15Z", START - timedelta(seconds=45)),
    ("2026-01-26T10:59:15+01:00", START - timedelta(seconds=45)),
    ("2026-01-26T15:29:15+0530", START - timedelta(seconds=45)),
    ("2026-01-26 06:59:15.5-03", START - timedelta(seconds=44.5)),
    ("2026-01-26T23:59:15+14", START - timedelta(seconds=45)),
    ("2026-01-25T21:59:15-12:00", START - timedelta(seconds=45)),
    ("2026-01-26t09:59:15z", START - timedelta(seconds=45)),
    ("2026-01-26T09:58:60Z", START - timedelta(minutes=1)),
    ("2026-01-26T09:59:15", START - timedelta(seconds=45)),
    ("2026-01-26 09:59:15.25", START - timedelta(seconds=44.75)),
    ("2026-01-26T09:59", START - timedelta(minutes=1)),
    ("2026-01-26T09:59Z", START - timedelta(minutes=1)),
    ("2026-01-26", START - timedelta(hours=10)),
    ("2026-01-26T09:59:15.123456789Z", START - timedelta(seconds=45, microseconds=-123456)),
    ("1769421555", START - timedelta(seconds=45)),
    ("1769421555.5", START - timedelta(seconds=44.5)),
    ("1769421555250", START - timedelta(seconds=44.75)),
    ("1769421555250001", START - timedelta(seconds=45, microseconds=-250001)),
    ("1.7694215555e9", START - timedelta(seconds=44.5)),
    ("1769421555250001999", START - timedelta(seconds=45, microseconds=-250001)),
    ("1769421555250001000", START - timedelta(seconds=45, microseconds=-250001)),
]


def check(*rows: dict[str, Any]) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    raw = pl.DataFrame(
        [dict.fromkeys(RAW_SCHEMA.names()) | row for row in rows], schema=RAW_SCHEMA
    ).with_row_index("index")
    good, rejected = check_events(raw, now=START, policy=TimePolicy())
    return good, [(row.index, row.reason) for row in rejected]


def name_fields(*rows: dict[str, Any]) -> list[str | None]:
    """Return the fields at fault of the rows that are refused."""
    raw = pl.DataFrame(
        [dict.fromkeys(RAW_SCHEMA.names()) | row for row in rows], schema=RAW_SCHEMA
    ).with_row_index("index")
    return [row.field for row in check_events(raw, now=START, policy=TimePolicy())[1]]


@pytest.mark.parametrize(("row", "reason"), BAD)
def test_each_rule_names_the_row_that_breaks_it(row: dict[str, Any], reason: str):
    good, rejected = check(CHAT, row, READING)
    assert [index for index, _ in rejected] == [1]
    assert rejected[0][1].startswith(reason)
    assert name_fields(CHAT, row, READING) == [reason.partition(" ")[0]]
    assert good["type"].to_list() == ["chat", "reading"]


def test_rows_that_just_keep_the_rules_are_all_accepted():
    good, rejected = check(*GOOD)
    assert rejected == []
    assert good.height == len(GOOD)
    assert fill_columns(good, SCHEMA.names()).select(SCHEMA.names()).schema == SCHEMA


def test_every_good_row_survives_among_all_the_bad_ones():
    mixed = [row for bad, _ in BAD for row in (bad, GOOD[len(bad) % len(GOOD)])]
    good, rejected = check(*mixed)
    assert [index for index, _ in rejected] == list(range(0, len(mixed), 2))
    assert good.height == len(BAD)


@pytest.mark.parametrize(("text", "time"), TIMES)
def test_a_time_is_read_in_every_form(text: str, time: datetime):
    good, rejected = check(CHAT | {"timestamp": text})
    assert rejected == []
    assert good["timestamp"].to_list() == [time]


def test_an_event_without_a_time_gets_that_of_its_arrival():
    good, _ = check(CHAT, CHAT | {"timestamp": "1769421555"})
    assert good["timestamp"].to_list() == [START, START - timedelta(seconds=45)]


def test_a_frame_of_nothing_stays_nothing():
    good, rejected = check()
    assert (good.height, rejected) == (0, [])
