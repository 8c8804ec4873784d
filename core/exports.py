"""Exports: frames of one table, page by page, as one CSV file or one Arrow stream.

    first frame, second frame, … -> write -> bytes, bytes, … -> close -> last bytes

A page is written and forgotten: a file of any length needs the memory of one page.
"""

import io
import struct
from typing import Final, Protocol

import polars as pl
import polars.selectors as cs

_SECONDS: Final = "%Y-%m-%dT%H:%M:%SZ"
_PREFIX: Final = struct.Struct("<Ii")
"""What stands before each message of an Arrow stream: a mark, and the length of its metadata."""

_FORMULA: Final = r"^[=+\-@\t\r\n]"
"""How a formula begins, or what a spreadsheet skips before one. Anybody may name a unit."""

_END: Final = b"\xff\xff\xff\xff\x00\x00\x00\x00"


class Writer(Protocol):
    """Writes frames that have the same columns."""

    media_type: str
    suffix: str

    def write(self, frame: pl.DataFrame) -> bytes:
        """Return the next bytes."""
        ...

    def close(self) -> bytes:
        """Return the last bytes."""
        ...


class CsvWriter:
    """Writes a header once and then rows; a list within a row is written as JSON.

    A text that a spreadsheet would run as a formula gets an apostrophe in front, by which it is
    shown as text. Numbers stay as they are, negative ones too.
    """

    media_type = "text/csv; charset=utf-8; header=present"
    suffix = "csv"

    def __init__(self) -> None:
        self._is_begun = False

    def write(self, frame: pl.DataFrame) -> bytes:
        """Return rows as text."""
        buffer = io.BytesIO()
        lists = [_write_lists(name) for name in frame.select(cs.list()).columns]
        frame.with_columns(_disarm(cs.string()), *lists).write_csv(
            buffer, include_header=not self._is_begun, datetime_format=_SECONDS
        )
        self._is_begun = True
        return buffer.getvalue()

    def close(self) -> bytes:
        """Return nothing: a text ends where it ends."""
        return b""


class ArrowWriter:
    """Writes the schema once and then batches of rows."""

    media_type = "application/vnd.apache.arrow.stream"
    suffix = "arrows"

    def __init__(self) -> None:
        self._is_begun = False

    def write(self, frame: pl.DataFrame) -> bytes:
        """Return rows as batches.

        Polars writes whole streams only: of all but the first the schema is left out, and the end
        of each.
        """
        buffer = io.BytesIO()
        # The oldest layout is read by every version of every library.
        frame.write_ipc_stream(buffer, compat_level=pl.CompatLevel.oldest())
        whole = buffer.getvalue()
        begin = 0
        if self._is_begun:
            _, metadata_bytes = _PREFIX.unpack_from(whole)
            begin = _PREFIX.size + metadata_bytes
        self._is_begun = True
        return whole[begin : -len(_END)]

    def close(self) -> bytes:
        """Return the mark of the end, which tells a whole stream from a broken one."""
        return _END


def _disarm(texts: pl.Expr) -> pl.Expr:
    """Build texts with an apostrophe before those that begin like a formula."""
    return pl.when(texts.str.contains(_FORMULA)).then("'" + texts).otherwise(texts).name.keep()


def _write_lists(name: str) -> pl.Expr:
    """Build the lists of a column as JSON."""
    # A struct of one field is the way to JSON; the field's name and the braces are cut off.
    head = len(f'{{"{name}":')
    return pl.struct(name).struct.json_encode().str.slice(head).str.head(-1).alias(name)
