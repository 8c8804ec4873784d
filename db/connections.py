"""Connections: they tell which of our statements are slow, by name and never with values.

fetch(SQL["list_moments"], …) ─ took longer than the limit ─► query_slow query=moments.list_moments
"""

# ruff: noqa: ANN401 - asyncpg's own signatures, of which each of these has several.

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
import structlog

from core import metrics
from db.queries import name_query

T = TypeVar("T")

log = structlog.get_logger()


class WatchedConnection(asyncpg.Connection):
    """Logs and counts every statement that takes longer than ``slow_after_s``."""

    slow_after_s: float = 0.0
    """0 watches nothing; whoever opens the connection sets it."""

    def get_reset_query(self) -> str:
        """Return nothing to be sent when the pool takes a connection back.

        Stores leave nothing behind on one: what they set or lock ends with their transaction.
        """
        return ""

    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        """Return all rows."""
        return await self._watch(query, super().fetch(query, *args, **options), len)

    async def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:
        """Return the first row, or None."""
        return await self._watch(query, super().fetchrow(query, *args, **options), _count_one)

    async def fetchval(self, query: str, *args: Any, **options: Any) -> Any:
        """Return a value of the first row, or None."""
        return await self._watch(query, super().fetchval(query, *args, **options), _count_one)

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        """Return what the server says that it did."""
        return await self._watch(query, super().execute(query, *args, **options), _count_done)

    async def copy_from_query(self, query: str, *args: Any, **options: Any) -> str:
        """Copy the rows of a query out."""
        copying = super().copy_from_query(query, *args, **options)
        return await self._watch(query, copying, _count_done)

    async def _watch(self, query: str, work: Awaitable[T], count: Callable[[T], int]) -> T:
        started = time.perf_counter()
        rows: int | None = None
        try:
            done = await work
            rows = count(done)
            return done
        finally:
            seconds = time.perf_counter() - started
            if 0 < self.slow_after_s < seconds:
                _tell_slow(name_query(query), rows, seconds)


def _tell_slow(name: str, rows: int | None, seconds: float) -> None:
    """Log a slow statement; without rows it failed. The request id is in the log's context."""
    metrics.queries_slow_total.labels(name).inc()
    log.warning("query_slow", query=name, rows=rows, ms=round(seconds * 1000, 1))


def _count_one(found: object) -> int:
    return int(found is not None)


def _count_done(status: str) -> int:
    """Return the rows of a status such as ``INSERT 0 5``; what has none did none."""
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0
