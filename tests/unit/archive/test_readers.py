"""Readers: spans by event time, each event once, and damaged files named and left out."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest

from core.archives import ARCHIVE_SCHEMA, read_rows
from streaming.archive.readers import UnreadableFile, scan_archive
from streaming.archive.writers import drop_old_hours, remove_parts, write_rows
from tests.fixtures.archives import EVER, list_parquet, list_rows, write_archive
from tests.fixtures.events import chat, make_entry, reading

AT = datetime(2026, 1, 26, 10, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def archive(folder: Path) -> Path:
    """Write three hours of two shards."""
    entries = [
        (shard, make_entry(AT + number * HOUR, [chat(AT + number * HOUR), reading(AT)], shard))
        for number in range(3)
        for shard in range(2)
    ]
    write_archive(folder, entries, shards=2)
    return folder


def test_a_span_holds_its_start_and_not_its_end(tmp_path: Path):
    folder = archive(tmp_path)
    times = scan_archive(folder, AT, AT + HOUR).collect()["timestamp"]
    assert set(times) == {AT}
    later = scan_archive(folder, AT, AT + HOUR + timedelta(microseconds=1)).collect()
    assert set(later["timestamp"]) == {AT, AT + HOUR}


def test_a_span_may_be_given_in_another_zone(tmp_path: Path):
    zone = timezone(timedelta(hours=5, minutes=30))
    start = AT.astimezone(zone)
    times = scan_archive(archive(tmp_path), start, start + HOUR).collect()["timestamp"]
    assert set(times) == {AT}


def test_one_shard_can_be_read_alone(tmp_path: Path):
    rows = scan_archive(archive(tmp_path), *EVER, shard=1).collect()
    assert set(rows["shard"]) == {1}
    assert rows.height == 6


def test_an_archive_without_events_has_its_columns(tmp_path: Path):
    rows = scan_archive(tmp_path / "nowhere", *EVER).collect()
    assert (rows.height, rows.schema) == (0, ARCHIVE_SCHEMA)


def test_rows_written_twice_are_read_once(tmp_path: Path):
    entries = [make_entry(AT, [chat(AT), chat(AT)], number) for number in range(3)]
    rows = read_rows(0, entries)[0]
    hour = AT.replace(minute=0)
    write_rows(tmp_path, hour, rows.head(4))
    write_rows(tmp_path, hour, rows)
    assert len(list_parquet(tmp_path)) == 2
    assert len(list_rows(tmp_path)) == 6


def test_a_file_without_a_column_that_came_later_is_read_with_nulls(tmp_path: Path):
    path = list_parquet(archive(tmp_path))[0]
    pl.read_parquet(path).drop("viewers", "emotes").write_parquet(path)
    rows = scan_archive(tmp_path, *EVER).collect()
    assert (rows.height, rows.schema) == (12, ARCHIVE_SCHEMA)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def lose_column(path: Path) -> None:
    pl.read_parquet(path).drop("offset").write_parquet(path)


def change_type(path: Path) -> None:
    pl.read_parquet(path).with_columns(value=pl.lit("much")).write_parquet(path)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (cut, "damaged or not whole"),
        (empty, "damaged or not whole"),
        (lose_column, "no column offset"),
        (change_type, "another type in value"),
    ],
)
def test_a_damaged_file_is_named_and_the_others_are_read(tmp_path: Path, damage, reason: str):
    path = list_parquet(archive(tmp_path))[0]
    lost = pl.read_parquet(path).height
    damage(path)
    named: list[UnreadableFile] = []
    rows = scan_archive(tmp_path, *EVER, on_unreadable=named.append).collect()
    assert rows.height == 12 - lost
    assert [(found.path, reason in found.reason) for found in named] == [(path, True)]


def test_half_written_files_are_no_part_of_the_archive_and_are_removed(tmp_path: Path):
    path = list_parquet(archive(tmp_path))[0]
    (path.parent / (path.name + ".part")).write_bytes(b"PAR1")
    assert len(list_rows(tmp_path)) == 12
    remove_parts(tmp_path)
    assert list(tmp_path.glob("*/*.part")) == []


def test_hours_that_are_too_old_are_removed_whole_and_foreign_files_stay(tmp_path: Path):
    archive(tmp_path)
    (tmp_path / "2026-01-26T11" / "notes.txt").write_text("mine")
    (tmp_path / "old papers").mkdir()
    assert drop_old_hours(tmp_path, AT + 2 * HOUR) == 1
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [
        "2026-01-26T11",
        "2026-01-26T12",
        "old papers",
    ]
    assert set(scan_archive(tmp_path, *EVER).collect()["timestamp"]) == {AT + 2 * HOUR}
