"""Archivers: whatever stops a round at any place, every entry is archived and counts once."""

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from core.batches import Entry, encode_events
from core.clock import ManualClock
from core.errors import BusAwayError
from streaming.archive import archivers
from streaming.archive.archivers import Archiver
from streaming.archive.writers import PROGRESS, read_progress
from streaming.bus.memory import MemoryBusReader, MemoryBusWriter, MemoryLog
from tests.fixtures.archives import list_parquet, list_rows
from tests.fixtures.events import chat, make_events

AT = datetime(2026, 1, 26, 10, 30, tzinfo=UTC)
SHARDS = 3


class Place:
    """A bus and an archive of it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = MemoryLog(ManualClock(AT))
        self.writer = MemoryBusWriter(self.log, max_entries=1000)
        self.archiver = self.open()

    def open(self, reader: MemoryBusReader | None = None) -> Archiver:
        """Begin anew, as after a restart."""
        reader = reader or MemoryBusReader(self.log, "archive", consumers=["archive"])
        self.archiver = Archiver(reader, self.folder, shards=SHARDS)
        return self.archiver

    async def send(self, shard: int, *users: str, at: datetime = AT) -> None:
        """Put an entry on the bus."""
        events = [chat(at + timedelta(seconds=n), user) for n, user in enumerate(users)]
        await self.writer.append({shard: encode_events(make_events(events))})

    def waiting(self) -> int:
        """Count the entries that the bus still keeps."""
        return sum(len(entries) for entries in self.log.shards.values())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "archive")


async def test_a_round_writes_every_shard_and_lets_go_of_what_lies_on_disk(place: Place):
    await place.send(0, "ada", "bob")
    await place.send(2, "cyd")
    done = place.archiver.run_round()
    assert (done.events, done.is_behind) == (3, False)
    assert [row[0::2] for row in list_rows(place.folder)] == [(0, 0), (0, 1), (2, 0)]
    assert place.waiting() == 0
    assert place.archiver.run_round().events == 0
    assert len(list_parquet(place.folder)) == 2


async def test_events_lie_in_the_folder_of_their_own_hour(place: Place):
    await place.send(0, "ada", at=AT)
    await place.send(0, "bob", at=AT - timedelta(days=40))
    place.archiver.run_round()
    names = [path.parent.name for path in list_parquet(place.folder)]
    assert names == ["2025-12-17T10", "2026-01-26T10"]


async def test_after_a_restart_it_goes_on_behind_its_progress(place: Place):
    await place.send(0, "ada")
    place.archiver.run_round()
    await place.send(0, "bob")
    assert place.open().run_round().events == 1
    assert len(list_rows(place.folder)) == 2


async def test_killed_between_files_and_progress_it_writes_rows_twice_and_they_count_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    await place.send(0, "ada", "bob")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(archivers, "write_progress", die)
        with pytest.raises(KeyboardInterrupt):
            place.archiver.run_round()
    assert place.waiting() == 1
    await place.send(0, "cyd")
    place.open().run_round()
    assert len(list_parquet(place.folder)) == 2
    assert [row[2] for row in list_rows(place.folder)] == [0, 1, 0]
    assert place.waiting() == 0


async def test_killed_between_progress_and_release_the_next_life_releases(place: Place):
    await place.send(0, "ada")

    class Dying(MemoryBusReader):
        def release(self, shard: int, *, through: int) -> None:
            raise BusAwayError(f"gone before {shard} was released through {through}")

    with pytest.raises(BusAwayError):
        place.open(Dying(place.log, "archive", consumers=["archive"])).run_round()
    assert place.waiting() == 1
    assert place.open().run_round().events == 0
    assert place.waiting() == 0


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"through": {"x": 1}, "since": {}}'])
async def test_a_lost_progress_costs_rows_written_twice_and_none_lost(place: Place, broken: bytes):
    await place.send(0, "ada")
    log = [list(entries) for entries in place.log.shards.values()]
    place.archiver.run_round()
    place.log.shards[0].extend(log[0])
    (place.folder / PROGRESS).write_bytes(broken)
    place.open().run_round()
    assert len(list_rows(place.folder)) == 1


async def test_what_cannot_be_written_stays_on_the_bus(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    await place.send(0, "ada")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(OSError, match="No space left"):
            place.archiver.run_round()
    assert place.waiting() == 1
    assert read_progress(place.folder).through == {}
    assert place.archiver.run_round().events == 1


async def test_an_entry_that_nobody_can_read_is_counted_and_does_not_stop_the_others(place: Place):
    name = "telemetra_archive_entries_skipped_total"
    before = REGISTRY.get_sample_value(name) or 0
    await place.writer.append({1: b"no arrow at all"})
    await place.send(1, "ada")
    assert place.archiver.run_round().events == 1
    assert place.waiting() == 0
    assert REGISTRY.get_sample_value(name) == before + 1


async def test_a_backlog_is_archived_in_rounds_and_no_shard_waits_for_ever(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(archivers, "ROUND_BYTES_MAX", 1)
    monkeypatch.setattr(archivers, "SHARD_BYTES_MAX", 1)
    monkeypatch.setattr(archivers, "ENTRIES_A_READ_FIRST", 1)
    monkeypatch.setattr(archivers, "READ_BYTES", 1)
    for _ in range(3):
        for shard in range(SHARDS):
            await place.send(shard, "ada")
    shards = []
    while (done := place.archiver.run_round()).is_behind:
        shards.append(done.events)
    assert shards[:3] == [1, 1, 1]
    assert {row[0] for row in list_rows(place.folder)} == {0, 1, 2}
    assert len(list_rows(place.folder)) == 9
    assert place.waiting() == 0


class Deaths:
    """Raises at the n-th step of a round, wherever that is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[Any, str]]) -> None:
        self.left = 0
        for owner, name in steps:
            monkeypatch.setattr(owner, name, self._wrap(getattr(owner, name)))

    def _wrap(self, work: Any) -> Any:
        def step(*given: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            return work(*given, **named)

        return step


@given(deaths=st.lists(st.integers(1, 12), min_size=1, max_size=6))
def test_killed_at_any_step_again_and_again_every_row_is_there_once(
    tmp_path_factory: pytest.TempPathFactory, deaths: list[int]
):
    place = Place(tmp_path_factory.mktemp("archive"))
    with pytest.MonkeyPatch.context() as patch:
        steps = [(os, "fsync"), (archivers, "write_rows"), (archivers, "write_progress")]
        killer = Deaths(patch, [*steps, (MemoryBusReader, "release")])
        sent = 0
        for step in deaths:
            for shard in range(SHARDS):
                payload = encode_events(make_events([chat(AT, f"u{n}") for n in range(3)]))
                place.log.shards[shard].append(Entry(place.log.next_offset(shard), 0, payload))
                sent += 3
            killer.left = step
            with suppress(KeyboardInterrupt):
                place.open().run_round()
        killer.left = 0
        place.open().run_round()
    rows = list_rows(place.folder)
    assert len(rows) == len(set(rows)) == sent
    assert place.waiting() == 0
