"""Alerts: what deciding reads and writes, in one transaction.

lock -> changes, due groups -> moments, watches, groups -> core decides -> all of it written back
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

import orjson

from core.alert_groups import GroupState
from core.alert_routes import AlertRoute, read_route
from core.alert_watches import Watch, read_watch
from core.alerts import Subject
from core.moment_lives import find_state, read_life
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("alerts")

PROCESS: Final = "telemetra-alerts"
"""By which the database knows the connections of whoever decides and sends."""

WAITING_MAX: Final = 200
"""What is looked at of one group: twice what one telling takes."""

WAITING_COUNTED_MAX: Final = 1000
"""More that waits is not counted: it is enough to see that it does."""

ROWS_MAX: Final = 100_000
"""Rows of any answer: more than 500 changes, of 200 rules, can be about."""

Row = dict[str, Any]
Place: TypeAlias = tuple[str, str]
"""A rule, and a group or a moment of it."""


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery as it is decided."""

    delivery_id: str
    rule_id: str
    route_id: str
    group_key: str
    severity: str
    content: Mapping[str, Any]
    moment_ids: list[str]


@dataclass(frozen=True, slots=True)
class AlertsMeasured:
    """How whoever decides and sends gets on, as the database sees it."""

    connections: int
    """0: nobody is there."""

    idle_s: float | None
    """Since it was last asked anything; None where that may not be known."""

    changes: int
    changes_oldest_s: float | None
    deliveries: int
    deliveries_oldest_s: float | None


class AlertStore:
    """Reads and writes through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_due(self, now: datetime, limit: int) -> list[Place]:
        """Return groups in which something may be told, the longest due first."""
        rows = await self._connection.fetch(SQL["list_due_groups"], now, limit)
        return [(row["rule_id"], row["group_key"]) for row in rows]

    async def find_next_due(self) -> datetime | None:
        """Return when a group is due next."""
        due: datetime | None = await self._connection.fetchval(SQL["find_next_due"])
        return due

    async def measure(self) -> AlertsMeasured:
        """Return who decides and sends, and what waits for them."""
        row = await self._connection.fetchrow(SQL["measure_alerts"], PROCESS, WAITING_COUNTED_MAX)
        assert row is not None  # noqa: S101 (a list of counts has one row)
        return AlertsMeasured(*row)

    async def list_past(self, since: datetime, limit: int) -> list[Row]:
        """Return moments since a time, newest first."""
        rows = await self._connection.fetch(SQL["list_past"], since, limit)
        return [dict(row) for row in rows]

    async def list_subjects(self, places: Mapping[str, datetime]) -> list[Row]:
        """Return moments by id and time; one that was deleted is missing."""
        if not places:
            return []
        times = places.values()
        rows = await self._connection.fetch(
            SQL["list_subjects"], [*places], min(times), max(times), len(places)
        )
        return [dict(row) for row in rows]

    async def list_of_streams(
        self, streams: Collection[str], types: Collection[str], *, since: datetime, limit: int
    ) -> list[Row]:
        """Return moments of some types in some streams, newest first."""
        rows = await self._connection.fetch(
            SQL["list_of_streams"], list(streams), since, list(types), limit
        )
        return [dict(row) for row in rows]

    async def list_watches(self, moment_ids: Collection[str]) -> dict[Place, Watch]:
        """Return every rule's watch of some moments."""
        rows = await self._connection.fetch(SQL["list_watches"], list(moment_ids), ROWS_MAX)
        return {(row["rule_id"], row["moment_id"]): read_watch(dict(row)) for row in rows}

    async def list_waiting(self, groups: Collection[Place]) -> dict[Place, list[Watch]]:
        """Return what waits in some groups."""
        rows = await self._connection.fetch(
            SQL["list_waiting"], *_split(groups), WAITING_MAX, ROWS_MAX
        )
        waiting: dict[Place, list[Watch]] = {place: [] for place in groups}
        for row in rows:
            waiting[row["rule_id"], row["group_key"]].append(read_watch(dict(row)))
        return waiting

    async def list_groups(self, groups: Collection[Place]) -> dict[Place, GroupState]:
        """Return what is remembered of some groups."""
        rows = await self._connection.fetch(SQL["list_groups"], *_split(groups), len(groups))
        return {
            (row["rule_id"], row["group_key"]): GroupState(row["told_at"], row["due_at"])
            for row in rows
        }

    async def write_watches(self, watches: Mapping[Place, Watch | None], now: datetime) -> None:
        """Write watches, and let go of those that are None."""
        kept = [{"rule_id": place[0], **asdict(watch)} for place, watch in watches.items() if watch]
        gone = [place for place, watch in watches.items() if watch is None]
        if kept:
            await self._connection.execute(SQL["upsert_watches"], _write(kept), now)
        if gone:
            await self._connection.execute(SQL["delete_watches"], *_split(gone))

    async def write_groups(self, groups: Mapping[Place, GroupState], now: datetime) -> None:
        """Write what is to be remembered of groups."""
        if groups:
            states = groups.values()
            await self._connection.execute(
                SQL["upsert_groups"],
                *_split(groups),
                [state.told_at for state in states],
                [state.due_at for state in states],
                now,
            )

    async def write_deliveries(self, deliveries: Sequence[NewDelivery], now: datetime) -> None:
        """Write deliveries; one that was written before stays as it is."""
        if deliveries:
            rows = _write([asdict(delivery) for delivery in deliveries])
            await self._connection.execute(SQL["insert_deliveries"], rows, now)

    async def lease_beats(self, *, before: datetime, now: datetime, limit: int) -> list[AlertRoute]:
        """Return Alertmanagers that were told nothing for a while; nobody else gets them."""
        rows = await self._connection.fetch(SQL["lease_beat"], before, now, limit)
        return [read_route(dict(row)) for row in rows]

    async def list_told(self, route_id: str, *, since: datetime, limit: int) -> dict[Place, Watch]:
        """Return what was told over a route and goes on, and what was over since a time."""
        rows = await self._connection.fetch(SQL["list_told"], route_id, since, limit)
        return {(row["rule_id"], row["moment_id"]): read_watch(dict(row)) for row in rows}


def read_subject(row: Mapping[str, Any], noted_at: datetime | None, now: datetime) -> Subject:
    """Return a stored moment as rules look at it."""
    tags = row["stream_tags"]
    return Subject(
        moment_id=row["moment_id"],
        timestamp=row["timestamp"],
        stream_id=row["stream_id"],
        moment_type=row["moment_type"],
        score=row["score"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        state=find_state(read_life(row), row["ended_at"], now),
        # Its stream may have been deleted while a change of it waited.
        stream_kind=row["stream_kind"] or "stream",
        stream_tags=tuple(tag for tag in tags if isinstance(tag, str))
        if isinstance(tags, list)
        else (),
        is_withdrawn=row["metadata"].get("withdrawn") is True,
        noted_at=noted_at,
    )


def _split(places: Iterable[Place]) -> tuple[list[str], list[str]]:
    pairs = list(places)
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _write(rows: list[dict[str, Any]]) -> str:
    return orjson.dumps(rows).decode()
