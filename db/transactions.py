"""Transactions: the raw list, and what their minutes count and sum."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from db.minutes import END, PointSpan, Span
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("transactions")


@dataclass(frozen=True, slots=True)
class TransactionFilter:
    """Which transactions a list names."""

    stream_id: str
    kind: str | None = None
    currency: str | None = None


class TransactionStore:
    """Reads transactions through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_transactions(
        self, wanted: TransactionFilter, span: PointSpan
    ) -> list[dict[str, Any]]:
        """Return transactions, newest first."""
        rows = await self._connection.fetch(
            SQL["list_transactions"],
            wanted.stream_id,
            wanted.kind,
            wanted.currency,
            *span.to_parameters(),
        )
        return [dict(row) for row in rows]

    async def list_minutes(
        self, wanted: TransactionFilter, span: Span, after: tuple[datetime, str, str] | None = None
    ) -> list[dict[str, Any]]:
        """Return minutes by kind and currency, newest first.

        Args:
            wanted: Which of them.
            span: When, and how many.
            after: Start, kind and currency of the last row of the page before.
        """
        rows = await self._connection.fetch(
            SQL["list_transaction_minutes"],
            wanted.stream_id,
            wanted.kind,
            wanted.currency,
            span.start,
            span.end,
            *(after or (END, "", "")),
            span.limit,
        )
        return [dict(row) for row in rows]

    async def sum_up(self, stream_id: str, span: Span, width: timedelta) -> list[dict[str, Any]]:
        """Return counts and sums by stretch of time, kind and currency, oldest first."""
        rows = await self._connection.fetch(
            SQL["sum_transactions"], stream_id, span.start, span.end, width, span.limit
        )
        return [dict(row) for row in rows]
