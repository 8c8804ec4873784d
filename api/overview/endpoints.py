"""Overview: all streams as a page of rows needs them, in few answers and in columns."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Query, Request, Response

from api.answers import ANSWERS, answer_cached
from api.deps import Uses
from api.examples import show_answer, show_problem
from api.overview.schemas import OverviewPage, OverviewQuery
from api.paging import read_cursor, write_cursor
from core.live import LIVE_FOR
from core.scopes import STREAMS_ALL
from db.streams import OverviewSpan, StreamStore

PATH: Final = "/api/v1/overview"
MINUTE: Final = timedelta(minutes=1)
TTL_S: Final = 2
"""How late an answer may notice that a stream fell silent, which nobody commits, and that a minute
began: lines end with the newest one."""

DIGITS: Final = 3
"""Of rates and figures: thousandths are more than any screen shows, and halve the answer."""

ROUNDED: Final = frozenset({"chat_rate", "avg_viewers", "avg_sentiment", "z_score"})
NAMED: Final = ("title", "kind", "last_event_at")
NEWEST: Final = ("window_start", *sorted(ROUNDED), "is_anomaly", "revision", "final")

EXAMPLE: Final[dict[str, Any]] = {
    "data": {
        "id": ["bench-07", "northlight_live"],
        "title": [None, "Northlight: finals week, day 3"],
        "kind": ["bench", "chat"],
        "last_event_at": [None, "2026-01-26T10:32:15.250000Z"],
        "is_live": [False, True],
        "window_start": [None, "2026-01-26T10:32:00Z"],
        "chat_rate": [None, 17.1],
        "avg_viewers": [None, 48_110.4],
        "avg_sentiment": [None, 0.31],
        "z_score": [None, 1.2],
        "is_anomaly": [None, False],
        "revision": [None, 1855412307460096],
        "final": [None, False],
        "rates": [[None, None], [16.2, 17.1]],
    },
    "next_cursor": None,
    "start": "2026-01-26T10:31:00Z",
}

router = APIRouter(prefix="/overview", tags=["streams"], responses=ANSWERS)


@router.get(
    "",
    response_model=OverviewPage,
    summary="List streams in columns",
    responses={
        **show_answer(EXAMPLE),
        **show_problem(422, PATH, "minutes: Input should be less than or equal to 60", "minutes"),
    },
)
async def read_overview(
    request: Request, uses: Uses, query: Annotated[OverviewQuery, Query()]
) -> Response:
    """Return streams by id, each with its newest minute and, if asked for, its last rates.

    What a page of many streams draws comes in one answer; read the rest of a stream under its id.
    """

    async def load() -> bytes:
        now = uses.clock.now()
        end = now.replace(second=0, microsecond=0) + MINUTE
        after = read_cursor(query.cursor) if query.cursor else None
        span = OverviewSpan(after, end - query.minutes * MINUTE, end, query.limit + 1)
        async with uses.pool.connection() as connection:
            rows = await StreamStore(connection).list_overview(span)
        return write_columns(rows, query, span.start, now - LIVE_FOR)

    return await answer_cached(request, uses, STREAMS_ALL, ttl_s=TTL_S, load=load)


def write_columns(
    rows: Sequence[dict[str, Any]], query: OverviewQuery, start: datetime, live_since: datetime
) -> bytes:
    """Return rows as columns; one row more than the limit says that there is another page."""
    shown = rows[: query.limit]
    columns: dict[str, list[Any]] = {"id": [row["stream_id"] for row in shown]}
    for name in (*NAMED, *NEWEST):
        values = [row[name] for row in shown]
        columns[name] = [_round(value) for value in values] if name in ROUNDED else values
    columns["is_live"] = [
        last is not None and last > live_since for last in columns["last_event_at"]
    ]
    columns["rates"] = [_spread(row, query.minutes) for row in shown]
    more = len(rows) > query.limit
    page = {
        "data": columns,
        "next_cursor": write_cursor(shown[-1]["stream_id"]) if more else None,
        "start": start,
    }
    return orjson.dumps(page, option=orjson.OPT_UTC_Z)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _spread(row: dict[str, Any], minutes: int) -> list[float | None]:
    """Return the rates of a stream on the axis of all, with a hole where there was no minute."""
    line: list[float | None] = [None] * minutes
    for minute, rate in zip(row["minutes"] or (), row["rates"] or (), strict=True):
        line[minute] = round(rate, DIGITS)
    return line
