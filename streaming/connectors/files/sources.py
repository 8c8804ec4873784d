"""Sources: what the command line names, as files to read, each with its format and compression.

    a file, a glob, a folder, - for stdin -> Source -> a stream of plain bytes

A format is known by the end of the name, and else by how the bytes begin.
"""

import glob
import gzip
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal, TypeAlias, cast

from backports import zstd

from core.errors import InvalidError, NotFoundError
from streaming.connectors.files.lines import Readable

Format: TypeAlias = Literal["ndjson", "csv", "parquet"]

STDIN: Final = "-"
SUFFIXES: Final[dict[str, Format]] = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
PACKED: Final = frozenset({".gz", ".zst"})

HEAD_BYTES: Final = 262_144
"""So much of the beginning is looked at to know the format and the columns."""

_PARQUET: Final = b"PAR1"


@dataclass(frozen=True, slots=True)
class Source:
    """One file, or stdin."""

    path: Path | None
    format: Format
    head: bytes
    """How its plain bytes begin; of stdin these are read already."""

    @property
    def name(self) -> str:
        """What it is called before people."""
        return STDIN if self.path is None else str(self.path)

    @property
    def stem(self) -> str:
        """Its name without folder and endings."""
        return "stdin" if self.path is None else self.path.name.partition(".")[0] or self.path.name

    @property
    def size(self) -> int | None:
        """Its bytes, packed as they are; unknown of stdin."""
        return None if self.path is None else self.path.stat().st_size

    @contextmanager
    def open(self, offset: int = 0) -> Iterator["Stream"]:
        """Lend a stream of plain bytes that stands at an offset."""
        if self.path is None:
            yield Stream(_Arriving(self.head, sys.stdin.buffer), None, self.name)
            return
        with self.path.open("rb") as file:
            plain = _unpack(self.path, file)
            plain.seek(offset)
            yield Stream(plain, file, self.name)


class Stream:
    """Plain bytes of a source, and how much of the source they took."""

    def __init__(self, plain: Readable, file: IO[bytes] | None, name: str) -> None:
        self._plain = plain
        self._file = file
        self._name = name
        self._plain_bytes = 0

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes; nothing at the end.

        Raises:
            InvalidError: What is packed is damaged or cut off.
        """
        try:
            text = self._plain.read(size)
        except (EOFError, OSError, zstd.ZstdError) as error:
            raise InvalidError(f"{self._name} cannot be read on: {error}") from None
        self._plain_bytes += len(text)
        return text

    @property
    def read_bytes(self) -> int:
        """How far the file itself is read."""
        return self._plain_bytes if self._file is None else self._file.tell()


class _Arriving:
    """Bytes as they arrive, without waiting for more than there is."""

    def __init__(self, head: bytes, pipe: IO[bytes]) -> None:
        self._head = head
        self._pipe = cast("io.BufferedReader", pipe)

    def read(self, size: int, /) -> bytes:
        """Return what there is, or wait for the first of it."""
        if self._head:
            taken, self._head = self._head[:size], self._head[size:]
            return taken
        return self._pipe.read1(size)


def find_sources(names: Sequence[str], wanted: Format | None) -> list[Source]:
    """Return the sources that names stand for, in that order; folders and globs by name.

    Raises:
        NotFoundError: A name stands for nothing.
        InvalidError: A format cannot be told.
    """
    if STDIN in names and len(names) > 1:
        raise InvalidError("- (stdin) stands alone: its end is not known.")
    paths = [path for name in names if name != STDIN for path in _find_paths(name)]
    found = [_look_at(path, wanted) for path in dict.fromkeys(paths)]
    return [_look_at_stdin(wanted)] if STDIN in names else found


def _find_paths(name: str) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        paths = sorted(each for each in path.rglob("*") if each.is_file() and _find_suffix(each))
    elif path.exists():
        paths = [path]
    else:
        paths = [Path(each) for each in sorted(glob.glob(name, recursive=True))]  # noqa: PTH207
        paths = [each for each in paths if each.is_file()]
    if not paths:
        kinds = ", ".join(SUFFIXES)
        raise NotFoundError(
            f"{name} holds no file that ends in {kinds}, or in one of these and .gz or .zst."
            if path.is_dir()
            else f"There is no file {name}."
        )
    return [each.resolve() for each in paths]


def _find_suffix(path: Path) -> Format | None:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
    return SUFFIXES.get(suffixes[-1]) if suffixes else None


def _look_at(path: Path, wanted: Format | None) -> Source:
    try:
        with path.open("rb") as file:
            head = _unpack(path, file).read(HEAD_BYTES)
    except (OSError, EOFError, zstd.ZstdError) as error:
        raise InvalidError(f"{path} cannot be read: {error}") from None
    return Source(path, wanted or _find_suffix(path) or _guess_format(head), head)


def _look_at_stdin(wanted: Format | None) -> Source:
    """Wait for a header and a row, or as much as tells the format."""
    pipe = cast("io.BufferedReader", sys.stdin.buffer)
    head = b""
    while head.count(b"\n") < 2 and len(head) < HEAD_BYTES and (more := pipe.read1(HEAD_BYTES)):
        head += more
        if b"\n" in head and head.lstrip().startswith(b"{"):
            break
    source = Source(None, wanted or _guess_format(head), head)
    if source.format == "parquet":
        raise InvalidError("Parquet is read from its end, and stdin has none. Name the file.")
    return source


def _guess_format(head: bytes) -> Format:
    if head.startswith(_PARQUET):
        return "parquet"
    return "ndjson" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")) else "csv"


def _unpack(path: Path, file: IO[bytes]) -> IO[bytes]:
    match path.suffix.lower():
        case ".gz":
            return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
        case ".zst":
            return cast("IO[bytes]", zstd.ZstdFile(file))
        case _:
            return file
