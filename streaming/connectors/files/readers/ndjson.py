"""NDJSON: blocks of lines, ours as the door reads them, others' by the names of their keys."""

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

import orjson
import polars as pl

from core.errors import InvalidError
from core.events import RejectedRow
from core.layouts import LISTS, Layout, Wishes, find_layout
from core.ndjson import read_ndjson
from core.tables import ROW, apply_layout
from streaming.connectors.files.lines import Lines, cut_lines
from streaming.connectors.files.readers.base import (
    POLARS_ERRORS,
    SAMPLE_ROWS,
    TOO_LONG,
    Block,
    Position,
)
from streaming.connectors.files.sources import Source

NO_OBJECT: Final = "the line is no JSON object"
UNREADABLE: Final = "the line cannot be read as a row"

Schema: TypeAlias = Mapping[str, pl.String | pl.List]

_BOM: Final = b"\xef\xbb\xbf"


class NdjsonReader:
    """Reads one NDJSON source."""

    def __init__(self, source: Source, wishes: Wishes) -> None:
        self._source = source
        sample = _read_sample(source)
        self.layout: Layout | None = None
        self._lists: list[str] = []
        if wishes != Wishes() or not {"stream_id", "type"} <= sample.keys():
            texts = pl.DataFrame(sample, schema=dict.fromkeys(sample, pl.String))
            try:
                self.layout = find_layout(texts, wishes, stream=source.stem)
            except InvalidError as error:
                raise InvalidError(f"{source.name}: {error.detail}") from None
            listed = (self.layout.columns[name] for name in LISTS & self.layout.columns.keys())
            self._lists = [column for column in listed if _are_lists(sample[column])]

    def read(self, start: Position) -> Iterator[Block]:
        """Return everything from a position on."""
        if start.offset == 0 and self._source.head.startswith(_BOM):
            start = Position(len(_BOM), 0)
        with self._source.open(start.offset) as stream:
            if self._source.path is None:
                stream.read(start.offset)
            for lines in cut_lines(stream, start.offset, has_quotes=False):
                yield (block := self._read_block(lines, start, stream.read_bytes))
                start = block.end

    def _read_block(self, lines: Lines, start: Position, read_bytes: int) -> Block:
        end = Position(lines.end, start.rows + lines.count)
        if lines.is_too_long:
            nothing = pl.DataFrame(schema={ROW: pl.Int64})
            return Block(nothing, [RejectedRow(end.rows, TOO_LONG)], start, end, read_bytes)
        text = lines.text
        frame, rejected = read_ndjson(text) if self.layout is None else self._read_foreign(text)
        row = pl.col("index").cast(pl.Int64) + start.rows + 1
        return Block(
            frame.with_columns(row.alias(ROW)).drop("index"),
            [RejectedRow(bad.index + start.rows + 1, bad.reason) for bad in rejected],
            start,
            end,
            read_bytes,
        )

    def _read_foreign(self, text: bytes) -> tuple[pl.DataFrame, list[RejectedRow]]:
        assert self.layout is not None  # noqa: S101 (its only caller asked)
        kinds = {name: pl.List(pl.String()) for name in self._lists}
        schema = {name: kinds.get(name, pl.String()) for name in self.layout.used}
        frame, rejected = _parse(text, schema)
        events = apply_layout(frame, self.layout)
        return events.rename({ROW: "index"}), rejected


def _read_sample(source: Source) -> dict[str, list[str | None]]:
    """Return the first values under every key, as texts.

    Raises:
        InvalidError: No line is an object.
    """
    lines = source.head.removeprefix(_BOM).splitlines()[:SAMPLE_ROWS]
    if lines and lines[0].lstrip().startswith(b"["):
        raise InvalidError(
            f"{source.name} is one JSON list. Make it a line an event, as by `jq -c '.[]'`."
        )
    found = [_read_object(line) for line in lines if line.strip()]
    objects = [each for each in found if each is not None]
    if not objects:
        raise InvalidError(f"{source.name} has no line that is a JSON object.")
    keys = dict.fromkeys(key for each in objects for key in each)
    return {key: [_to_text(each.get(key)) for each in objects] for key in keys}


def _read_object(line: bytes) -> dict[str, object] | None:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _are_lists(values: Iterable[str | None]) -> bool:
    filled = [value for value in values if value is not None]
    return bool(filled) and all(value.startswith("[") for value in filled)


def _to_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def _parse(text: bytes, schema: Schema) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Return the values of lines as texts with ``ROW``, from 0, and the lines that are none."""
    count = text.count(b"\n") + (not text.endswith(b"\n"))
    frame = _read(text, schema)
    if frame is not None and frame.height == count:
        return frame.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(ROW)), []
    # Something is odd: only then is each line looked at.
    lines = [(number, line) for number, line in enumerate(text.split(b"\n")) if line.strip()]
    good = [(number, line) for number, line in lines if _read_object(line) is not None]
    kept = {number for number, _ in good}
    rejected = [RejectedRow(number, NO_OBJECT) for number, _ in lines if number not in kept]
    frame = _read_surviving(good, schema, rejected)
    return frame, sorted(rejected, key=lambda row: row.index)


def _read_surviving(
    good: list[tuple[int, bytes]], schema: Schema, rejected: list[RejectedRow]
) -> pl.DataFrame:
    """Read lines together; where the reader still refuses, halve until the line is found."""
    frame = _read(b"\n".join(line for _, line in good), schema) if good else None
    if frame is not None and frame.height == len(good):
        return frame.with_columns(pl.Series(ROW, [n for n, _ in good], dtype=pl.Int64))
    if len(good) < 2:
        rejected += [RejectedRow(number, UNREADABLE) for number, _ in good]
        return pl.DataFrame(schema={**schema, ROW: pl.Int64})
    half = len(good) // 2
    return pl.concat(_read_surviving(part, schema, rejected) for part in (good[:half], good[half:]))


def _read(text: bytes, schema: Schema) -> pl.DataFrame | None:
    try:
        return pl.read_ndjson(io.BytesIO(text), schema=dict(schema))
    except POLARS_ERRORS:
        return None
