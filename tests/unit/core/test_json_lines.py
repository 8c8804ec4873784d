"""The reader of lines, held against Polars' reader: it says the same or leaves it to the other."""

import io
import json
from datetime import UTC, datetime, timedelta

import orjson
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.events import RAW_SCHEMA, TIMESTAMP, TimePolicy, check_events
from core.json_lines import read_json_lines, read_json_list

EVENT = {"stream_id": "a", "type": "chat", "timestamp": "2026-11-21T08:30:00Z"}
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**14), 10**14)
values = {
    pl.String(): st.none() | texts,
    pl.Int64(): st.none() | st.integers(-(10**14), 10**14),
    pl.Float64(): st.none() | numbers,
    pl.List(pl.String): st.none() | st.lists(texts, max_size=3),
}
events = st.fixed_dictionaries(
    {}, optional={name: values[kind] for name, kind in RAW_SCHEMA.items()} | {"other": texts}
)


def read_by_polars(body: bytes) -> pl.DataFrame | None:
    try:
        return pl.read_ndjson(io.BytesIO(body), schema=RAW_SCHEMA)
    except pl.exceptions.PolarsError:
        return None


def read_by_both(body: bytes) -> tuple[pl.DataFrame, pl.DataFrame]:
    ours, theirs = read_json_lines(body), read_by_polars(body)
    assert ours is not None
    assert theirs is not None
    return ours, theirs


@given(rows=st.lists(events, min_size=1, max_size=6), is_ascii=st.booleans())
def test_events_are_read_as_by_polars(rows: list[dict[str, object]], *, is_ascii: bool) -> None:
    body = b"".join(_write(row, is_ascii=is_ascii) + b"\n" for row in rows)
    ours = read_json_lines(body)
    if ours is None:
        # Empty objects, and bodies that name nothing, are left to the other reader.
        assert {} in rows or all(row.keys() == {"other"} for row in rows)
        return
    assert_same(ours, read_by_polars(body))


def _write(row: dict[str, object], *, is_ascii: bool) -> bytes:
    return json.dumps(row).encode() if is_ascii else orjson.dumps(row)


def assert_same(ours: pl.DataFrame, theirs: pl.DataFrame | None) -> None:
    assert theirs is not None
    assert theirs.height == ours.height
    named = [name for name in RAW_SCHEMA if name in ours.columns]
    missing = [name for name in RAW_SCHEMA if name not in ours.columns]
    assert all(theirs[name].null_count() == theirs.height for name in missing)
    if "timestamp" in named and ours["timestamp"].dtype == TIMESTAMP:
        texts = theirs["timestamp"].str.to_datetime("%+", time_unit="us", time_zone="UTC")
        theirs = theirs.with_columns(timestamp=texts)
    assert ours.select(named).equals(theirs.select(named))


BODY = (
    b'{"stream_id":"a","type":"chat","timestamp":"2026-11-21T08:30:00.125+02:00","user":"u",'
    b'"text":"\\u00e9 \\"x\\" \\ud83d\\ude00","emotes":["a","b"],"bits":12,"value":-1.5e3}\n'
    b'{ "timestamp" : 1700000000000 , "text" : null , "more" : [] }\r\n'
    b'{"amount":0.25,"emotes":[],"viewers":0,"title":"\xc3\xa9","badges":["x"],"flag":true}\n'
)


@given(st.data())
def test_damaged_lines_are_never_read_otherwise_than_by_polars(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(BODY) - 1))
    length = data.draw(st.integers(0, 3))
    piece = data.draw(st.binary(max_size=3) | st.sampled_from([b'"', b"\\", b"\n", b"}", b"1e5"]))
    body = BODY[:at] + piece + BODY[at + length :]
    ours = read_json_lines(body)
    if ours is not None:
        assert_same(ours, read_by_polars(body))


@pytest.mark.parametrize(
    "line",
    [
        '{"value":1e400}',
        '{"value":01}',
        '{"value":1.}',
        '{"value":.5}',
        '{"value":-}',
        '{"value":1e}',
        '{"bits":1.5}',
        '{"bits":"1"}',
        '{"bits":12345678901234567890}',
        '{"value":true}',
        '{"user":1}',
        '{"user":{}}',
        '{"user":"a","user":"b"}',
        '{"user":null,"user":"b"}',
        '{"us\\u0065r":"a"}',
        '{"other":{"user":"x"}}',
        '{"emotes":"a"}',
        '{"emotes":[1]}',
        '{"emotes":["a",]}',
        '{"emotes":["a"',
        '{"text":"\\ud800"}',
        '{"text":"\\udc00\\ud800"}',
        '{"text":"\\ud800\\u0041"}',
        '{"text":"\\x"}',
        '{"text":"\\u12g4"}',
        '{"text":"\\u12"}',
        '{"text":"a\tb"}',
        '{"text":"a',
        '{"text":"a\\',
        '{"text" "a"}',
        '{"text":"a",}',
        '{"text":"a"}{"text":"b"}',
        '{"text":"a"} x',
        "{",
        "",
        "[]",
        "null",
        '{"text":nul}',
        '{"timestamp":1.5}',
        '{"timestamp":true}',
    ],
)
def test_what_is_odd_is_left_to_the_other_reader(line: str) -> None:
    assert read_json_lines(line.encode()) is None
    around = f'{{"user":"x"}}\n{line}\n{{"user":"y"}}\n'
    assert read_json_lines(around.encode()) is None


