"""JSON lines: events, one a line or in one list, read byte by byte into columns.

    body -> _scan_… -> where each value stands -> texts, numbers, times, lists -> columns

Reads what nearly all senders send: objects of texts, numbers, nulls and lists of texts, each field
once. What is odd in any way, and so what is wrong, is left to ``core.ndjson``, which is slower and
knows it all.
"""

from typing import Final, NamedTuple

import nanoarrow
import numpy as np
import polars as pl
from nanoarrow.c_array import CArray

from core.compiled import Bytes, compiled, count_byte, making
from core.crowds import refuse_rows
from core.events import RAW_SCHEMA, TIMESTAMP
from core.iso_times import read_iso_times
from core.json_numbers import skip_number, skip_whole
from core.json_texts import (
    NOT_OURS,
    NULL,
    TEXT,
    Spans,
    make_texts,
    mark_escaped,
    mark_present,
    scan_text,
)
from core.rows import Ints

_TEXTS: Final = tuple(name for name, kind in RAW_SCHEMA.items() if kind == pl.String())
_LISTS: Final = tuple(name for name, kind in RAW_SCHEMA.items() if isinstance(kind, pl.List))
_NUMBERS: Final = tuple(name for name, kind in RAW_SCHEMA.items() if kind.is_numeric())
_FIELDS: Final = (*_TEXTS, *_LISTS, *_NUMBERS)
_FIRST_LIST: Final = len(_TEXTS)
_FIRST_NUMBER: Final = len(_TEXTS) + len(_LISTS)
_UNKNOWN: Final = len(_FIELDS)
_TIME: Final = _TEXTS.index("timestamp")
_WHOLE: Final = np.array([RAW_SCHEMA[name] == pl.Int64() for name in _NUMBERS])

_NAMES: Final = np.frombuffer("".join(_FIELDS).encode(), np.uint8)
_NAME_BEGINS: Final = np.cumsum([0, *(len(name) for name in _FIELDS)])

_SPACE, _TAB, _RETURN, _BREAK = (np.uint8(ord(sign)) for sign in " \t\r\n")
_QUOTE, _COMMA, _COLON, _OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST = (
    np.uint8(ord(sign)) for sign in '",:{}[]'
)
_WORDS: Final = np.frombuffer(b"nulltruefalse", np.uint8)
_WORD_BEGINS: Final = np.array([0, 4, 8, 13])
_LIST: Final = nanoarrow.large_list(TEXT)


class _Table(NamedTuple):
    """Where values stand in a body, and numbers."""

    spans: Spans
    """Of every field, of every row: where its text or number begins and ends in the body; of
    lists, which of the items are theirs."""

    items: Spans
    """Where the texts in lists begin and end."""

    counts: Ints
    """Up to which row each field was looked at, and at last how many items there are."""

    followers: Ints
    """Which field stood behind each one in the line before, and at last which stood first."""


def read_json_lines(body: bytes) -> pl.DataFrame | None:
    """Return the fields that are named, as columns; None if anything at all is odd.

    Raises:
        TooLargeError: There are more lines than there can be events.
    """
    data = _take(body)
    if data is None:
        return None
    rows = count_byte(data, _BREAK)
    refuse_rows(rows, body)
    table = _make_table(body, rows)
    is_read = _scan_lines(data, rows, table) == len(data)
    return _read_columns(data, table, rows) if is_read else None


def read_json_list(body: bytes) -> pl.DataFrame | None:
    """Return the fields of the objects of one list, in the same way.

    Raises:
        TooLargeError: There are more objects than there can be events.
    """
    data = _take(body)
    if data is None:
        return None
    table = _make_table(body, count_byte(data, _OPEN))
    rows = _scan_list_of_objects(data, table)
    if rows == NOT_OURS:
        return None
    refuse_rows(rows, body)
    return _read_columns(data, table, rows)


@making("json_lines")
def warm_up() -> None:
    """Make the machine code, or the first request on a new machine waits some seconds for it."""
    read_json_lines(
        b'{"stream_id":"a","timestamp":"2026-01-01T00:00:00Z","emotes":["a"],"value":1}'
    )
    read_json_list(b'[{"stream_id":"a"}]')


def _take(body: bytes) -> Bytes | None:
    """Return the bytes of a text, a line break at their end; None if they are no text."""
    if not body.isascii() and not _is_utf8(body):
        return None
    return np.frombuffer(body if body.endswith(b"\n") else body + b"\n", np.uint8)


