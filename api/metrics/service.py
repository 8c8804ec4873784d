"""Metrics service: windows of a stream's chat and of its channels alike.

one page, JSON, cached | a thinned range, JSON, cached | a file, page by page
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import Request, Response

from api.answers import answer_cached
from api.deps import Resources
from api.formats import FormatName, Rows, choose_format, send_file
from api.metrics.schemas import THINNED_ROWS_MAX, MetricsQuery, write_window_position
from api.paging import write_page
from core.errors import InvalidError
from core.resolutions import Resolution
from core.scopes import scope_of_stream
from core.windows import CHANNEL, CHAT, WindowTable
from db.minutes import Span
from db.streams import StreamStore
from db.windows import Source, WindowStore

FILE_PAGE_ROWS: Final = 2000
"""Rows of a file that are in memory at once; a file has a row a window and so needs no limit."""


async def answer_windows(
    request: Request, uses: Resources, source: Source, query: MetricsQuery, accept: str
) -> Response:
    """Answer with windows, in the format that the client wants."""
    asked = WindowRequest(uses, source, query)
    wanted = choose_format(query.format, accept)
    if wanted != "json":
        return await asked.send_file(wanted)
    scope = scope_of_stream(source.stream_id)
    ttl_s = uses.settings.cache_ttl_metrics
    return await answer_cached(request, uses, scope, ttl_s=ttl_s, load=asked.load, varies=True)


async def list_whole(
    uses: Resources, source: Source, resolution: Resolution, span: Span
) -> list[dict[str, Any]]:
    """Return all windows of a span, which is shown as a whole.

    Raises:
        InvalidError: There are more than one answer is made from.
        NotFoundError: There is no such stream.
    """
    rows = await _list_windows(uses, source, resolution, replace(span, limit=THINNED_ROWS_MAX + 1))
    _refuse_too_many(rows, resolution)
    return rows


async def list_thinned(
    uses: Resources, asked: "WindowRequest", resolution: Resolution, points: int
) -> list[dict[str, Any]]:
    """Return so many windows of a span that every peak is still there.

    First only the curves are read, and then the whole rows of those that are shown.

    Raises:
        InvalidError: There are more than one answer is made from.
        NotFoundError: There is no such stream.
    """
    source, span = asked.source, replace(asked.query.to_span(), limit=THINNED_ROWS_MAX + 1)
    async with (
        uses.pool.connection() as connection,
        # Nothing changes between the two: every peak that was picked is still one.
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        store = WindowStore(connection)
        curves = await store.list_curves(source, resolution, span)
        if not curves:
            await StreamStore(connection).require(source.stream_id)
            return []
        _refuse_too_many(curves, resolution)
        starts = await asyncio.to_thread(asked.table.pick, curves, points)
        chosen = Span(starts[-1], starts[0] + resolution.width, len(starts), starts)
        return await store.list_windows(source, resolution, chosen)


def _refuse_too_many(rows: Sequence[object], resolution: Resolution) -> None:
    if len(rows) > THINNED_ROWS_MAX:
        raise InvalidError(
            f"The range has more than {THINNED_ROWS_MAX} rows of {resolution.name}. Ask for a"
            " coarser resolution, or for a later start."
        )


async def _list_windows(
    uses: Resources, source: Source, resolution: Resolution, span: Span
) -> list[dict[str, Any]]:
    """Read windows; when there are none, ask whether the stream exists at all."""
    async with uses.pool.connection() as connection:
        rows = await WindowStore(connection).list_windows(source, resolution, span)
        if not rows:
            await StreamStore(connection).require(source.stream_id)
    return rows


@dataclass(frozen=True, slots=True)
class WindowRequest:
    """A question about the windows of one source."""

    uses: Resources
    source: Source
    query: MetricsQuery

    @property
    def resolution(self) -> Resolution:
        """The resolution asked for, or one that suits the range."""
        return self.query.choose_resolution(self.uses.clock.now())

    @property
    def table(self) -> WindowTable:
        """The columns of the windows."""
        return CHAT if self.source.channel is None else CHANNEL

    async def load(self) -> bytes:
        """Return one page, or the whole range thinned, as JSON."""
        resolution = self.resolution
        if self.query.points is not None:
            rows = await list_thinned(self.uses, self, resolution, self.query.points)
            return write_page(rows, next_position=None, resolution=resolution.name)
        span = self.query.to_span()
        rows = await _list_windows(self.uses, self.source, resolution, span)
        limit = span.limit - 1
        more = None
        if len(rows) > limit:
            more = write_window_position(rows[limit - 1]["window_start"], resolution)
        return write_page(rows[:limit], next_position=more, resolution=resolution.name)

    async def send_file(self, file_format: FormatName) -> Response:
        """Send the range as a file."""
        resolution = self.resolution
        pages = self._list_pages(resolution)
        names = [self.source.stream_id, self.source.channel or "metrics", resolution.name]
        return await send_file(pages, self.table, file_format, *names)

    async def _list_pages(self, resolution: Resolution) -> AsyncIterator[Rows]:
        """Read the range page by page; no connection is held while a slow client reads one."""
        if self.query.points is not None:
            yield await list_thinned(self.uses, self, resolution, self.query.points)
            return
        span = self.query.to_span()
        left = self.query.rows_max
        while True:
            size = FILE_PAGE_ROWS if left is None else min(left, FILE_PAGE_ROWS)
            rows = await _list_windows(
                self.uses, self.source, resolution, replace(span, limit=size)
            )
            yield rows
            if len(rows) < size or size == left:
                return
            span = replace(span, end=rows[-1]["window_start"])
            left = None if left is None else left - size
