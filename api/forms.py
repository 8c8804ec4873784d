"""Forms: multipart bodies with one file, read as they come, the file straight to the disk.

    chunks ─► parts ─┬─► the file, chunk by chunk, up to its limit
                     ╰─► short fields, each up to the limit of all

Memory holds one chunk and the fields, however large the file is, and whoever breaks off or takes
too long leaves nothing behind but a file that its owner removes.
"""

import asyncio
import errno
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from core.errors import (
    BadRequestError,
    FieldError,
    InvalidError,
    StorageFullError,
    TooLargeError,
    UnsupportedMediaError,
)

FIELDS_BYTES_MAX: Final = 65_536
"""Of all fields beside the file, with what multipart adds to each."""

PARTS_MAX: Final = 32
SILENT_S_MAX: Final = 30.0
"""Whoever sends nothing for so long is gone."""

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class FormRules:
    """What a form may hold."""

    file_field: str
    bytes_max: int
    """Of the file."""

    @property
    def body_bytes_max(self) -> int:
        """Of the whole body."""
        return self.bytes_max + FIELDS_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Form:
    """What a form held."""

    fields: dict[str, str]
    size: int
    """Of the file, in bytes."""

    digest: bytes
    """SHA-256 of it."""


async def read_form(request: Request, target: Path, rules: FormRules) -> Form:
    """Write the file of a form to a path and return the rest of it.

    Raises:
        BadRequestError: It is no form, or it breaks off.
        InvalidError: The file is missing, empty or there twice, or a field is no text.
        StorageFullError: The disk is full.
        TooLargeError: The file or the fields are over their limits.
        UnsupportedMediaError: The body is something else.
    """
    boundary = _find_boundary(request)
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > rules.body_bytes_max:
        raise _describe_excess(rules)
    try:
        with await asyncio.to_thread(open_target, target) as opened:
            reader = _Reader(boundary, rules)
            async for chunk in _receive(request):
                reader.feed(chunk)
                await _drain(reader, opened)
            form = reader.finish()
            await asyncio.to_thread(opened.flush)
            return form
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFullError("The disk is full. Nothing was kept.") from error
        raise


def open_target(target: Path) -> BinaryIO:
    """Open the file that is written."""
    return target.open("wb")


class _Reader:
    """Takes a body apart as it comes."""

    def __init__(self, boundary: bytes, rules: FormRules) -> None:
        self.pending = bytearray()
        """Bytes of the file that are not written yet."""

        self._rules = rules
        self._digest = hashlib.sha256()
        self._size = 0
        self._received = 0
        self._texts: dict[str, bytearray] = {}
        self._text_bytes = 0
        self._parts = 0
        self._name: str | None = None
        self._has_file = False
        self._is_done = False
        self._header, self._value = bytearray(), bytearray()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_header,
                "on_header_value": self._add_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._add_data,
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        self._received += len(chunk)
        if self._received > self._rules.body_bytes_max:
            raise _describe_excess(self._rules)
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise BadRequestError("The body is no multipart form: a part begins wrong.") from error

    def finish(self) -> Form:
        """Return the form once the body is over."""
        if not self._is_done:
            raise BadRequestError("The form breaks off. Nothing was kept; send it again.")
        if not self._has_file or self._size == 0:
            raise _refuse(self._rules.file_field, "a file with something in it is needed")
        fields = {name: _decode(name, text) for name, text in self._texts.items()}
        return Form(fields, self._size, self._digest.digest())

    def _begin_part(self) -> None:
        self._parts += 1
        self._name = None
        if self._parts > PARTS_MAX:
            raise TooLargeError(f"A form has at most {PARTS_MAX} parts.")

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            self._name = options.get(b"name", b"").decode(errors="replace")
        self._header, self._value = bytearray(), bytearray()

    def _end_headers(self) -> None:
        if not self._name:
            raise BadRequestError("A part of the form has no name.")
        if self._name == self._rules.file_field:
            if self._has_file:
                raise _refuse(self._name, "it is there twice")
            self._has_file = True
            return
        if self._name in self._texts:
            raise _refuse(self._name, "it is there twice")
        self._texts[self._name] = bytearray()

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        part = data[start:end]
        if self._name == self._rules.file_field:
            self._size += len(part)
            if self._size > self._rules.bytes_max:
                raise _describe_excess(self._rules)
            self._digest.update(part)
            self.pending += part
            return
        self._text_bytes += len(part)
        if self._text_bytes > FIELDS_BYTES_MAX:
            raise TooLargeError(f"The fields are over {FIELDS_BYTES_MAX} bytes.")
        self._texts[str(self._name)] += part

    def _end(self) -> None:
        self._is_done = True


def _find_boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
        raise UnsupportedMediaError("Send a form: multipart/form-data, with its boundary.")
    return boundary


async def _receive(request: Request) -> AsyncIterator[bytes]:
    stream = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(SILENT_S_MAX):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except ClientDisconnect as error:
            raise BadRequestError("The upload broke off. Nothing was kept.") from error
        except TimeoutError as error:
            raise BadRequestError(
                f"Nothing came for {SILENT_S_MAX:.0f} s. Nothing was kept; send it again."
            ) from error
        yield chunk


async def _drain(reader: _Reader, opened: BinaryIO) -> None:
    if reader.pending:
        part = bytes(reader.pending)
        reader.pending.clear()
        await asyncio.to_thread(opened.write, part)


def _decode(name: str, text: bytearray) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise _refuse(name, "it is no text in UTF-8") from None


def _refuse(name: str, reason: str) -> InvalidError:
    return InvalidError(f"{name}: {reason}", errors=[FieldError(name, reason)])


def _describe_excess(rules: FormRules) -> TooLargeError:
    return TooLargeError(
        f"{rules.file_field}: it is over the limit of {rules.bytes_max / 1024**2:.0f} MB."
        " Nothing was kept. Send it in pieces, or as FLAC or Opus."
    )
