"""Bookmarks: how far a file has been sent, on disk, so that the same command goes on there.

    file + options + API -> one bookmark -> begun, continued, grown, finished, or refused as changed

Kept under a lock: two commands never send the same file at once. Writing is atomic, and may lag
behind by a moment: what is then sent again has the same keys and ids, and counts once.
"""

import fcntl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import orjson

from core.errors import ConflictError
from streaming.connectors.files.readers.base import Position
from streaming.connectors.files.sources import Source

HEAD_BYTES: Final = 65_536
"""So much of the beginning tells a file from another of the same name."""

SAVE_EVERY_S: Final = 0.2
"""What is written more often costs more than sending a little again after a crash."""

RESTART: Final = "--restart sends it from the beginning."


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far one file is sent to one API under one set of options."""

    path: str
    size: int
    modified_ns: int
    head_bytes: int
    head: str
    """The digest of the first bytes of the file as it lies there."""

    name: str
    """Stands in the ids of events that come without one."""

    generation: int = 0
    """How often it was begun anew."""

    shift_us: int | None = None
    offset: int = 0
    rows: int = 0
    done: int = 0
    """The last row that is decided, in the block that begins at the offset or before it."""

    events_max: int = 0
    tick_us: int | None = None
    """How the block was cut that was not finished: a body under way is to be the same again."""

    accepted: int = 0
    rejected: int = 0
    rejects_bytes: int = 0
    """The size of the file of its rejected rows."""

    is_finished: bool = False

    @property
    def position(self) -> Position:
        """Where to read on."""
        return Position(self.offset, self.rows)


class BookmarkStore:
    """The bookmarks of a data folder."""

    def __init__(self, folder: Path, label: str) -> None:
        """Keep bookmarks in a folder.

        Args:
            folder: Made when it is needed.
            label: What else a bookmark belongs to: the API and how rows are read.
        """
        self._folder = folder
        self._label = label
        self._saved_at_s = 0.0

    @contextmanager
    def hold(self, source: Source) -> Iterator[None]:
        """Let no other command send this file meanwhile.

        Raises:
            ConflictError: One does.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._find(source).with_suffix(".lock").open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConflictError(f"{source.name} is being sent by another command.") from None
            yield

    def find(self, source: Source) -> Bookmark | None:
        """Return the bookmark of a file as it was left, or None.

        Raises:
            ConflictError: It cannot be read.
        """
        try:
            text = self._find(source).read_bytes()
        except FileNotFoundError:
            return None
        try:
            known: dict[str, Any] = orjson.loads(text)
            return Bookmark(**known)
        except (orjson.JSONDecodeError, TypeError):
            raise ConflictError(f"What is known of {source.name} is damaged. {RESTART}") from None

    def open(self, source: Source, *, restart: bool) -> Bookmark:
        """Return the bookmark to go on from, brought up to what the file is now.

        Raises:
            ConflictError: The file is no longer what was sent.
        """
        known = self._find_known(source, restart=restart)
        if known is None or restart:
            return self._begin(source, generation=0 if known is None else known.generation + 1)
        size, modified_ns = _measure(source)
        if size < known.size:
            raise _changed(source, "it has become shorter")
        if _digest(source, known.head_bytes) != known.head:
            raise _changed(source, "it begins differently")
        if size == known.size and modified_ns != known.modified_ns:
            raise _changed(source, "it was written anew")
        if size > known.size and source.format == "parquet":
            raise _changed(source, "a Parquet file does not grow")
        is_finished = known.is_finished and size == known.size
        return replace(known, size=size, modified_ns=modified_ns, is_finished=is_finished)

    def save(self, source: Source, bookmark: Bookmark, *, is_due: bool = False) -> None:
        """Write a bookmark, unless it was written just now and this is not due."""
        now_s = time.monotonic()
        if source.path is None or (not is_due and now_s - self._saved_at_s < SAVE_EVERY_S):
            return
        file = self._find(source)
        half_written = file.with_suffix(".new")
        half_written.write_bytes(orjson.dumps(_describe(bookmark), option=orjson.OPT_INDENT_2))
        half_written.replace(file)
        self._saved_at_s = now_s

    def _find_known(self, source: Source, *, restart: bool) -> Bookmark | None:
        try:
            return self.find(source)
        except ConflictError:
            if restart:
                return None
            raise

    def _begin(self, source: Source, *, generation: int) -> Bookmark:
        size, modified_ns = _measure(source)
        head_bytes = min(HEAD_BYTES, size)
        head = _digest(source, head_bytes)
        name = blake2b(f"{source.name}|{head}|{self._label}".encode(), digest_size=8).hexdigest()
        return Bookmark(
            source.name, size, modified_ns, head_bytes, head, name, generation=generation
        )

    def _find(self, source: Source) -> Path:
        digest = blake2b(f"{source.name}|{self._label}".encode(), digest_size=12).hexdigest()
        return self._folder / f"{digest}.json"


def _measure(source: Source) -> tuple[int, int]:
    assert source.path is not None  # noqa: S101 (stdin has no bookmark)
    status = source.path.stat()
    return status.st_size, status.st_mtime_ns


def _digest(source: Source, count: int) -> str:
    assert source.path is not None  # noqa: S101 (as above)
    with source.path.open("rb") as file:
        return blake2b(file.read(count), digest_size=16).hexdigest()


def _describe(bookmark: Bookmark) -> Mapping[str, object]:
    return {name: getattr(bookmark, name) for name in Bookmark.__slots__}


def _changed(source: Source, how: str) -> ConflictError:
    return ConflictError(f"{source.name} has changed since it was sent: {how}. {RESTART}")
