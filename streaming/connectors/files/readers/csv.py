"""CSV: blocks of lines into columns of texts, naming the bad rows and losing no good one.

The sign between the cells and whether there is a header are found in the first lines. A row with
more cells than the header is refused, since nobody knows which cell is which.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl
from polars.selectors import by_name

from core.errors import InvalidError
from core.events import RejectedRow
from core.layouts import Layout, Wishes, find_layout
from core.tables import ROW, apply_layout
from streaming.connectors.files.lines import Lines, cut_lines, find_last_break
from streaming.connectors.files.readers.base import (
    POLARS_ERRORS,
    SAMPLE_ROWS,
    TOO_LONG,
    Block,
    Position,
)
from streaming.connectors.files.sources import Source

DELIMITERS: Final = (",", ";", "\t", "|")
UNREADABLE: Final = "the row cannot be read as CSV"
TOO_MANY: Final = "the row has more cells than there are columns"

_BEYOND: Final = "\x00beyond"
"""The name of the cells that a row should not have."""

_BOM: Final = b"\xef\xbb\xbf"
_WIDE_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written."""

    delimiter: str
    columns: tuple[str, ...]
    begins_at: int
    """Where the first row of values stands, behind the header."""


class CsvReader:
    """Reads one CSV source."""

    def __init__(self, source: Source, wishes: Wishes) -> None:
        self._source = source
        self._dialect = find_dialect(source.head, source.name)
        head = source.head[self._dialect.begins_at :]
        rows = head[: find_last_break(head, has_quotes=True)] or head
        sample, _ = read_rows(rows, self._dialect)
        if sample.is_empty():
            raise InvalidError(f"{source.name} has no rows.")
        sample = sample.head(SAMPLE_ROWS).select(by_name(self._dialect.columns))
        try:
            self.layout = find_layout(sample, wishes, stream=source.stem)
        except InvalidError as error:
            raise InvalidError(f"{source.name}: {error.detail}") from None

    def read(self, start: Position) -> Iterator[Block]:
        """Return everything from a position on."""
        if start.offset == 0:
            start = Position(self._dialect.begins_at, 0)
        with self._source.open(start.offset) as stream:
            if self._source.path is None:
                stream.read(start.offset)
            for lines in cut_lines(stream, start.offset, has_quotes=True):
                yield (block := self._read_block(lines, start, stream.read_bytes))
                start = block.end

    def _read_block(self, lines: Lines, start: Position, read_bytes: int) -> Block:
        if lines.is_too_long:
            end = Position(lines.end, start.rows + 1)
            nothing = pl.DataFrame(schema={ROW: pl.Int64})
            return Block(nothing, [RejectedRow(end.rows, TOO_LONG)], start, end, read_bytes)
        cells, rejected = read_rows(lines.text, self._dialect)
        end = Position(lines.end, start.rows + _count_rows(cells, rejected))
        rows = cells.with_columns(pl.col(ROW) + start.rows)
        rejected = [RejectedRow(row.index + start.rows, row.reason) for row in rejected]
        return Block(_lay_out(rows, self.layout), rejected, start, end, read_bytes)


