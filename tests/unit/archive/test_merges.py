"""Merges: fewer files, the same rows, whatever happens in between."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from core.archives import read_rows
from streaming.archive import merges
from streaming.archive.merges import PARTS_MIN, merge_hours
from streaming.archive.writers import write_rows
from tests.fixtures.archives import list_parquet, list_rows
from tests.fixtures.events import chat, make_entry

AT = datetime(2026, 1, 26, 10, 30, tzinfo=UTC)
HOUR = AT.replace(minute=0)
LATER = HOUR + timedelta(hours=2)


def write_parts(folder: Path, count: int = PARTS_MIN, shard: int = 0, start: int = 0) -> None:
    for number in range(start, start + count):
        at = AT + timedelta(milliseconds=number)
        write_rows(folder, HOUR, read_rows(shard, [make_entry(at, [chat(AT)] * 3)])[0])


def age(folder: Path, by: timedelta) -> None:
    """Make every file look as old as that at ``LATER``."""
    at = (LATER - by).timestamp()
    for path in list_parquet(folder):
        os.utime(path, (at, at))


def test_many_parts_become_one_file_and_go_an_hour_later(tmp_path: Path):
    write_parts(tmp_path)
    write_parts(tmp_path, count=2, shard=1)
    rows = list_rows(tmp_path)
    assert merge_hours(tmp_path, LATER) == PARTS_MIN
    assert list_rows(tmp_path) == rows
    age(tmp_path, timedelta(minutes=59))
    assert merge_hours(tmp_path, LATER) == 0
    assert len(list_parquet(tmp_path)) == PARTS_MIN + 1 + 2
    age(tmp_path, timedelta(minutes=60))
    merge_hours(tmp_path, LATER)
    assert len(list_parquet(tmp_path)) == 1 + 2
    assert list_rows(tmp_path) == rows


def test_what_comes_later_is_merged_with_what_was(tmp_path: Path):
    write_parts(tmp_path)
    merge_hours(tmp_path, LATER)
    write_parts(tmp_path, start=50)
    rows = list_rows(tmp_path)
    age(tmp_path, timedelta(hours=2))
    for _ in range(2):
        merge_hours(tmp_path, LATER)
        age(tmp_path, timedelta(hours=2))
    assert len(list_parquet(tmp_path)) == 1
    assert list_rows(tmp_path) == rows


@pytest.mark.parametrize("now", [HOUR, LATER - timedelta(seconds=1)])
def test_an_hour_that_is_not_over_for_an_hour_is_left_alone(tmp_path: Path, now: datetime):
    write_parts(tmp_path)
    assert merge_hours(tmp_path, now) == 0
    assert len(list_parquet(tmp_path)) == PARTS_MIN


def test_a_few_files_are_left_alone(tmp_path: Path):
    write_parts(tmp_path, count=PARTS_MIN - 1)
    assert merge_hours(tmp_path, LATER) == 0


def test_around_a_damaged_file_nothing_is_merged(tmp_path: Path):
    write_parts(tmp_path)
    path = list_parquet(tmp_path)[3]
    path.write_bytes(path.read_bytes()[:-9])
    assert merge_hours(tmp_path, LATER) == 0
    assert len(list_parquet(tmp_path)) == PARTS_MIN


def test_a_whole_that_is_damaged_does_not_replace_its_parts(tmp_path: Path):
    write_parts(tmp_path)
    before = set(list_parquet(tmp_path))
    merge_hours(tmp_path, LATER)
    (whole,) = set(list_parquet(tmp_path)) - before
    whole.write_bytes(b"PAR1")
    age(tmp_path, timedelta(hours=2))
    merge_hours(tmp_path, LATER)
    assert before <= set(list_parquet(tmp_path))


def test_no_merged_file_is_larger_than_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_parts(tmp_path)
    size = max(path.stat().st_size for path in list_parquet(tmp_path))
    monkeypatch.setattr(merges, "MERGED_BYTES_MAX", 3 * size)
    rows = list_rows(tmp_path)
    merge_hours(tmp_path, LATER)
    age(tmp_path, timedelta(hours=2))
    monkeypatch.setattr(merges, "PARTS_MIN", 100)
    merge_hours(tmp_path, LATER)
    heights = [pl.read_parquet(path).height for path in list_parquet(tmp_path)]
    assert sum(heights) == len(rows)
    assert max(heights) == 9
    assert list_rows(tmp_path) == rows
