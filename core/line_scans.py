"""Line scans: every line of a body in the line protocol, byte by byte, into tables of arrays.

    cpu,host=a,cpu=cpu0 usage=1.5,idle=98i 1700000000000000000
     └────────┬───────┘ └───┬───┘ └──┬───┘ └────────┬────────┘
          a line's        reading  reading      a line's

Reads all that is right, and notes where the lines stand that are not: ``core.line_faults`` says
what is wrong with them. ``core.line_protocol`` makes columns of the tables.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.compiled import Bytes, compiled, inlined
from core.json_texts import NOT_OURS, NULL, Spans
from core.line_names import (
    BACKSLASH,
    BREAK,
    COLON,
    COMMA,
    EQUALS,
    FIELD,
    KEY,
    MEASUREMENT,
    NUMBER,
    POINT,
    QUOTE,
    RETURN,
    SPACE,
    STREAM,
    VALUE,
    find_end,
    write_plain,
    write_safe,
)
from core.line_values import FALSE, NO_TIME, NOTHING, TRUE, find_kind, read_time, skip_text
from core.rows import Bools, Ints
from core.safe_names import NAME_BYTES_MAX, cut_name

TAGS_MAX: Final = 64
"""Tags of one line: what collectors add by themselves are some ten."""

TOO_MANY: Final = -2
"""Stands for the place behind a body with more readings and bad lines than are taken."""

_LINES, _READINGS, _BAD, _TEXTS, _TAGS, _BREAKS = range(6)
"""What is counted: the last two of the line that is read, and of all lines before it."""

_TAB, _COMMENT, _NINE = (np.uint8(ord(sign)) for sign in "\t#9")


class Wanted(NamedTuple):
    """Keys of tags, as they stand in lines: those that name streams, the best first, and unit."""

    letters: Bytes
    ends: Ints


class Texts(NamedTuple):
    """Texts one behind the other, and where each ends."""

    letters: Bytes
    ends: Ints


class Table(NamedTuple):
    """What was found."""

    counts: Ints
    tags: Ints
    """Of the line that is read: where each tag's key begins and ends, and where its value does."""

    series: Bytes
    """Of the line that is read: its measurement, then its tags, as they stand in channels."""

    streams: Texts
    units: Texts
    times: Ints
    """Nanoseconds since 1970, of each line; NO_TIME where it has none."""

    places: Ints
    """Where each line stands among all, from 0."""

    lines: Ints
    """Of each reading: its line."""

    channels: Texts
    values: Spans
    """Of each reading: where its number stands in the body."""

    truths: Bools
    """Of each reading without a number: what it says instead."""

    bad: NDArray[np.int32]
    """Of each line that is none: where it begins and ends, and where it stands among all."""


def make_table(size: int, rows: int) -> Table:
    """Return room for a body of some bytes, and so many readings or bad lines.

    Room that is not used costs no memory: nothing is written there.
    """
    names = NAME_BYTES_MAX * rows + 3 * size
    return Table(
        counts=np.zeros(6, np.int64),
        tags=np.empty((TAGS_MAX, 3), np.int64),
        series=np.empty(3 * size, np.uint8),
        # A line more than is kept: one without readings leaves its place to the next.
        streams=Texts(np.empty(names, np.uint8), np.zeros(rows + 2, np.int64)),
        units=Texts(np.empty(size, np.uint8), np.zeros(rows + 2, np.int64)),
        times=np.empty(rows + 1, np.int64),
        places=np.empty(rows + 1, np.int64),
        lines=np.empty(rows, np.int64),
        channels=Texts(np.empty(names, np.uint8), np.zeros(rows + 1, np.int64)),
        values=np.empty((rows, 2), np.int32),
        truths=np.empty(rows, np.bool_),
        bad=np.empty((rows, 3), np.int32),
    )


@compiled
def scan_lines(data: Bytes, wanted: Wanted, unit: int, table: Table) -> int:
    """Find everything; return how many text fields were passed over, or TOO_MANY."""
    at, counts = 0, table.counts
    while at < len(data):
        at = _skip_blanks(data, at)
        if data[at] == BREAK or data[at] == _COMMENT:
            at = _find_break(data, at) + 1
            counts[_BREAKS] += 1
            continue
        readings, texts, breaks = counts[_READINGS], counts[_TEXTS], counts[_BREAKS]
        end = _scan_line(data, at, wanted, unit, table)
        if end == NOT_OURS:
            counts[_READINGS], counts[_TEXTS], counts[_BREAKS] = readings, texts, breaks
            end = _note_bad(data, at, table)
        if end == TOO_MANY:
            return TOO_MANY
        at = end + 1
        counts[_BREAKS] += 1
    return int(counts[_TEXTS])