def read_rows(text: bytes, dialect: Dialect) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Return the cells of lines as texts with ``ROW``, from 1, and the rows that are none."""
    rejected: list[RejectedRow] = []
    frame = _parse(text, dialect)
    if frame is None:
        lines = list(enumerate(text.splitlines(keepends=True), 1))
        frame = _parse_surviving(lines, dialect, rejected)
    else:
        frame = frame.with_columns(pl.int_range(1, frame.height + 1, dtype=pl.Int64).alias(ROW))
    is_empty = pl.all_horizontal(by_name(dialect.columns).is_null())
    frame = frame.filter(~is_empty)
    beyond = frame.filter(pl.col(_BEYOND).is_not_null())[ROW]
    rejected += [RejectedRow(row, TOO_MANY) for row in beyond.to_list()]
    rejected.sort(key=lambda row: row.index)
    return frame.filter(pl.col(_BEYOND).is_null()).drop(_BEYOND), rejected


def find_dialect(head: bytes, name: str) -> Dialect:
    """Return how a file is written, by its first lines.

    Raises:
        InvalidError: It has no lines, or is no text in UTF-8 or a kin of it.
    """
    if head.startswith(_WIDE_BOMS):
        raise InvalidError(f"{name} is UTF-16. Make it UTF-8, as by `iconv -f UTF-16 -t UTF-8`.")
    begins_at = len(_BOM) if head.startswith(_BOM) else 0
    lines = [line for line in head[begins_at:].split(b"\n")[:20] if line.strip()]
    if not lines:
        raise InvalidError(f"{name} is empty.")
    delimiter = max(DELIMITERS, key=lambda sign: _score(lines, sign.encode()))
    first = _split(lines[0], delimiter)
    if not _is_header(first):
        return Dialect(delimiter, tuple(f"column_{n}" for n in range(1, len(first) + 1)), begins_at)
    columns = [cell.strip() or f"column_{place}" for place, cell in enumerate(first, 1)]
    if doubled := {column for column in columns if columns.count(column) > 1}:
        raise InvalidError(f"{name} has more than one column {min(doubled)!r}.")
    header_end = head.index(lines[0], begins_at) + len(lines[0])
    return Dialect(delimiter, tuple(columns), min(header_end + 1, len(head)))


def _score(lines: list[bytes], sign: bytes) -> tuple[bool, int]:
    """Prefer a sign that all lines have as often, and of those the most frequent."""
    counts = [line.count(sign) for line in lines]
    return counts[0] > 0 and len(set(counts)) == 1, counts[0]


def _split(line: bytes, delimiter: str) -> list[str]:
    row = _read_cells(line, delimiter, [f"{n}" for n in range(line.count(delimiter.encode()) + 1)])
    if row is None or row.is_empty():
        return [cell.decode(errors="replace") for cell in line.strip().split(delimiter.encode())]
    cells = [cell or "" for cell in row.row(0)]
    while b'"' in line and len(cells) > 1 and not cells[-1]:
        # What was counted as the end of a cell stood between quotes.
        cells.pop()
    return cells


def _is_header(cells: list[str]) -> bool:
    """Tell whether no cell is a number or a time."""
    texts = pl.Series(cells)
    is_time = texts.str.contains(r"^\s*\d{4}-\d\d-\d\d|^\s*\d\d?[./]\d\d?[./]\d{2,4}")
    return not (
        texts.str.strip_chars().cast(pl.Float64, strict=False).is_not_null() | is_time
    ).any()


def _parse(text: bytes, dialect: Dialect) -> pl.DataFrame | None:
    return _read_cells(text, dialect.delimiter, [*dialect.columns, _BEYOND])


def _read_cells(text: bytes, delimiter: str, columns: list[str]) -> pl.DataFrame | None:
    try:
        return pl.read_csv(
            io.BytesIO(text),
            has_header=False,
            schema=dict.fromkeys(columns, pl.String),
            separator=delimiter,
            truncate_ragged_lines=True,
            missing_columns="insert",
            encoding="utf8-lossy",
        )
    except POLARS_ERRORS:
        return None


def _parse_surviving(
    lines: list[tuple[int, bytes]], dialect: Dialect, rejected: list[RejectedRow]
) -> pl.DataFrame:
    """Read lines together; where that fails, halve until the bad line is found."""
    frame = _parse(b"".join(line for _, line in lines), dialect)
    if frame is not None and frame.height == len(lines):
        return frame.with_columns(pl.Series(ROW, [row for row, _ in lines], dtype=pl.Int64))
    if len(lines) == 1:
        rejected.append(RejectedRow(lines[0][0], UNREADABLE))
        names = dict.fromkeys([*dialect.columns, _BEYOND], pl.String)
        return pl.DataFrame(schema={**names, ROW: pl.Int64})
    half = len(lines) // 2
    parts = (_parse_surviving(part, dialect, rejected) for part in (lines[:half], lines[half:]))
    return pl.concat(parts)


def _count_rows(cells: pl.DataFrame, rejected: list[RejectedRow]) -> int:
    """Return the number of the last row."""
    last = cells[ROW].max()
    refused = max((row.index for row in rejected), default=0)
    return max(last if isinstance(last, int) else 0, refused)


def _lay_out(rows: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    return apply_layout(rows.select(by_name(ROW, *layout.used)), layout)
