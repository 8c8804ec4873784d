"""Line protocol: what InfluxDB's own client writes is read back, and every bad line is named."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from influxdb_client.client.write.point import Point

from core.errors import TooLargeError
from core.events import VALUE_MAX, TimePolicy, check_events
from core.line_faults import explain_line
from core.line_protocol import (
    EXPLAINED_MAX,
    READINGS_MAX,
    UNEXPLAINED,
    UNITS,
    LinePolicy,
    Lines,
    read_line_protocol,
)
from core.line_scans import TAGS_MAX
from core.times import EPOCH
from tests.unit.core.influx_names import name_channel, name_stream

NOW: Final = datetime(2026, 11, 21, 9, tzinfo=UTC)
POLICY: Final = LinePolicy(("stream_id", "host"), "telegraf", "ns")
TIME: Final = 1_700_000_000_123_456_789


def read(body: bytes | str, **changes: Any) -> Lines:
    policy = LinePolicy(
        **{"stream_tags": POLICY.stream_tags, "bucket": "telegraf", "precision": "ns"} | changes
    )
    return read_line_protocol(body.encode() if isinstance(body, str) else body, policy, NOW)


def read_one(line: str, **changes: Any) -> dict[str, Any]:
    lines = read(line, **changes)
    assert lines.rejected == []
    assert lines.frame.height == 1
    return lines.frame.row(0, named=True)


def list_reasons(body: bytes | str, **changes: Any) -> list[tuple[int, str]]:
    return [(row.index, row.reason) for row in read(body, **changes).rejected]


# The client leaves a backslash at an end alone, where it escapes what follows; and turns white
# space other than spaces into letters.
names = (
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\t\0"), min_size=1)
    | st.sampled_from(["cpu", "usage idle", "a,b", "a=b", "a\\,b", "10.0.0.1:80", "°C", '"', "~41"])
).filter(lambda name: not name.endswith("\\") and not name.startswith("#"))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
floats = st.floats(-VALUE_MAX, VALUE_MAX)
values = floats | st.integers(-(2**63), 2**63 - 1) | st.booleans() | texts
times = st.none() | st.integers(-(2**63) + 1, 2**63 - 1)
points = st.tuples(
    names,
    st.dictionaries(names | st.sampled_from(["host", "stream_id", "unit"]), names, max_size=4),
    st.dictionaries(names, values, min_size=1, max_size=4),
    times,
)


def write(point: tuple[str, dict[str, str], dict[str, Any], int | None]) -> str:
    made = Point(point[0])
    for key, tag in point[1].items():
        made.tag(key, tag)
    for key, field in point[2].items():
        made.field(key, field)
    return str(made.time(point[3]).to_line_protocol())


def expect(point: tuple[str, dict[str, str], dict[str, Any], int | None]) -> list[dict[str, Any]]:
    """Return the readings of a point, worked out from what it was made of."""
    measurement, tags, fields, time = point
    tags = dict(tags)
    unit = tags.pop("unit", None)
    stream = next((tags.pop(key) for key in POLICY.stream_tags if key in tags), "telegraf")
    at = NOW if time is None else None
    if time is not None and abs(time) < 10**20:
        at = EPOCH + timedelta(microseconds=time // 1000)
    found = []
    for key in sorted(fields):
        if not isinstance(fields[key], str):
            channel = name_channel(measurement, key, tags)
            identity = None if time is None else f"{time}@{channel}"
            reading = (name_stream(stream), channel, float(fields[key]), unit, at, identity)
            found.append(dict(zip(COLUMNS, reading, strict=True)))
    return found


COLUMNS: Final = ("stream_id", "channel", "value", "unit", "timestamp", "id")


@given(st.lists(points, min_size=1, max_size=5))
@example([("m", {"host": "a", "cpu": "cpu0"}, {"f": 1.5, "g": True, "t": 'x"\n\\'}, TIME)])
@example([("m", {"k" * 70: "v" * 70}, {"f": 1.0}, None)])
def test_what_the_client_of_influxdb_writes_is_read_back(given_points: list[Any]) -> None:
    lines = read("\n".join(map(write, given_points)))
    assert lines.rejected == []
    wanted = [reading for point in given_points for reading in expect(point)]
    frame = lines.frame
    if "unit" not in frame.columns:
        frame = frame.with_columns(unit=pl.lit(None, pl.String))
    assert frame.select(COLUMNS).to_dicts() == wanted
    told = sum(isinstance(v, str) for point in given_points for v in point[2].values())
    assert lines.texts_skipped == told


GOOD: Final = (
    b'a,host=b,unit=\xc2\xb0C f=1.5,g=-2i,h=3u,i=t,j="x \\"y\n,z" 12',
    b"a\\ b,c\\,d=e\\=f g\\ h=.5e-3 \r",
    b"  m f=FALSE -12  ",
)


@given(st.data())
def test_damaged_lines_are_refused_exactly_where_there_is_something_to_say(
    data: st.DataObject,
) -> None:
    line = data.draw(st.sampled_from(GOOD))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(line)))
        length = data.draw(st.integers(0, 3))
        piece = data.draw(
            st.binary(max_size=3)
            | st.sampled_from([b'"', b"\\", b",", b"=", b" ", b"\r", b"1", b"\xff", b"i", b"\0"])
        )
        line = line[:at] + piece + line[at + length :]
    first = line.split(b"\n")[0].strip(b" \t\r")
    if not first or first.startswith(b"#"):
        return
    lines = read(b"before f=1\n" + line + b"\nafter f=1")
    assert lines.frame["channel"][0] == "before.f"
    assert b"after" not in line
    bad = [row for row in lines.rejected if row.index == 1]
    cleaned = line.decode(errors="replace").replace("\ufffd", "\0").encode()
    end = cleaned if b"\n" not in cleaned else None
    if end is not None and b'="' not in end:
        reason = explain_line(end.lstrip(b" \t\r"), 1)
        assert [row.reason for row in bad] == ([] if reason is None else [reason])
        assert lines.frame["channel"][-1] == "after.f"
    assert all(row.reason != UNEXPLAINED for row in lines.rejected)


@given(st.binary(max_size=300) | st.text('a ,="\\#\n\r1i.-et\0', max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    lines = read(body)
    events, refused = check_events(lines.frame, now=NOW, policy=TimePolicy())
    assert all(row.reason != UNEXPLAINED for row in lines.rejected)
    assert events.height <= lines.frame.height
    assert len({row.index for row in lines.rejected}) == len(lines.rejected)
    assert all(row.index <= body.count(b"\n") for row in [*lines.rejected, *refused])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("-1.", -1.0),
        ("+.5", 0.5),
        ("1e3", 1000.0),
        ("1.25E-2", 0.0125),
        ("12i", 12.0),
        ("-9223372036854775808i", -(2.0**63)),
        ("18446744073709551615u", 2.0**64),
        ("007i", 7.0),
        *((word, 1.0) for word in ("t", "T", "true", "True", "TRUE")),
        *((word, 0.0) for word in ("f", "F", "false", "False", "FALSE")),
    ],
)
def test_a_number_or_a_truth_is_a_value(text: str, value: float) -> None:
    assert read_one(f"m f={text}")["value"] == value


@given(floats)
@example(5e-324)
@example(1e100)
def test_numbers_are_those_of_the_standard_library(number: float) -> None:
    value = read_one(f"m f={number!r}")["value"]
    assert value == number
    assert math.copysign(1, value) == math.copysign(1, number)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",a=b f=1", "the measurement is missing"),
        ("m", "the fields are missing"),
        ("m ", "the fields are missing"),
        ("m,a=b", "the fields are missing"),
        ("m,=b f=1", "a tag has no key"),
        ("m,a f=1", "the tag 'a' has no ="),
        ("m,a= f=1", "the tag 'a' has no value"),
        ("m,a=b=c f=1", "a tag has a = in its value"),
        ("m,a=b,a=c f=1", "the tag 'a' stands twice"),
        ("m =1", "a field has no key"),
        ("m f", "the field 'f' has no ="),
        ("m f=1,", "a field has no key"),
        ("m f=", "the field 'f' is '', which is no number, truth or text"),
        ("m f=x", "the field 'f' is 'x', which is no number, truth or text"),
        ("m f=NaN", "the field 'f' is 'NaN', which is no number, truth or text"),
        ("m f=1.5i", "the field 'f' is '1.5i', which is no number, truth or text"),
        ("m f=-1u", "the field 'f' is '-1u', which is no number, truth or text"),
        ("m f=0x1", "the field 'f' is '0x1', which is no number, truth or text"),
        ("m f=1e", "the field 'f' is '1e', which is no number, truth or text"),
        ("m f=.", "the field 'f' is '.', which is no number, truth or text"),
        ("m f=1_0", "the field 'f' is '1_0', which is no number, truth or text"),
        ("m f=9223372036854775808i", "'9223372036854775808i' does not fit 64 bits"),
        ("m f=-9223372036854775809i", "'-9223372036854775809i' does not fit 64 bits"),
        ("m f=18446744073709551616u", "'18446744073709551616u' does not fit 64 bits"),
        ('m f="a', "the text of the field 'f' has no end"),
        ('m f="a"b', "something stands behind a text"),
        ("m f=1 noon", "the time 'noon' is no number"),
        ("m f=1 1.5", "the time '1.5' is no number"),
        ("m f=1 9223372036854775808", "the time '9223372036854775808' is out of range"),
        ("m f=1 1 2", "something stands behind the time"),
        ("m\0 f=1", "a null byte, or one that is not UTF-8"),
        (b"m,a=\xff f=1", "a null byte, or one that is not UTF-8"),
        ("m f=" + "9" * 5000 + "i", f"{'9' * 40 + '…'!r} does not fit 64 bits"),
    ],
)
def test_a_bad_line_is_named_with_its_reason_and_takes_no_other_with_it(
    line: str | bytes, reason: str
) -> None:
    line = line if isinstance(line, bytes) else line.encode()
    lines = read(b"good f=1\n" + line + b"\n\n# a comment\ngood f=2\n")
    assert [(row.index, row.reason) for row in lines.rejected] == [(1, reason)]
    assert lines.frame["index"].to_list() == [0, 4]
    assert lines.frame["value"].to_list() == [1.0, 2.0]


def test_a_line_with_as_many_tags_as_there_may_be_is_read_and_none_with_more() -> None:
    tags = [f"k{number}=v" for number in range(TAGS_MAX)]
    assert read_one(f"m,{','.join(tags)} f=1")["value"] == 1.0
    assert list_reasons(f"m,{','.join([*tags, 'z=v'])} f=1") == [(0, "there are more than 64 tags")]


def test_a_line_is_refused_whole_when_one_of_its_fields_is() -> None:
    lines = read("m f=1,g=x 1\nm f=1,g=1e200,h=-1e999\nbad\nm f=3,g=1e100")
    assert [(row.index, row.reason) for row in lines.rejected] == [
        (0, "the field 'g' is 'x', which is no number, truth or text"),
        (1, "a value is not a number of at most 1e+100"),
        (2, "the fields are missing"),
    ]
    assert lines.frame["value"].to_list() == [3.0, 1e100]
    events, refused = check_events(lines.frame, now=NOW, policy=TimePolicy())
    assert (events.height, refused) == (2, [])


def test_a_text_with_breaks_belongs_to_its_line_also_when_that_is_bad() -> None:
    body = 'a f=1,t="x\ny z=1\n"\nb f=2\nc f=x,t="\nd f=9\n"\ne f=3\n'
    lines = read(body)
    assert lines.frame["channel"].to_list() == ["a.f", "b.f", "e.f"]
    assert lines.frame["index"].to_list() == [0, 3, 7]
    assert [row.index for row in lines.rejected] == [4]


def test_a_text_without_an_end_takes_no_later_line_with_it() -> None:
    lines = read('a t="x\nb f=1\nc f=2')
    assert lines.frame["channel"].to_list() == ["b.f", "c.f"]
    assert list_reasons('a t="x\nb f=1') == [(0, "the text of the field 't' has no end")]


def test_texts_are_passed_over_and_counted_even_where_a_line_has_nothing_else() -> None:
    lines = read('system uptime_format="3 days"\nm f=1,t="a",u="b" 1\nn t="only"')
    assert (lines.rejected, lines.texts_skipped) == ([], 4)
    assert lines.frame["channel"].to_list() == ["m.f"]
    assert lines.frame["index"].to_list() == [1]


@pytest.mark.parametrize(
    ("tags", "stream", "channel"),
    [
        ("stream_id=s,host=h", "s", "m.f:host=h"),
        ("host=h,stream_id=s", "s", "m.f:host=h"),
        ("host=h", "h", "m.f"),
        ("a=b", "telegraf", "m.f:a=b"),
        ("host=10.0.0.1:9100", "10.0.0.1:9100", "m.f"),
        ("host=a\\ b/c~", "a~20b~2Fc~7E", "m.f"),
    ],
)
def test_the_first_tag_of_the_setting_names_the_stream(
    tags: str, stream: str, channel: str
) -> None:
    row = read_one(f"m,{tags} f=1")
    assert (row["stream_id"], row["channel"]) == (stream, channel)


def test_without_such_tags_the_bucket_names_the_stream_made_safe() -> None:
    assert read_one("m,host=h f=1", stream_tags=(), bucket="my bücket")["stream_id"] == (
        "my~20b~C3~BCcket"
    )
    assert read_one("m,a\\ b=h f=1", stream_tags=("a b",))["stream_id"] == "h"


def test_tags_stand_in_one_order_however_they_were_sent() -> None:
    channels = {
        read_one(f"m,{','.join(tags)} f=1")["channel"]
        for tags in (("b=2", "a=1", "c=3"), ("c=3", "b=2", "a=1"), ("a=1", "b=2", "c=3"))
    }
    assert channels == {"m.f:a=1:b=2:c=3"}


def test_names_that_could_be_taken_for_one_another_stay_apart() -> None:
    lines = [
        "a.b c=1",
        "a b.c=1",
        "a,x=y b=1",
        "a b:x\\=y=1",
        "a,x=y:z\\=w b=1",
        "a,x=y,z=w b=1",
        "a/b c=1",
        "a~2Fb c=1",
        "a,k\\=v=w b=1",
        "a,k=v\\=w b=1",
        *(f"{'n' * 200}{end} f=1" for end in "ab"),
    ]
    channels = read("\n".join(lines)).frame["channel"]
    assert channels.n_unique() == len(lines)
    assert channels.str.contains(r"^[A-Za-z0-9_.:@~+=#-]{1,128}$").all()


def test_a_name_that_is_too_long_is_cut_and_says_so_by_a_lasting_hash() -> None:
    row = read_one(f"{'m' * 300} f=1")
    # Stored under this name: another hash would be another channel.
    assert row["channel"] == f"{'m' * 110}~~355C5506B3BA6C39"


@pytest.mark.parametrize(("precision", "unit"), UNITS.items())
def test_a_time_counts_what_the_precision_says(precision: str, unit: int) -> None:
    count = TIME // unit
    row = read_one(f"m f=1 {count}", precision=precision)
    assert row["timestamp"] == EPOCH + timedelta(microseconds=count * unit // 1000)
    assert row["id"] == f"{count * unit}@m.f"


def test_a_time_before_the_epoch_is_rounded_down() -> None:
    assert read_one("m f=1 -1")["timestamp"] == EPOCH - timedelta(microseconds=1)


def test_a_time_that_fits_no_nanoseconds_is_out_of_range_in_any_precision() -> None:
    most = (2**63 - 1) // UNITS["h"]
    assert read_one(f"m f=1 {most}", precision="h")["value"] == 1.0
    assert list_reasons(f"m f=1 {most + 1}", precision="h") == [
        (0, f"the time '{most + 1}' is out of range")
    ]


def test_a_line_without_a_time_happens_now_and_is_never_a_repeat() -> None:
    row = read_one("m f=1")
    assert (row["timestamp"], row["id"]) == (NOW, None)


def test_a_series_has_one_value_at_a_time() -> None:
    frame = read("m,a=b,c=d f=1 5\nm,c=d,a=b f=2 5\nm,a=b,c=d f=1 6\nm,a=b f=1 5").frame
    assert frame["id"].n_unique() == 3
    assert frame["id"][0] == frame["id"][1]


def test_a_body_of_too_many_readings_is_refused_whole() -> None:
    many = b"m " + b",".join([b"f=1"] * READINGS_MAX)
    assert read(many).frame.height == READINGS_MAX
    for body in (many + b",f=1", many + b"\nbad", b"\n".join([b"b"] * (READINGS_MAX + 1))):
        with pytest.raises(TooLargeError, match="500000 readings"):
            read(body)


def test_of_very_many_bad_lines_all_are_counted_and_the_first_explained() -> None:
    reasons = [reason for _, reason in list_reasons("bad\n" * (EXPLAINED_MAX + 5))]
    assert reasons == ["the fields are missing"] * EXPLAINED_MAX + [UNEXPLAINED] * 5
