"""Archives: names of files, which of them overlap, and what a bus entry becomes."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.archives import (
    ARCHIVE_SCHEMA,
    ArchiveFile,
    cut_hours,
    parse_hour,
    parse_path,
    read_rows,
    split_by_hour,
    split_covered,
    split_overlapping,
)
from core.batches import Batch, Entry, encode_events, make_offset
from streaming.flow.shards import FlowPolicy, Shard
from tests.fixtures.events import Event, chat, make_entry, make_events, reading

AT = datetime(2026, 1, 26, 10, 59, 30, tzinfo=UTC)
HOUR = datetime(2026, 1, 26, 10, tzinfo=UTC)


def make_file(first: int, last: int, shard: int = 0, hour: datetime = HOUR) -> ArchiveFile:
    return ArchiveFile(hour, shard, first, last)


def test_a_path_says_what_it_was_made_of():
    file = ArchiveFile(HOUR, 3, 17, 90_000)
    path = Path("archive") / file.folder / file.name
    assert str(path) == "archive/2026-01-26T10/shard-0003-17-90000.parquet"
    assert parse_path(path) == file


@pytest.mark.parametrize(
    "path",
    [
        "2026-01-26T10/shard-0003-17-90.parquet.part",
        "2026-01-26T10/notes.parquet",
        "2026-01-26/shard-0003-17-90.parquet",
        "2026-13-26T10/shard-0003-17-90.parquet",
        "2026-01-26T10/shard-x-17-90.parquet",
    ],
)
def test_other_files_are_not_taken_for_ours(path: str):
    assert parse_path(Path(path)) is None


@pytest.mark.parametrize("name", ["2026-1-26T10", "2026-01-26T24", "2026-01-26T1", "progress"])
def test_a_folder_that_is_no_hour_is_none(name: str):
    assert parse_hour(name) is None


def test_files_of_one_round_after_the_other_do_not_overlap():
    files = [make_file(1, 5), make_file(6, 9), make_file(1, 5, shard=1)]
    assert split_overlapping(files) == (sorted(files), [])


def test_a_round_that_was_written_twice_overlaps_and_others_do_not():
    twice = [make_file(1, 5), make_file(1, 9), make_file(8, 12)]
    once = [make_file(13, 20), make_file(4, 4, hour=HOUR + timedelta(hours=1))]
    assert split_overlapping([*once, *twice]) == (sorted(once), sorted(twice))


ranges = st.tuples(st.integers(0, 30), st.integers(0, 8)).map(lambda r: (r[0], r[0] + r[1]))


@given(st.sets(ranges, max_size=12))
def test_no_file_beside_the_overlapping_ones_shares_an_offset_with_any_other(spans):
    files = [make_file(first, last) for first, last in spans]
    single, overlapping = split_overlapping(files)
    assert sorted([*single, *overlapping]) == sorted(files)
    for file in files:
        shares = any(
            other != file and file.first <= other.last and other.first <= file.last
            for other in files
        )
        assert (file in overlapping) == shares


def test_an_entry_becomes_rows_with_their_place_and_arrival():
    entry = make_entry(AT + timedelta(seconds=2), [chat(AT), reading(AT, 2.5)])
    rows, dead = read_rows(7, [entry])
    assert dead == ()
    assert rows.schema == ARCHIVE_SCHEMA
    assert rows.select("shard", "offset", "row").rows() == [
        (7, entry.offset, 0),
        (7, entry.offset, 1),
    ]
    assert rows["arrived_at"].to_list() == [AT + timedelta(seconds=2)] * 2
    assert rows["value"].to_list() == [None, 2.5]


def without(*columns: str) -> bytes:
    return encode_events(make_events([chat(AT)]).drop(columns))


def with_columns(*events: Event, **columns: pl.Expr) -> bytes:
    return encode_events(make_events(events or [chat(AT)]).with_columns(**columns))


ODD = {
    "nothing": b"",
    "no arrow": b"no arrow at all",
    "half": encode_events(make_events([chat(AT)]))[:60],
    "no stream": without("stream_id"),
    "no time": without("timestamp"),
    "no rows": encode_events(make_events([])),
    "another type": with_columns(timestamp=pl.lit("noon")),
    "another unit of time": with_columns(timestamp=pl.col("timestamp").dt.cast_time_unit("ms")),
    "a column too many": with_columns(mood=pl.lit("good")),
    "an event without a stream": encode_events(make_events([chat(AT), chat(AT, stream_id=None)])),
    "an unknown type": encode_events(make_events([chat(AT), chat(AT, type="shout")])),
    "a chat without a text": encode_events(make_events([chat(AT), {**chat(AT), "text": None}])),
    "an endless value": encode_events(make_events([chat(AT), reading(AT, float("inf"))])),
    "a stream that is no name": encode_events(make_events([chat(AT, stream_id="a b")])),
}


@pytest.mark.parametrize("payload", ODD.values(), ids=ODD.keys())
def test_what_the_flow_buries_is_left_out_with_its_reason_and_nothing_else_is(payload: bytes):
    good = [make_entry(AT, [chat(AT, "ada")], 1), make_entry(AT, [reading(AT)] * 2, 3)]
    odd = Entry(make_offset(good[0].arrived_ms, 2), good[0].arrived_ms, payload)
    entries = [good[0], odd, good[1]]
    rows, dead = read_rows(5, entries)
    assert rows.select("offset", "row").rows() == [
        (good[0].offset, 0),
        (good[1].offset, 0),
        (good[1].offset, 1),
    ]
    changes = Shard(5, FlowPolicy()).apply(Batch(5, tuple(entries)))
    assert [letter for part in changes for letter in part.dead] == list(dead)
    assert [(letter.offset, letter.payload) for letter in dead] == [(odd.offset, payload)]
    assert dead[0].reason
    assert sum(part.events for part in changes) == rows.height


def test_entries_that_all_hold_nothing_make_no_rows():
    rows, dead = read_rows(0, [Entry(1, 1, b"")])
    assert (rows.schema, rows.height, len(dead)) == (ARCHIVE_SCHEMA, 0, 1)


def test_rows_go_to_the_hour_of_their_event():
    late = AT + timedelta(minutes=1)
    parts = split_by_hour(read_rows(0, [make_entry(late, [chat(late, "b"), chat(AT, "a")])])[0])
    assert {hour: part["user"].to_list() for hour, part in parts.items()} == {
        HOUR: ["a"],
        HOUR + timedelta(hours=1): ["b"],
    }


@pytest.mark.parametrize(
    ("start", "end", "cuts"),
    [("10:15", "10:45", []), ("10:00", "12:00", ["11:00"]), ("10:59", "12:01", ["11:00", "12:00"])],
)
def test_a_span_is_cut_at_full_hours(start: str, end: str, cuts: list[str]):
    at = [datetime.fromisoformat(f"2026-01-26T{text}:00+00:00") for text in (start, *cuts, end)]
    assert cut_hours(at[0], at[-1]) == list(pairwise(at))


@given(st.sets(ranges, max_size=12))
def test_a_file_is_covered_when_another_has_its_whole_range(spans):
    files = [make_file(first, last) for first, last in spans]
    needed, covered = split_covered([*files, make_file(0, 1, shard=1)])
    assert sorted([*needed, *covered]) == sorted([*files, make_file(0, 1, shard=1)])
    for file in files:
        is_covered = any(
            other != file and other.first <= file.first and file.last <= other.last
            for other in files
        )
        assert (file in covered) == is_covered
