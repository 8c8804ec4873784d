"""Parquet: some rows at a time, of our archive or of anybody's table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl
from polars.selectors import by_name

from core.errors import InvalidError
from core.layouts import Wishes, find_layout
from core.tables import ROW, apply_layout
from streaming.connectors.files.readers.base import POLARS_ERRORS, SAMPLE_ROWS, Block, Position
from streaming.connectors.files.sources import Source

BLOCK_ROWS: Final = 100_000
"""Read at once: a group of rows of a file is not unpacked for each body anew."""


class ParquetReader:
    """Reads one Parquet file."""

    def __init__(self, source: Source, wishes: Wishes) -> None:
        assert source.path is not None  # noqa: S101 (stdin is refused where sources are found)
        self._path: Path = source.path
        self._size = source.size or 0
        try:
            sample = self._scan().head(SAMPLE_ROWS).collect()
            self._rows: int = self._scan().select(pl.len()).collect().item()
            self.layout = find_layout(sample, wishes, stream=source.stem)
        except POLARS_ERRORS as error:
            raise InvalidError(f"{source.name} cannot be read as Parquet: {error}") from None
        except InvalidError as error:
            raise InvalidError(f"{source.name}: {error.detail}") from None

    def read(self, start: Position) -> Iterator[Block]:
        """Return everything from a position on."""
        for first in range(start.rows, self._rows, BLOCK_ROWS):
            end = min(first + BLOCK_ROWS, self._rows)
            try:
                rows = self._read_rows(first, end - first)
            except (*POLARS_ERRORS, OSError) as error:
                raise InvalidError(f"{self._path} cannot be read on: {error}") from None
            yield Block(
                apply_layout(rows, self.layout),
                [],
                Position(first, first),
                Position(end, end),
                self._size * end // self._rows,
            )

    def _read_rows(self, first: int, count: int) -> pl.DataFrame:
        rows = self._scan().select(by_name(self.layout.used)).slice(first, count).collect()
        number = pl.int_range(first + 1, first + rows.height + 1, dtype=pl.Int64)
        return rows.with_columns(number.alias(ROW))

    def _scan(self) -> pl.LazyFrame:
        # A path is one file, whatever signs are in it.
        return pl.scan_parquet(self._path, glob=False, hive_partitioning=False)
