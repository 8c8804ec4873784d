"""Arrow streams: what a stream of record batches claims to hold, looked at before it is believed.

    length, metadata, buffers │ length, metadata, buffers │ …
              └─ rows, columns, plain sizes of the buffers ─► within the limits, or refused

A reader makes room for what the metadata names: a few bytes may name gigabytes, columns nested a
thousand deep, or a tree whose branches are all the same one. Only the framing is walked here; the
tables are those of FlatBuffers. Used by ``core.arrow_events``.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from core.errors import BadRequestError, TooLargeError

METADATA_BYTES_MAX: Final = 65_536
"""Of one message: names and types of some hundred columns fit many times."""

COLUMNS_MAX: Final = 1_000
"""Columns with those inside of them."""

DEPTH_MAX: Final = 16
"""Columns inside of columns; a list of texts is two."""

MESSAGES_MAX: Final = 10_000
"""Batches, each of which costs its own start."""

ROWS_FREE: Final = 10_000
"""So many rows are taken whatever their size."""

ROW_BYTES_MIN: Final = 32
"""No event is shorter: a body of more rows than its bytes allow holds mostly nothing."""

_CONTINUES: Final = b"\xff\xff\xff\xff"
_SCHEMA, _DICTIONARY, _RECORDS = 1, 2, 3


class _Table(NamedTuple):
    """A table of FlatBuffers: where its fields stand is told by a table of its own before it."""

    data: bytes
    at: int

    def find(self, number: int) -> int | None:
        """Return where a field stands; None where it is left out."""
        (distance,) = struct.unpack_from("<i", self.data, self.at)
        directory = self.at - distance
        (size,) = struct.unpack_from("<H", self.data, directory)
        place = 4 + 2 * number
        if place >= size:
            return None
        (offset,) = struct.unpack_from("<H", self.data, directory + place)
        return self.at + offset if offset else None

    def read(self, number: int, form: str) -> int:
        """Return a number; 0 where it is left out."""
        at = self.find(number)
        return 0 if at is None else int(struct.unpack_from(form, self.data, at)[0])

    def follow(self, number: int) -> "_Table | None":
        """Return the table that a field leads to."""
        at = self.find(number)
        return None if at is None else _Table(self.data, self._jump(at))

    def find_vector(self, number: int) -> tuple[int, int]:
        """Return how many items a list has and where the first stands."""
        at = self.find(number)
        if at is None:
            return 0, 0
        begin = self._jump(at)
        return struct.unpack_from("<I", self.data, begin)[0], begin + 4

    def list_tables(self, number: int) -> Iterator["_Table"]:
        """Yield the tables of a list."""
        count, begin = self.find_vector(number)
        for index in range(count):
            yield _Table(self.data, self._jump(begin + 4 * index))

    def read_text(self, number: int) -> str:
        """Return a text; nothing where it is left out."""
        size, begin = self.find_vector(number)
        return self.data[begin : begin + size].decode()

    def _jump(self, at: int) -> int:
        return at + int(struct.unpack_from("<I", self.data, at)[0])


@dataclass(slots=True)
class _Claim:
    """What was claimed until now."""

    bytes_max: int
    names: list[str]
    rows: int = 0
    size: int = 0

    def add_schema(self, schema: _Table) -> None:
        """Note the columns."""
        fields = list(schema.list_tables(1))
        _count_columns(fields, DEPTH_MAX, COLUMNS_MAX)
        self.names = [field.read_text(0) for field in fields]

    def add_records(self, records: _Table, body: bytes) -> None:
        """Add what a batch holds."""
        self.size += _measure_buffers(records, body)
        self.rows += records.read(0, "<q")
        rows_max = max(ROWS_FREE, self.bytes_max // ROW_BYTES_MIN)
        if self.rows > rows_max:
            raise TooLargeError(f"The stream has more than {rows_max} rows. Send it in parts.")
        count, begin = records.find_vector(1)
        lengths = np.frombuffer(records.data, "<i8", 2 * count, begin)
        # An item of a list needs a byte at least, or there is nothing to be read.
        if self.size > self.bytes_max or (lengths > max(rows_max, self.size)).any():
            raise TooLargeError(
                f"The stream is over the limit of {self.bytes_max // 1_000_000} MB once its buffers"
                " are plain. Send it in parts; nothing of it was taken."
            )
        if self.rows < 0 or (lengths < 0).any():
            raise ValueError("a length is less than nothing")


def list_columns(stream: bytes, *, bytes_max: int) -> list[str]:
    """Return the names of the columns of a stream that keeps the limits.

    Raises:
        BadRequestError: It is no whole stream.
        TooLargeError: It holds more than it may.
    """
    claim = _Claim(bytes_max, [])
    try:
        for kind, header, body in _walk(stream):
            if kind == _SCHEMA:
                claim.add_schema(header)
            elif kind == _RECORDS:
                claim.add_records(header, body)
            elif kind == _DICTIONARY and (records := header.follow(1)) is not None:
                rows = claim.rows
                claim.add_records(records, body)
                claim.rows = rows
    except (struct.error, ValueError, IndexError) as error:
        raise BadRequestError(f"The body is no Arrow stream: {error}.") from None
    return claim.names


def _walk(stream: bytes) -> Iterator[tuple[int, _Table, bytes]]:
    """Yield each message: what it is, its header and what it carries."""
    at, messages = 0, 0
    while at < len(stream):
        if stream[at : at + 4] != _CONTINUES:
            raise ValueError("a message does not begin where the one before ends")
        (size,) = struct.unpack_from("<i", stream, at + 4)
        if size == 0:
            return
        if not 0 < size <= METADATA_BYTES_MAX:
            raise ValueError(f"the metadata of a message has {size} bytes")
        begin, at = at + 8, at + 8 + size
        metadata = stream[begin:at]
        message = _Table(metadata, struct.unpack_from("<I", metadata)[0])
        length, header = message.read(3, "<q"), message.follow(2)
        if length < 0 or at + length > len(stream) or header is None:
            raise ValueError("it ends in the middle of a message")
        messages += 1
        if messages > MESSAGES_MAX:
            raise TooLargeError(f"The stream has over {MESSAGES_MAX} batches. Send larger ones.")
        yield message.read(1, "<B"), header, stream[at : at + length]
        at += length
    raise ValueError("it has no end" if messages else "it is empty")


def _count_columns(fields: list[_Table], depth: int, left: int) -> int:
    """Return how many more columns there may be."""
    for field in fields:
        left = _count_columns(list(field.list_tables(5)), depth - 1, left - 1)
    if left < 0 or depth < 0:
        raise ValueError(f"it has over {COLUMNS_MAX} columns, or some nested over {DEPTH_MAX} deep")
    return left


def _measure_buffers(records: _Table, body: bytes) -> int:
    """Return how large the buffers of a batch are once they are plain."""
    count, begin = records.find_vector(2)
    places = np.frombuffer(records.data, "<i8", 2 * count, begin).reshape(-1, 2)
    offsets, lengths = places[:, 0], places[:, 1]
    if (offsets < 0).any() or (lengths < 0).any() or (offsets > len(body) - lengths).any():
        raise ValueError("a buffer lies outside of its batch")
    if records.find(3) is None:
        return int(lengths.sum())
    if ((lengths > 0) & (lengths < 8)).any():
        raise ValueError("a compressed buffer does not say how large it is")
    # It begins with its plain length, or with -1 where it is plain.
    offsets, lengths = offsets[lengths > 0], lengths[lengths > 0]
    heads = np.frombuffer(body, np.uint8)[offsets[:, None] + np.arange(8)]
    claimed = heads.reshape(-1, 8).copy().view("<i8").ravel()
    return int(np.where(claimed >= 0, claimed, lengths).astype(np.float64).sum())
