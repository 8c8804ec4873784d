"""Readers: every format gives the same events with the same rows, from any position on."""

import io
import random
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from core.errors import InvalidError, NotFoundError
from core.layouts import Wishes
from streaming.connectors.files import lines
from streaming.connectors.files.readers import parquet
from streaming.connectors.files.sources import find_sources
from tests.unit.files.tables import read_all, read_blocks, write_file

CSV = b"Date,Close,Note\n2026-02-01T10:00:00Z,1.5,a\n2026-02-01T10:01:00Z,2,b\n"
CHAT = (
    b'{"stream_id":"a","type":"chat","timestamp":"2026-02-01T10:00:00Z","user":"u","text":"%d"}\n'
)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(lines, "BLOCK_BYTES", 300)
    monkeypatch.setattr(parquet, "BLOCK_ROWS", 7)


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
def test_csv_is_read_however_it_is_packed(tmp_path, packing):
    events, rejected = read_all(write_file(tmp_path, f"prices.csv{packing}", CSV))
    assert rejected == []
    assert events.select("row", "stream_id", "channel", "value").rows() == [
        (1, "prices", "Close", 1.5),
        (2, "prices", "Close", 2),
    ]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_sign_between_cells_is_found(tmp_path, sign):
    text = CSV.replace(b",", sign.encode())
    events, _ = read_all(write_file(tmp_path, "a.csv", text))
    assert events["value"].to_list() == [1.5, 2]


def test_a_table_with_commas_in_its_numbers_is_read(tmp_path):
    text = b"time;value\n2026-02-01T10:00:00Z;1,5\n"
    assert read_all(write_file(tmp_path, "a.csv", text))[0]["value"].to_list() == [1.5]


def test_a_file_without_a_header_has_numbered_columns(tmp_path):
    path = write_file(tmp_path, "a.csv", b"2026-02-01T10:00:00Z,7\n2026-02-01T10:00:01Z,8\n")
    with pytest.raises(InvalidError, match="Columns found: column_1, column_2"):
        read_all(path)
    wishes = Wishes(columns={"timestamp": "column_1", "value": "column_2"})
    assert read_all(path, wishes)[0]["row"].to_list() == [1, 2]


def test_marks_quotes_and_line_breaks_in_cells_are_read(tmp_path):
    text = (
        b'\xef\xbb\xbf"time","user","text"\r\n2026-02-01T10:00:00Z,ann,"one\r\n""two"", three"\r\n'
    )
    events, rejected = read_all(write_file(tmp_path, "a.csv", text))
    assert rejected == []
    assert events["text"].to_list() == ['one\r\n"two", three']


def test_bad_rows_of_csv_are_named_and_the_others_kept(tmp_path):
    good = b"2026-02-01T10:00:00Z,ann,hi\n"
    text = b"time,user,text\n" + good + b"2026-02-01T10:00:00Z,a,b,c,d\n" + good
    text += b'2026-02-01T10:00:00Z,a"b"c,x"y\n' + b"\n" + good + b"\xff\xfe\x00,1\n"
    events, rejected = read_all(write_file(tmp_path, "a.csv", text))
    # The last one has no text, which the rules of events will say.
    assert events["row"].to_list() == [1, 3, 6, 7]
    assert [row.index for row in rejected] == [2, 4]
    assert rejected[0].reason == "the row has more cells than there are columns"
    assert rejected[1].reason == "the row cannot be read as CSV"


def test_our_ndjson_is_read_as_the_door_reads_it(tmp_path):
    text = CHAT % 1 + b"\n" + b'{"broken\n[1]\n' + CHAT % 2
    events, rejected = read_all(write_file(tmp_path, "a.ndjson", text))
    assert list(zip(events["row"], events["text"], strict=True)) == [(1, "1"), (5, "2")]
    assert [row.index for row in rejected] == [3, 4]


