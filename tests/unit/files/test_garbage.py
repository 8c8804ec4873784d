"""Garbage: whatever bytes a file has, good rows are kept, bad ones named, and nothing crashes."""

import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.clock import ManualClock
from core.errors import TelemetraError
from core.layouts import Wishes
from streaming.connectors.files.bodies import BodyMaker, Cut, Window
from streaming.connectors.files.readers.base import Position
from streaming.connectors.files.runs import open_reader
from streaming.connectors.files.sources import find_sources

GOOD_CSV = b"2026-02-01T10:00:00Z,ann,hi\n"
GOOD_LINE = (
    b'{"stream_id":"a","type":"chat","timestamp":"2026-02-01T10:00:00Z","user":"u","text":"t"}\n'
)
CLOCK = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))

# Whole lines, so that no garbage takes a good row into itself; quotes may span rows in CSV.
LINES = st.lists(
    st.one_of(
        st.binary(max_size=60).map(lambda text: text.replace(b"\n", b" ").replace(b"\r", b" ")),
        st.sampled_from(
            [b"", b",,,", b"null", b"[]", b"{}", b'{"a":', b"\x00\x00", b"NaN,1e999,-0"]
        ),
    ),
    max_size=12,
)


def read_texts(name: str, content: bytes) -> tuple[int, set[int]]:
    """Return how many events a file gives, and which rows were refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        source = find_sources([str(path)], None)[0]
        maker = BodyMaker("x", CLOCK, Window(), cut=Cut())
        blocks = open_reader(source, Wishes()).read(Position())
        made = [body for block in blocks for body in maker.make(block)]
    rejected = {row.index for body in made for row in body.rejected}
    return sum(body.events for body in made), rejected


@given(LINES)
def test_garbage_between_lines_of_ndjson_takes_no_good_one_with_it(garbage):
    lines = [line for bad in garbage for line in (bad + b"\n", GOOD_LINE)]
    events, rejected = read_texts("a.ndjson", GOOD_LINE + b"".join(lines))
    assert events == len(garbage) + 1
    assert all(row % 2 == 0 for row in rejected)
    assert len(rejected) == sum(bool(bad.strip()) for bad in garbage)


@given(LINES)
def test_garbage_between_rows_of_csv_takes_no_good_one_with_it(garbage):
    rows = [row for bad in garbage for row in (bad.replace(b'"', b"'") + b"\n", GOOD_CSV)]
    events, rejected = read_texts("a.csv", b"time,user,text\n" + GOOD_CSV + b"".join(rows))
    assert events == len(garbage) + 1
    assert all(row % 2 == 0 for row in rejected)


@given(
    st.sampled_from(["a.csv", "a.ndjson", "a.parquet", "a.csv.gz", "a.ndjson.zst", "a.txt"]),
    st.binary(max_size=300),
)
def test_any_bytes_are_read_or_refused_with_words(name, content):
    with suppress(TelemetraError):
        read_texts(name, content)
