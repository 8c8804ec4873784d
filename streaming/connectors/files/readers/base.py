"""Readers: a format of files as blocks of raw events, from any position on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import polars as pl

from core.events import RejectedRow
from core.layouts import Layout

SAMPLE_ROWS: Final = 1000
"""Looked at to tell which columns are numbers."""

POLARS_ERRORS: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What Polars raises over bytes it cannot read; a panic is no Exception."""

TOO_LONG: Final = "the line is longer than any event may be"


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading may begin: at the start of a block."""

    offset: int = 0
    """In plain bytes; in Parquet the same as the rows."""

    rows: int = 0
    """How many rows lie before it."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that were read together."""

    events: pl.DataFrame
    """Columns of ``RAW_SCHEMA`` as far as they are used, and ``ROW``, counted from 1, rising."""

    rejected: list[RejectedRow]
    """Rows that cannot be read at all, by the same numbers."""

    start: Position
    end: Position
    read_bytes: int
    """How far the file is read."""


class Reader(Protocol):
    """Reads one source."""

    @property
    def layout(self) -> Layout | None:
        """Which column is what; none where events are as the door has them."""

    def read(self, start: Position) -> Iterator[Block]:
        """Return everything from a position on, a block at a time.

        Raises:
            InvalidError: What is there cannot be read on.
        """
