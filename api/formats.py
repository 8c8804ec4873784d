"""Formats: what a table is sent as, and how a client says so.

?format=csv   or   Accept: text/csv   ->   pages of rows   ->   one file, written as it is sent
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias

from fastapi import Header
from fastapi.responses import StreamingResponse

from core.exports import ArrowWriter, CsvWriter, Writer
from core.windows import WindowTable

FormatName: TypeAlias = Literal["json", "csv", "arrow"]
Accept: TypeAlias = Annotated[str, Header(include_in_schema=False)]
Rows: TypeAlias = Sequence[dict[str, Any]]

_MEDIA_TYPES: Final[Mapping[str, FormatName]] = {
    "application/json": "json",
    "text/csv": "csv",
    "application/vnd.apache.arrow.stream": "arrow",
}
_WRITERS: Final[Mapping[str, type[Writer]]] = {"csv": CsvWriter, "arrow": ArrowWriter}
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9.-]+")

FILES: Final[dict[str, Any]] = {
    "text/csv": {"schema": {"type": "string"}},
    "application/vnd.apache.arrow.stream": {"schema": {"type": "string", "format": "binary"}},
}
"""The formats beside JSON, for the pages of the API."""


def choose_format(asked: FormatName | None, accept: str) -> FormatName:
    """Return the format asked for, or the first one that a client accepts."""
    if asked is not None:
        return asked
    named = (part.partition(";")[0].strip().lower() for part in accept.split(","))
    return next((_MEDIA_TYPES[name] for name in named if name in _MEDIA_TYPES), "json")


async def send_file(
    pages: AsyncIterator[Rows], table: WindowTable, file_format: FormatName, *names: str
) -> StreamingResponse:
    """Send pages of rows as one file, each as soon as it is read; the names make up the file's."""
    writer = _WRITERS[file_format]()
    # The first page comes before the head of the answer: a refusal is still a problem document.
    first = await asyncio.to_thread(_write, writer, table, await anext(pages))

    async def write_pages() -> AsyncIterator[bytes]:
        yield first
        async for page in pages:
            yield await asyncio.to_thread(_write, writer, table, page)
        yield writer.close()

    stem = "_".join(_UNSAFE.sub("-", name) for name in names)
    headers = {
        "Content-Disposition": f'attachment; filename="{stem}.{writer.suffix}"',
        "Cache-Control": "no-store",
        "Vary": "Accept",
    }
    return StreamingResponse(write_pages(), media_type=writer.media_type, headers=headers)


def _write(writer: Writer, table: WindowTable, rows: Rows) -> bytes:
    return writer.write(table.to_frame(rows))
