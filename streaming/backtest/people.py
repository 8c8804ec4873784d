"""People: what they said of moments that the product found, as truths."""

from collections.abc import Mapping
from typing import Any, Final

from db.minutes import Span as Page
from db.moments import MomentFilter, MomentStore
from db.pool import Connection
from streaming.archive.recounts import Span
from streaming.backtest.truths import RESOLUTION, Truth

PAGE_ROWS: Final = 1000


async def read_labelled(connection: Connection, span: Span, stream_id: str | None) -> list[Truth]:
    """Return the moments of a span that somebody called true or false."""
    store, after, truths = MomentStore(connection), None, list[Truth]()
    while True:
        page = Page(start=span.start, end=span.end, limit=PAGE_ROWS)
        wanted = MomentFilter(page, stream_id=stream_id, after=after)
        rows = await store.list_moments(wanted, now=span.end)
        truths += [read_moment(row) for row in rows if row["label"] is not None]
        if len(rows) < PAGE_ROWS:
            return truths
        after = rows[-1]["timestamp"], rows[-1]["moment_id"]


def read_moment(row: Mapping[str, Any]) -> Truth:
    """Return what somebody said of a stored moment."""
    ended_at = row["ended_at"] or row["peak_at"] + RESOLUTION
    return Truth(
        incident_id=row["moment_id"],
        kind="label",
        stream_id=row["stream_id"],
        metric=row["metric_name"],
        types=(row["moment_type"],),
        started_at=row["started_at"],
        ended_at=ended_at,
        felt_until=ended_at,
        direction=row["direction"],
        is_true=row["label"],
        of_person=True,
    )
