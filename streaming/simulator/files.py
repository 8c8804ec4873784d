"""Files: a span of a world written down, without an API.

    events.ndjson     what would be sent, line by line
    events.parquet    the same in columns

A file that is there is whole: it gets its name when its last event is written. It is written block
by block, so that its length does not matter.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import polars as pl
from polars.io.plugins import register_io_source

from core.errors import InvalidError
from streaming.simulator.rows import Rows
from streaming.simulator.tables import FRAME_SCHEMA, Tables
from streaming.simulator.worlds import World

LINES_AT_ONCE: Final = 20_000

ROW_GROUP_ROWS: Final = 250_000
"""About ten megabytes of a Parquet file."""


@dataclass(frozen=True, slots=True)
class Span:
    """What happens in a world from one time until before another."""

    world: World
    start_ms: int
    end_ms: int

    def list_blocks(self) -> Iterator[Rows]:
        """Generate it in the order of time."""
        return self.world.rows_between(self.start_ms, self.end_ms)


Writer: TypeAlias = Callable[[Path, Span], int]


def write_file(path: Path, span: Span) -> int:
    """Write all events of a span; return how many they are.

    Raises:
        InvalidError: It cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        events = WRITERS[path.suffix](part, span)
        part.replace(path)
    except OSError as error:
        raise InvalidError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return events


def _write_lines(path: Path, span: Span) -> int:
    tables, events = Tables(span.world.profiles), 0
    with path.open("wb") as file:
        for block in span.list_blocks():
            for rows in block.split(LINES_AT_ONCE):
                file.write(tables.write_lines(rows))
                file.write(b"\n")
            events += len(block)
    return events


def _write_columns(path: Path, span: Span) -> int:
    tables, events = Tables(span.world.profiles), 0

    def make_frames(
        columns: list[str] | None, _filter: pl.Expr | None, _rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        nonlocal events
        for block in span.list_blocks():
            events += len(block)
            frame = tables.make_frame(block)
            yield frame if columns is None else frame.select(columns)

    with path.open("wb") as file:
        register_io_source(make_frames, schema=FRAME_SCHEMA).sink_parquet(
            file, compression="zstd", row_group_size=ROW_GROUP_ROWS
        )
    return events


WRITERS: Final[dict[str, Writer]] = {".ndjson": _write_lines, ".parquet": _write_columns}
"""By how the name of the file ends."""
