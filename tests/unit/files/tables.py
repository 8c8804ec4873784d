"""Tables: files as people have them, and what a reader finds in one."""

import gzip
from pathlib import Path

import polars as pl
from backports import zstd

from core.events import RejectedRow
from core.layouts import Wishes
from core.tables import ROW
from streaming.connectors.files.readers.base import Block, Position
from streaming.connectors.files.runs import open_reader
from streaming.connectors.files.sources import find_sources


def write_file(folder: Path, name: str, text: bytes) -> Path:
    """Write a file, packed as its name says."""
    path = folder / name
    match path.suffix:
        case ".gz":
            text = gzip.compress(text)
        case ".zst":
            text = zstd.compress(text)
    path.write_bytes(text)
    return path


def read_blocks(
    path: Path, wishes: Wishes | None = None, start: Position | None = None
) -> list[Block]:
    """Return the blocks of a file."""
    source = find_sources([str(path)], None)[0]
    return list(open_reader(source, wishes or Wishes()).read(start or Position()))


def read_all(
    path: Path, wishes: Wishes | None = None, start: Position | None = None
) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Return all raw events of a file with ``row``, and what could not be read."""
    blocks = read_blocks(path, wishes, start)
    events = pl.concat([block.events for block in blocks], how="diagonal")
    rejected = [row for block in blocks for row in block.rejected]
    return events.rename({ROW: "row"}), rejected
