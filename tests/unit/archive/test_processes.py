"""Processes and writers: files whole or not there, and a house that is kept."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.clock import ManualClock
from core.errors import ConflictError, ServiceMissingError
from core.settings import Settings
from streaming.archive.processes import ArchiveProcess, build_process, lock_archive
from streaming.archive.writers import PART, write_whole
from streaming.bus.memory import MemoryBusReader, MemoryLog
from tests.fixtures.archives import list_parquet, write_archive
from tests.fixtures.events import chat, make_entry
from tests.fixtures.settings import make_settings

AT = datetime(2026, 1, 26, 10, 30, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = make_settings(telemetra_data_dir=tmp_path)
    settings.archive_dir.mkdir()
    return settings


def build(settings: Settings, now: datetime = AT) -> ArchiveProcess:
    clock = ManualClock(now)
    return build_process(settings, MemoryBusReader(MemoryLog(clock), "archive"), clock)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_is_cut_short_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
):
    path = tmp_path / "progress.json"
    write_whole(path, b"old")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", die) if step == "fsync" else patch.setattr(Path, step, die)
        with pytest.raises(KeyboardInterrupt):
            write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_crash_left_half_written_is_gone_when_it_starts(settings: Settings):
    hour = settings.archive_dir / "2026-01-26T10"
    hour.mkdir()
    parts = [settings.archive_dir / f"progress.json{PART}", hour / f"shard-0000-1-2.parquet{PART}"]
    for part in parts:
        part.write_bytes(b"PAR1")
    build(settings)
    assert not any(part.exists() for part in parts)


async def test_the_house_is_kept_by_retention_and_by_merging(settings: Settings):
    old = AT - timedelta(days=settings.archive_retention_days, hours=2)
    for number in range(9):
        at = AT + timedelta(milliseconds=number)
        write_archive(settings.archive_dir, [(0, make_entry(at, [chat(AT), chat(old)]))])
        (settings.archive_dir / "progress.json").unlink()
    await build(settings, AT + timedelta(hours=3)).house.keep()
    assert {path.parent.name for path in list_parquet(settings.archive_dir)} == {"2026-01-26T10"}
    assert len(list_parquet(settings.archive_dir)) == 9 + 1


async def test_a_house_that_cannot_be_kept_does_not_end_the_process(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    write_archive(settings.archive_dir, [(0, make_entry(AT, [chat(AT)]))])

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refuse)
    await build(settings, AT + timedelta(days=400)).house.keep()
    assert len(list_parquet(settings.archive_dir)) == 1


def test_one_folder_has_one_writer(settings: Settings):
    with (
        lock_archive(settings.archive_dir),
        pytest.raises(ConflictError, match="Another archive"),
        lock_archive(settings.archive_dir),
    ):
        pass
    with lock_archive(settings.archive_dir):
        pass


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(ServiceMissingError, match="cannot write"),
        lock_archive(tmp_path / "file" / "archive"),
    ):
        pass
