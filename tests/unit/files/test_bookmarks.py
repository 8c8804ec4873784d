"""Bookmarks: where a file goes on, and when it is no longer the file that was sent."""

import os
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from core.errors import ConflictError
from core.events import RejectedRow
from streaming.connectors.files.bookmarks import BookmarkStore
from streaming.connectors.files.rejects import RejectsFile
from streaming.connectors.files.sources import Source, find_sources


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(b"time,value\n2026-02-01,1\n")
    return path


@pytest.fixture
def store(tmp_path: Path) -> BookmarkStore:
    return BookmarkStore(tmp_path / "bookmarks", "home")


def look(path: Path) -> Source:
    return find_sources([str(path)], None)[0]


def leave(store: BookmarkStore, path: Path, *, is_finished: bool = False) -> str:
    source = look(path)
    with store.hold(source):
        bookmark = store.open(source, restart=False)
        bookmark = replace(bookmark, offset=11, done=1, accepted=1, is_finished=is_finished)
        store.save(source, bookmark, is_due=True)
    return bookmark.name


def test_a_file_goes_on_where_it_was_left(store, path):
    name = leave(store, path)
    again = store.open(look(path), restart=False)
    assert (again.offset, again.done, again.accepted, again.name) == (11, 1, 1, name)


def test_a_file_begins_at_its_beginning_when_that_is_wished(store, path):
    name = leave(store, path, is_finished=True)
    again = store.open(look(path), restart=True)
    assert (again.offset, again.done, again.is_finished) == (0, 0, False)
    # The same events under other keys: what was refused may be taken now.
    assert (again.generation, again.name) == (1, name)


def test_other_options_and_other_apis_have_bookmarks_of_their_own(store, path, tmp_path):
    name = leave(store, path)
    other = BookmarkStore(tmp_path / "bookmarks", "elsewhere").open(look(path), restart=False)
    assert other.done == 0
    assert other.name != name


def test_a_file_that_grew_goes_on(store, path):
    name = leave(store, path, is_finished=True)
    with path.open("ab") as file:
        file.write(b"2026-02-02,2\n")
    again = store.open(look(path), restart=False)
    assert (again.is_finished, again.offset, again.name) == (False, 11, name)


def shorten(path: Path) -> None:
    path.write_bytes(b"time,value\n2026-02\n")


def change(path: Path) -> None:
    path.write_bytes(b"time,value\n2026-02-01,7\n2026-02-01,8\n")


def touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize(
    ("spoil", "how"), [(shorten, "shorter"), (change, "differently"), (touch, "anew")]
)
def test_a_file_that_changed_is_refused_with_words(store, path, spoil, how):
    leave(store, path)
    spoil(path)
    with pytest.raises(ConflictError, match=f"{how}.*--restart"):
        store.open(look(path), restart=False)
    assert store.open(look(path), restart=True).done == 0


def test_a_parquet_file_does_not_grow(store, tmp_path):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"time": ["2026-02-01"], "value": [1]}).write_parquet(path)
    leave(store, path)
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(ConflictError, match="does not grow"):
        store.open(look(path), restart=False)


def test_a_damaged_bookmark_is_refused_with_words(store, path, tmp_path):
    leave(store, path)
    (file,) = (tmp_path / "bookmarks").glob("*.json")
    file.write_bytes(b'{"half')
    with pytest.raises(ConflictError, match="--restart"):
        store.open(look(path), restart=False)
    assert store.open(look(path), restart=True).done == 0


def test_two_commands_never_send_the_same_file(store, path):
    refused = pytest.raises(ConflictError, match="another command")
    with store.hold(look(path)), refused, store.hold(look(path)):
        pass


def test_rejected_rows_beyond_the_bookmark_are_written_once(tmp_path):
    rejects = RejectsFile(tmp_path / "rejects.ndjson")
    size = rejects.write("a.csv", [RejectedRow(3, "no")])
    rejects.write("a.csv", [RejectedRow(4, "never")])
    again = RejectsFile(rejects.path)
    again.cut(size)
    again.write("a.csv", [RejectedRow(4, "never")])
    assert rejects.path.read_text().splitlines() == [
        '{"file":"a.csv","row":3,"reason":"no"}',
        '{"file":"a.csv","row":4,"reason":"never"}',
    ]


def test_rejected_rows_do_not_fill_a_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("streaming.connectors.files.rejects.ROWS_MAX", 3)
    rejects = RejectsFile(tmp_path / "rejects.ndjson")
    for first in (0, 2, 4):
        rejects.write("a", [RejectedRow(first, "no"), RejectedRow(first + 1, "no")])
    assert len(rejects.path.read_text().splitlines()) == 3