def test_text_that_is_not_utf8_is_left_to_the_other_reader() -> None:
    assert read_json_lines(b'{"text":"\xff"}\n') is None


def test_lines_that_name_nothing_are_left_to_the_other_reader() -> None:
    assert read_json_lines(b'{"other":1}\n{"other":-2.5e3}\n') is None


def test_unknown_fields_are_passed_over() -> None:
    ours, theirs = read_by_both(b'{"x":1,"user":"a","y":"\\n","z":true}\n{"user":"b","w":null}\n')
    assert_same(ours, theirs)


def test_a_field_that_comes_late_is_empty_before() -> None:
    ours, theirs = read_by_both(b'{"user":"a"}\n{"value":1}\n{"emotes":["x"]}\n{"user":"b"}\n')
    assert_same(ours, theirs)


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1.7976931348623157e308)
@example(5e-324)
@example(-0.0)
@example(12345678901234567.0)
def test_numbers_are_those_of_the_standard_library(number: float) -> None:
    for text in (repr(number), f"{number:.25g}", f"{number:E}"):
        frame = read_json_lines(f'{{"value":{text}}}'.encode())
        assert frame is not None
        assert frame["value"].to_list() == [float(text)]


@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),  # noqa: DTZ001 - a zone comes below
    st.sampled_from(["Z", "+00:00", "+05:30", "-11:45", "+23:59"]),
    st.sampled_from(["", ".5", ".125", ".000001", ".999999"]),
)
@example(datetime(2024, 2, 29), "Z", "")  # noqa: DTZ001
@example(datetime(1900, 3, 1), "Z", "")  # noqa: DTZ001
def test_times_are_those_of_the_standard_library(at: datetime, zone: str, part: str) -> None:
    text = at.replace(microsecond=0).isoformat() + part + zone
    frame = read_json_lines(orjson.dumps({"timestamp": text}))
    assert frame is not None
    micros = (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )
    assert frame["timestamp"].dtype == TIMESTAMP
    assert frame["timestamp"].to_physical().to_list() == [micros]


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-04-00T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567Z",
        "2026-01-01T00:00:00+0200",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00*02:00",
        "2026-01-01T00:00:00Zx",
        "2026-01-01 00:00:00Z",
        "2026-1-01T00:00:00Z",
        "x" * 20,
        "",
    ],
)
def test_a_time_in_another_form_stays_text(text: str) -> None:
    frame = read_json_lines(orjson.dumps({"timestamp": text}))
    assert frame is not None
    assert frame["timestamp"].to_list() == [text]


def test_read_times_pass_the_rules_like_text() -> None:
    body = b"".join(orjson.dumps(EVENT | {"user": "u", "text": text}) + b"\n" for text in "ab")
    ours, theirs = read_by_both(body)
    checked = [
        check_events(frame.with_row_index("index"), now=NOW, policy=TimePolicy())
        for frame in (ours, theirs)
    ]
    assert checked[0][0].equals(checked[1][0])
    assert not checked[0][1]


@given(rows=st.lists(events, min_size=1, max_size=6), data=st.data())
def test_a_list_is_read_like_its_lines(rows: list[dict[str, object]], data: st.DataObject) -> None:
    blanks = [data.draw(st.sampled_from(["", " ", "\n", " \r\n\t"])) for _ in range(4)]
    body = f"{blanks[0]}[{blanks[1]}" + f"{blanks[2]},{blanks[3]}".join(map(json.dumps, rows))
    ours = read_json_list(f"{body}{blanks[1]}]{blanks[0]}".encode())
    lines = read_json_lines("\n".join(map(json.dumps, rows)).encode())
    assert (ours is None) == (lines is None)
    if ours is not None and lines is not None:
        assert ours.equals(lines)


LIST = b'[{"stream_id":"a","emotes":["a","b"],"text":"\\u00e9"},\n{"value":1.5,"more":null} ]'


@given(st.data())
def test_a_damaged_list_is_left_to_the_other_reader_or_read_alike(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(LIST) - 1))
    length = data.draw(st.integers(0, 3))
    piece = data.draw(st.binary(max_size=3) | st.sampled_from([b"[", b"]", b",", b"{", b"}"]))
    body = LIST[:at] + piece + LIST[at + length :]
    ours = read_json_list(body)
    if ours is not None:
        lines = b"\n".join(map(orjson.dumps, orjson.loads(body)))
        assert_same(ours, read_by_polars(lines))


@pytest.mark.parametrize(
    "body",
    [
        *("", "[", "]", "[]", "[ ]", "{}", "[{}]", '{"user":"a"}', "[1]", "[[]]", "null"),
        *('[{"user":"a"}', '[{"user":"a"},]', '[,{"user":"a"}]', '[{"user":"a"}{"user":"b"}]'),
        *('[{"user":"a"}] x', '[{"user":"a"}]]', '[{"user":\n"a"}]', '[{"user":"a\n"}]'),
    ],
)
def test_what_is_no_list_of_plain_objects_is_left_to_the_other_reader(body: str) -> None:
    assert read_json_list(body.encode()) is None