@compiled
def _skip_blanks(data: Bytes, at: int) -> int:
    while data[at] == SPACE or data[at] == _TAB or data[at] == RETURN:
        at += 1
    return at


@compiled
def _find_break(data: Bytes, at: int) -> int:
    while data[at] != BREAK:
        at += 1
    return at


@compiled
def _note_bad(data: Bytes, begin: int, table: Table) -> int:
    """Note where a line stands that is none; return where it ends."""
    row = table.counts[_BAD]
    if row + table.counts[_READINGS] >= len(table.bad):
        return TOO_MANY
    end = _find_line_end(data, begin)
    bad = table.bad[row]
    bad[0], bad[1], bad[2] = begin, end, table.counts[_BREAKS]
    table.counts[_BAD] = row + 1
    for at in range(begin, end):
        table.counts[_BREAKS] += data[at] == BREAK
    return end


@compiled
def _find_line_end(data: Bytes, at: int) -> int:
    """Return where a line ends whatever is wrong with it: a break in a text belongs to it."""
    are_fields = False
    while data[at] != BREAK:
        if data[at] == QUOTE and are_fields and data[at - 1] == EQUALS:
            end, _ = skip_text(data, at + 1)
            if end == NOT_OURS:
                # A text without an end must not take with it all that follows.
                return _find_break(data, at)
            at = end
        are_fields = are_fields or data[at] == SPACE
        at += 1 + (data[at] == BACKSLASH and data[at + 1] != BREAK)
    return at


@inlined
def _scan_line(data: Bytes, at: int, wanted: Wanted, unit: int, table: Table) -> int:
    """Find everything in a line; return where it ends."""
    counts = table.counts
    line, readings = counts[_LINES], counts[_READINGS]
    end = find_end(data, at, MEASUREMENT)
    if end == at:
        return NOT_OURS
    name_end = write_safe(data, (at, end), MEASUREMENT, table.series, 0)
    table.places[line] = counts[_BREAKS]
    counts[_TAGS] = 0
    at = _scan_tags(data, end, table)
    if at == NOT_OURS:
        return NOT_OURS
    series_end = _write_series(data, wanted, name_end, table)
    at = _scan_fields(data, at, (name_end, series_end), table)
    if at >= 0:
        at, table.times[line] = _scan_time(data, at, unit)
    if at >= 0 and counts[_READINGS] > readings:
        counts[_LINES] = line + 1
    return at


@inlined
def _scan_tags(data: Bytes, at: int, table: Table) -> int:
    """Find the tags of a line; return where its fields begin."""
    while data[at] == COMMA:
        count = table.counts[_TAGS]
        begin = at + 1
        end = find_end(data, begin, KEY)
        if count == TAGS_MAX or end == begin or data[end] != EQUALS:
            return NOT_OURS
        at = find_end(data, end + 1, VALUE)
        if at == end + 1 or not _put_in_order(data, (begin, end, at), table.tags, count):
            return NOT_OURS
        table.counts[_TAGS] = count + 1
    return _skip_blanks(data, at) if data[at] == SPACE else NOT_OURS


@compiled
def _put_in_order(data: Bytes, tag: tuple[int, int, int], tags: Ints, place: int) -> bool:
    """Put a tag where its key belongs among those before a place; return whether it is new."""
    while place > 0:
        order = _compare(data, (tags[place - 1, 0], tags[place - 1, 1]), data, (tag[0], tag[1]))
        if order == 0:
            return False
        if order < 0:
            break
        for part in range(3):
            tags[place, part] = tags[place - 1, part]
        place -= 1
    for part in range(3):
        tags[place, part] = tag[part]
    return True


@compiled
def _compare(left: Bytes, ours: tuple[int, int], right: Bytes, theirs: tuple[int, int]) -> int:
    """Return less than 0, 0, or more, as a text comes before another, is it, or comes after it."""
    length, other = ours[1] - ours[0], theirs[1] - theirs[0]
    for index in range(min(length, other)):
        # Compared and not subtracted: a byte has no sign.
        one, two = left[ours[0] + index], right[theirs[0] + index]
        if one != two:
            return -1 if one < two else 1
    return length - other