def _make_table(body: bytes, rows: int) -> _Table:
    return _Table(
        spans=np.empty((_UNKNOWN, rows, 2), np.int32),
        # An item has two quotes at least, and something between it and the next.
        items=np.empty((len(body) // 3 if b"[" in body else 0, 2), np.int32),
        counts=np.zeros(_UNKNOWN + 1, np.int64),
        followers=np.zeros(_UNKNOWN + 2, np.int64),
    )


def _read_columns(data: Bytes, table: _Table, rows: int) -> pl.DataFrame | None:
    table = table._replace(spans=table.spans[:, :rows])
    used = [field for field in range(_UNKNOWN) if table.counts[field]]
    columns = {_FIELDS[field]: _read_column(data, table, field) for field in used}
    if not used or any(column is None for column in columns.values()):
        return None
    return pl.DataFrame(columns)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _read_column(data: Bytes, table: _Table, field: int) -> pl.Series | None:
    spans = table.spans[field]
    if field == _TIME:
        times = read_iso_times(data, spans)
        if times is not None:
            return pl.Series(times).cast(TIMESTAMP)
    is_list = _FIRST_LIST <= field < _FIRST_NUMBER
    array = _make_lists(data, table, spans) if is_list else make_texts(data, spans)
    if array is None:
        return None
    column = pl.Series(array)
    return _read_numbers(column, field) if field >= _FIRST_NUMBER else column


def _read_numbers(texts: pl.Series, field: int) -> pl.Series | None:
    numbers = texts.cast(RAW_SCHEMA[_FIELDS[field]], strict=False)
    is_odd = numbers.null_count() > texts.null_count() or numbers.is_infinite().any()
    return None if is_odd else numbers


def _make_lists(data: Bytes, table: _Table, spans: Spans) -> CArray | None:
    lengths = np.where(spans[:, 0] == NULL, 0, spans[:, 1] - spans[:, 0])
    ends = np.cumsum([0, *lengths])
    # The items of a field stand among those of the other.
    places = np.arange(ends[-1]) + np.repeat(spans[:, 0] - ends[:-1], lengths)
    texts = make_texts(data, table.items[places])
    if texts is None:
        return None
    return nanoarrow.c_array_from_buffers(
        _LIST, len(spans), [mark_present(spans), ends], children=[texts]
    )


@compiled
def _scan_lines(data: Bytes, rows: int, table: _Table) -> int:
    """Find every value of every line; return where the last line ends."""
    at = 0
    for row in range(rows):
        at = _scan_object(data, _skip_space(data, at), row, table)
        if at == NOT_OURS or data[at] != _BREAK:
            return NOT_OURS
        at += 1
    _fill_ends(table, rows)
    return at


@compiled
def _scan_list_of_objects(data: Bytes, table: _Table) -> int:
    """Find every value of every object of a list; return how many there are."""
    at = _skip_blank(data, 0)
    if data[at] != _OPEN_LIST:
        return NOT_OURS
    rows = 0
    sign = _COMMA
    while sign == _COMMA:
        at = _scan_object(data, _skip_blank(data, at + 1), rows, table)
        if at == NOT_OURS:
            return NOT_OURS
        rows += 1
        at = _skip_blank(data, at)
        sign = data[at]
    if sign != _CLOSE_LIST or _skip_blank(data, at + 1) != len(data) - 1:
        return NOT_OURS
    _fill_ends(table, rows)
    return rows


@compiled
def _skip_blank(data: Bytes, at: int) -> int:
    """Pass over space between objects, and line breaks but the last one."""
    at = _skip_space(data, at)
    while data[at] == _BREAK and at < len(data) - 1:
        at = _skip_space(data, at + 1)
    return at


@compiled
def _scan_object(data: Bytes, at: int, row: int, table: _Table) -> int:
    """Find every value of an object; return where the space behind it ends."""
    if data[at] != _OPEN:
        return NOT_OURS
    field = _UNKNOWN + 1
    sign = _COMMA
    while sign == _COMMA:
        at = _skip_space(data, at + 1)
        if data[at] != _QUOTE:
            return NOT_OURS
        before = field
        field = _find_field(data, at + 1, table.followers[before])
        table.followers[before] = field
        at = _skip_name(data, at + 1, field)
        if at != NOT_OURS:
            at = _scan_value(data, at, row, field, table)
        if at == NOT_OURS:
            return NOT_OURS
        at = _skip_space(data, at)
        sign = data[at]
    return _skip_space(data, at + 1) if sign == _CLOSE else NOT_OURS


@compiled
def _skip_space(data: Bytes, at: int) -> int:
    while data[at] == _SPACE or data[at] == _TAB or data[at] == _RETURN:
        at += 1
    return at


@compiled
def _find_field(data: Bytes, at: int, guess: int) -> int:
    """Return the field whose name begins here; most lines have them in the order of the last."""
    if guess < _UNKNOWN and _is_name(data, at, guess):
        return guess
    for field in range(_UNKNOWN):
        if _is_name(data, at, field):
            return field
    return _UNKNOWN


@compiled
def _is_name(data: Bytes, at: int, field: int) -> bool:
    for index in range(_NAME_BEGINS[field], _NAME_BEGINS[field + 1]):
        if data[at] != _NAMES[index]:
            return False
        at += 1
    return bool(data[at] == _QUOTE)


@compiled
def _skip_name(data: Bytes, at: int, field: int) -> int:
    """Return where the value behind a name begins."""
    if field < _UNKNOWN:
        at += _NAME_BEGINS[field + 1] - _NAME_BEGINS[field]
    else:
        at, is_escaped = scan_text(data, at)
        if at == NOT_OURS or is_escaped:
            return NOT_OURS
    at = _skip_space(data, at + 1)
    return _skip_space(data, at + 1) if data[at] == _COLON else NOT_OURS


@compiled
def _scan_value(data: Bytes, at: int, row: int, field: int, table: _Table) -> int:
    """Note where a value stands; return where it ends."""
    if field == _UNKNOWN:
        return _skip_value(data, at)
    if table.counts[field] > row:
        return NOT_OURS
    _fill_nulls(table, field, row)
    end = _skip_word(data, at, 0)
    if end > 0:
        _fill_nulls(table, field, row + 1)
        return end
    table.counts[field] = row + 1
    if field < _FIRST_LIST and (data[at] == _QUOTE or field != _TIME):
        return _note_text(data, at, table.spans[field], row)
    return _note_other(data, at, row, field, table)


@compiled
def _note_other(data: Bytes, at: int, row: int, field: int, table: _Table) -> int:
    spans = table.spans[field, row]
    if _FIRST_LIST <= field < _FIRST_NUMBER:
        spans[0] = table.counts[_UNKNOWN]
        end = _scan_list(data, at, table)
        spans[1] = table.counts[_UNKNOWN]
        return end
    # A time without quotes is a whole number, and stays the text of its digits.
    is_whole = field == _TIME or _WHOLE[field - _FIRST_NUMBER]
    end = skip_whole(data, at) if is_whole else skip_number(data, at)
    spans[0], spans[1] = at, end
    return end


@compiled
def _note_text(data: Bytes, at: int, spans: Spans, row: int) -> int:
    if data[at] != _QUOTE:
        return NOT_OURS
    end, is_escaped = scan_text(data, at + 1)
    spans[row, 0] = mark_escaped(at + 1) if is_escaped else at + 1
    spans[row, 1] = end
    return end if end == NOT_OURS else end + 1


@compiled
def _scan_list(data: Bytes, at: int, table: _Table) -> int:
    """Note where the texts of a list stand; return where the list ends."""
    if data[at] != _OPEN_LIST:
        return NOT_OURS
    at = _skip_space(data, at + 1)
    if data[at] == _CLOSE_LIST:
        return at + 1
    while True:
        count = table.counts[_UNKNOWN]
        at = _note_text(data, at, table.items, count)
        if at == NOT_OURS:
            return NOT_OURS
        table.counts[_UNKNOWN] = count + 1
        at = _skip_space(data, at)
        if data[at] == _CLOSE_LIST:
            return at + 1
        if data[at] != _COMMA:
            return NOT_OURS
        at = _skip_space(data, at + 1)


@compiled
def _skip_value(data: Bytes, at: int) -> int:
    """Return where the value of an unknown field ends."""
    if data[at] == _QUOTE:
        end, _ = scan_text(data, at + 1)
        return end if end == NOT_OURS else end + 1
    for word in range(len(_WORD_BEGINS) - 1):
        end = _skip_word(data, at, word)
        if end > 0:
            return end
    return skip_number(data, at)


@compiled
def _skip_word(data: Bytes, at: int, word: int) -> int:
    """Return where a word of JSON ends; 0 where it does not stand."""
    for index in range(_WORD_BEGINS[word], _WORD_BEGINS[word + 1]):
        if data[at] != _WORDS[index]:
            return 0
        at += 1
    return at


@compiled
def _fill_ends(table: _Table, rows: int) -> None:
    """Leave fields empty in the last rows."""
    for field in range(_UNKNOWN):
        if table.counts[field]:
            _fill_nulls(table, field, rows)


@compiled
def _fill_nulls(table: _Table, field: int, end: int) -> None:
    """Leave a field empty in the rows since it was looked at last."""
    for row in range(table.counts[field], end):
        table.spans[field, row, 0] = NULL
    table.counts[field] = end
