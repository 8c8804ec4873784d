"""Transactions: the raw list of a stream, and its counts and sums by minute."""

from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

from fastapi import APIRouter, Query, Request, Response

from api.answers import ANSWERS, answer_cached
from api.deps import Uses
from api.examples import NO_STREAM, Responses, show_answer, show_problem
from api.paging import CURSOR_TEXT, read_cursor, write_page, write_points
from api.streams.endpoints import StreamId
from api.transactions.schemas import TransactionMinutePage, TransactionPage, TransactionQuery
from core.errors import InvalidError
from core.scopes import scope_of_stream
from core.times import parse_time
from db.streams import StreamStore
from db.transactions import TransactionFilter, TransactionStore

PATH: Final = "/api/v1/streams/northlight_live/transactions"
POINT: Final = {
    "stream_id": "northlight_live",
    "timestamp": "2026-01-26T10:32:15Z",
    "kind": "donation",
    "amount": 5.0,
    "currency": "EUR",
    "user": "vela_",
}
MINUTE: Final = {
    "stream_id": "northlight_live",
    "window_start": "2026-01-26T10:32:00Z",
    "window_end": "2026-01-26T10:33:00Z",
    "kind": "donation",
    "currency": "EUR",
    "count": 3,
    "sum": 25.0,
    "revision": 1855412307460096,
    "final": True,
}

router = APIRouter(
    prefix="/streams/{stream_id}/transactions", tags=["transactions"], responses=ANSWERS
)

Wanted: TypeAlias = Annotated[TransactionQuery, Query()]


def _show(row: dict[str, Any], path: str) -> Responses:
    wrong = (
        "kind: Input should be 'donation', 'subscription', 'bits', 'gift_sub', 'renewal' or 'other'"
    )
    return {
        **show_answer({"data": [row], "next_cursor": None}),
        **show_problem(404, path, NO_STREAM),
        **show_problem(422, path, wrong, "kind"),
    }


@router.get(
    "",
    response_model=TransactionPage,
    summary="Read the transactions of a stream",
    responses=_show(POINT, PATH),
)
async def list_transactions(
    request: Request, uses: Uses, stream_id: StreamId, query: Wanted
) -> Response:
    """Return transactions as they were sent, newest first, as long as raw points are kept."""
    wanted = query.to_points()

    async def load() -> bytes:
        async with uses.pool.connection() as connection:
            chosen = _to_filter(stream_id, query)
            rows = await TransactionStore(connection).list_transactions(chosen, wanted)
            if not rows:
                await StreamStore(connection).require(stream_id)
        return write_points(rows, wanted)

    ttl_s = uses.settings.cache_ttl_metrics
    return await answer_cached(request, uses, scope_of_stream(stream_id), ttl_s=ttl_s, load=load)


@router.get(
    "/minutes",
    response_model=TransactionMinutePage,
    summary="Read counts and sums of transactions by minute, kind and currency",
    responses=_show(MINUTE, f"{PATH}/minutes"),
)
async def list_transaction_minutes(
    request: Request, uses: Uses, stream_id: StreamId, query: Wanted
) -> Response:
    """Return minutes, newest first; a minute without transactions has no row.

    ``sum`` adds the amounts that were sent; transactions without an amount are counted only.
    """
    span = query.model_copy(update={"cursor": None}).to_span()
    after = _read_place(query.cursor) if query.cursor else None

    async def load() -> bytes:
        async with uses.pool.connection() as connection:
            chosen = _to_filter(stream_id, query)
            rows = await TransactionStore(connection).list_minutes(chosen, span, after)
            if not rows:
                await StreamStore(connection).require(stream_id)
        limit = span.limit - 1
        more = _write_place(rows[limit - 1]) if len(rows) > limit else None
        return write_page(rows[:limit], next_position=more)

    ttl_s = uses.settings.cache_ttl_metrics
    return await answer_cached(request, uses, scope_of_stream(stream_id), ttl_s=ttl_s, load=load)


def _to_filter(stream_id: str, query: TransactionQuery) -> TransactionFilter:
    return TransactionFilter(stream_id, kind=query.kind, currency=query.currency)


def _write_place(row: dict[str, Any]) -> str:
    return f"{row['window_start'].isoformat()}|{row['kind']}|{row['currency'] or ''}"


def _read_place(cursor: str) -> tuple[datetime, str, str]:
    try:
        time, kind, currency = read_cursor(cursor).split("|", 2)
        return parse_time(time), kind, currency
    except ValueError:
        raise InvalidError(CURSOR_TEXT) from None