def test_ndjson_of_others_is_read_by_its_keys(tmp_path):
    text = b'{"ts":1770000000,"host":"h","cpu":0.5}\nnonsense\n\n{"ts":1770000001,"cpu":7}\n'
    events, rejected = read_all(write_file(tmp_path, "a.jsonl", text))
    assert events.select("row", "stream_id", "channel", "value").rows() == [
        (1, "h", "cpu", 0.5),
        (4, None, "cpu", 7),
    ]
    assert [(row.index, row.reason) for row in rejected] == [(2, "the line is no JSON object")]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_column_may_be_called_like_a_pattern(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    table = pl.DataFrame({"time": ["2026-02-01T10:00:00Z"], "*": [1.5], "^.*$": [2.5]})
    table.write_csv(path) if suffix == "csv" else table.write_parquet(path)
    events, rejected = read_all(path)
    assert rejected == []
    assert events.select("channel", "value").rows() == [("unnamed", 1.5), (".", 2.5)]


def test_lists_and_wishes_for_our_own_ndjson_are_kept(tmp_path):
    text = CHAT.replace(b"}", b',"emotes":["x","y z"]}') % 1
    events, rejected = read_all(write_file(tmp_path, "a.ndjson", text), Wishes(stream="b"))
    assert rejected == []
    assert events["emotes"].to_list() == [["x", "y z"]]
    assert events["stream_id"].to_list() == ["b"]


def test_parquet_of_others_is_read_by_its_columns(tmp_path):
    at = datetime(2026, 2, 1, 10, tzinfo=UTC)
    table = pl.DataFrame({"time": [at, at + timedelta(minutes=1)], "Close": [1.5, None]})
    table.write_parquet(tmp_path / "odd [name].parquet")
    events, _ = read_all(tmp_path / "odd [name].parquet")
    assert events.select("row", "channel", "value").rows() == [(1, "Close", 1.5)]


@pytest.mark.usefixtures("small_blocks")
def test_a_line_too_long_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "LINE_BYTES_MAX", 1000)
    text = CHAT % 1 + b'{"text":"' + b"x" * 5000 + b'"}\n' + CHAT % 2
    events, rejected = read_all(write_file(tmp_path, "a.ndjson", text))
    assert events["row"].to_list() == [1, 3]
    assert [(row.index, row.reason) for row in rejected] == [
        (2, "the line is longer than any event may be")
    ]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("name", ["a.ndjson", "a.csv", "a.ndjson.gz", "a.csv.zst", "a.parquet"])
def test_reading_begins_at_any_block(tmp_path, name):
    rng = random.Random(3)
    at = datetime(2026, 2, 1, tzinfo=UTC)
    table = pl.DataFrame(
        {
            "stream_id": ["a"] * 40,
            "type": ["chat"] * 40,
            "timestamp": [f"{at + timedelta(seconds=n):%Y-%m-%dT%H:%M:%SZ}" for n in range(40)],
            "user": [f"u{n}" for n in range(40)],
            "text": ["x" * rng.randint(1, 60) for _ in range(40)],
        }
    )
    if name.endswith(".parquet"):
        table.write_parquet(path := tmp_path / name)
    else:
        text = io.BytesIO()
        (table.write_ndjson if "ndjson" in name else table.write_csv)(text)
        path = write_file(tmp_path, name, text.getvalue())
    blocks = read_blocks(path)
    assert len(blocks) > 3
    whole = read_all(path)[0]
    assert whole["row"].to_list() == list(range(1, 41))
    assert whole["text"].to_list() == table["text"].to_list()
    for block in blocks[:-1]:
        again = read_all(path, start=block.end)[0]
        assert again.equals(whole.filter(pl.col("row") > block.end.rows))


def test_sources_are_files_globs_and_folders_in_order(tmp_path):
    for name in ("b.csv", "a.csv.gz", "c.txt", "deep.ndjson"):
        write_file(tmp_path, name, CSV if "csv" in name else CHAT % 1)
    (tmp_path / "sub").mkdir()
    write_file(tmp_path / "sub", "d.parquet", b"PAR1")
    found = find_sources([str(tmp_path)], None)
    names = [source.name.removeprefix(str(tmp_path)) for source in found]
    assert names == ["/a.csv.gz", "/b.csv", "/deep.ndjson", "/sub/d.parquet"]
    globbed = find_sources([str(tmp_path / "*.csv*"), str(tmp_path / "b.csv")], None)
    assert [source.stem for source in globbed] == ["a", "b"]
    # An ending nobody knows: the first bytes tell.
    assert find_sources([str(tmp_path / "c.txt")], None)[0].format == "ndjson"


@pytest.mark.parametrize("name", ["missing.csv", "*.csv", "."])
def test_what_stands_for_no_file_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFoundError):
        find_sources([name], None)


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"time,value\n", "no rows"),
        ("a.csv", b"time,value,value\n2026-01-01,1,2\n", "more than one column 'value'"),
        ("a.csv", "time,value\n".encode("utf-16"), "UTF-16"),
        ("a.json", b'[{"a":1}]', "one JSON list"),
        ("a.ndjson", b"nonsense\n", "no line that is a JSON object"),
        ("a.ndjson", b'{"a":1}\n', "Columns found: a"),
        ("a.parquet", b"PAR1 and nothing", "cannot be read as Parquet"),
    ],
)
def test_what_cannot_be_read_at_all_is_refused_with_words(tmp_path, name, text, what):
    path = write_file(tmp_path, name, text)
    with pytest.raises(InvalidError, match=what):
        read_blocks(path)


def test_a_packed_file_that_is_cut_off_is_refused_with_words(tmp_path):
    rows = "".join(f"2026-02-01T10:00:00Z,{number * 7919 % 10007}\n" for number in range(50_000))
    whole = write_file(tmp_path, "a.csv.gz", b"time,value\n" + rows.encode()).read_bytes()
    (tmp_path / "a.csv.gz").write_bytes(whole[: len(whole) - 100])
    with pytest.raises(InvalidError, match="cannot be read on"):
        read_blocks(tmp_path / "a.csv.gz")