@inlined
def _write_series(data: Bytes, wanted: Wanted, at: int, table: Table) -> int:
    """Write a line's stream, unit and other tags, these behind its measurement; return the end."""
    line, tags, count = table.counts[_LINES], table.tags, table.counts[_TAGS]
    stream, unit = _find_wanted(data, wanted, tags, count)
    ends = table.streams.ends
    ends[line + 1] = ends[line]
    if stream != NOT_OURS:
        value = tags[stream, 1] + 1, tags[stream, 2]
        end = write_safe(data, value, STREAM, table.streams.letters, ends[line])
        ends[line + 1] = cut_name(table.streams.letters, ends[line], end)
    ends = table.units.ends
    ends[line + 1] = ends[line]
    if unit != NOT_OURS:
        value = tags[unit, 1] + 1, tags[unit, 2]
        ends[line + 1] = write_plain(data, value, table.units.letters, ends[line])
    for tag in range(count):
        if tag != stream and tag != unit:  # noqa: PLR1714 (compiled: no set is made)
            table.series[at] = COLON
            at = write_safe(data, (tags[tag, 0], tags[tag, 1]), KEY, table.series, at + 1)
            table.series[at] = EQUALS
            at = write_safe(data, (tags[tag, 1] + 1, tags[tag, 2]), VALUE, table.series, at + 1)
    return at


@compiled
def _find_wanted(data: Bytes, wanted: Wanted, tags: Ints, count: int) -> tuple[int, int]:
    """Return which tag names the stream, and which the unit."""
    stream = unit = NOT_OURS
    unit_at = len(wanted.ends) - 2
    best = unit_at
    for tag in range(count):
        key = tags[tag, 0], tags[tag, 1]
        for at in range(unit_at + 1):
            if _compare(data, key, wanted.letters, (wanted.ends[at], wanted.ends[at + 1])) == 0:
                if at < best:
                    stream, best = tag, at
                if at == unit_at:
                    unit = tag
    return stream, unit


@inlined
def _scan_fields(data: Bytes, at: int, series: tuple[int, int], table: Table) -> int:
    """Find the fields of a line; return where they end."""
    while True:
        begin = at
        end = find_end(data, begin, KEY)
        if end == begin or data[end] != EQUALS:
            return NOT_OURS
        if data[end + 1] == QUOTE:
            at, breaks = skip_text(data, end + 2)
            table.counts[_BREAKS] += breaks
            table.counts[_TEXTS] += 1
            at += at != NOT_OURS
        else:
            at = _note_reading(data, (begin, end), series, table)
        if at < 0 or data[at] != COMMA:
            return at
        at += 1


@inlined
def _note_reading(data: Bytes, key: tuple[int, int], series: tuple[int, int], table: Table) -> int:
    """Note the value of a field, and write its channel; return where the value ends."""
    begin = key[1] + 1
    end = find_end(data, begin, NUMBER)
    kind = find_kind(data, begin, end)
    if kind == NOTHING:
        return NOT_OURS
    row = table.counts[_READINGS]
    if row + table.counts[_BAD] >= len(table.lines):
        return TOO_MANY
    table.counts[_READINGS] = row + 1
    table.lines[row] = table.counts[_LINES]
    is_word = kind >= FALSE
    table.values[row, 0] = NULL if is_word else begin
    has_letter = not is_word and data[end - 1] > _NINE
    table.values[row, 1] = end - has_letter
    table.truths[row] = kind == TRUE
    letters, ends = table.channels
    at = _copy(table.series, 0, series[0], letters, ends[row])
    letters[at] = POINT
    at = write_safe(data, key, FIELD, letters, at + 1)
    at = _copy(table.series, series[0], series[1], letters, at)
    ends[row + 1] = cut_name(letters, ends[row], at)
    return end


@compiled
def _copy(source: Bytes, begin: int, end: int, letters: Bytes, at: int) -> int:
    for index in range(begin, end):
        letters[at] = source[index]
        at += 1
    return at


@compiled
def _scan_time(data: Bytes, at: int, unit: int) -> tuple[int, int]:
    """Return where a line ends, and its time, if it has one."""
    if data[at] != SPACE and data[at] != RETURN and data[at] != BREAK:
        return NOT_OURS, NO_TIME
    at = _skip_blanks(data, at)
    time = NO_TIME
    if data[at] != BREAK:
        end = find_end(data, at, NUMBER)
        time = read_time(data, at, end, unit)
        if time == NO_TIME:
            return NOT_OURS, NO_TIME
        at = _skip_blanks(data, end)
    return (at if data[at] == BREAK else NOT_OURS), time
