"""Deliveries: leased to whoever sends them, ended with what came of it, listed and sent again.

    queued ─ lease ─► sending ─ end ─► delivered | failed | queued, for later
                         ╰─ lease over ─► leased by somebody else

A lease is the time in ``next_at``: a worker that is killed says nothing, and its deliveries are
simply due again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.alert_routes import ROUTES_MAX, AlertRoute, read_route
from core.alerts import Severity
from core.deliveries import Attempt, DeliveryState
from core.errors import ConflictError, NotFoundError
from core.keys import Caller
from db.audit_log import AuditStore
from db.moment_changes import Waiting
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("deliveries")

CHANNEL: Final = "deliveries"
"""Where the database tells that one is to be sent at once."""

ATTEMPTS_MAX: Final = 500
"""Attempts that are shown of one delivery, the newest."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LeasedDelivery:
    """A delivery that is ours to send for a while."""

    delivery_id: str
    content: Mapping[str, Any]
    is_test: bool
    number: int
    """Of this attempt, among all."""

    tries: int
    """Attempts since it was last queued by a person or a rule, this one among them."""

    first_at: datetime
    """When the first of these began."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What becomes of a delivery after an attempt."""

    state: DeliveryState
    next_at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries a list names."""

    state: str | None = None
    route_id: str | None = None
    rule_id: str | None = None
    moment_id: str | None = None
    after: tuple[datetime, str] | None = None
    """Time and id of the last one of the page before."""


class DeliveryStore:
    """Reads and changes deliveries through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._audit = AuditStore(connection)

    async def list_waiting_routes(self, now: datetime) -> list[AlertRoute]:
        """Return routes over which something may be sent; they are held until the end."""
        rows = await self._connection.fetch(SQL["list_waiting_routes"], now, ROUTES_MAX)
        return [read_route(dict(row)) for row in rows]

    async def count_attempts(self, route_id: str, since: datetime) -> int:
        """Return how often something was sent over a route since a time."""
        return int(await self._connection.fetchval(SQL["count_attempts"], route_id, since))

    async def lease(
        self, route: AlertRoute, *, limit: int, now: datetime, until: datetime
    ) -> list[LeasedDelivery]:
        """Return deliveries that are ours to send until a time; each begins an attempt."""
        severities = [severity for severity in Severity if route.takes(severity, now)]
        rows = await self._connection.fetch(
            SQL["lease_deliveries"], route.route_id, now, severities, limit, until
        )
        leased = [LeasedDelivery(*row) for row in rows]
        await self._connection.execute(
            SQL["insert_attempts"],
            [item.delivery_id for item in leased],
            [item.number for item in leased],
            route.route_id,
            now,
        )
        return leased

    async def end(
        self, leased: LeasedDelivery, attempt: Attempt, ending: Ending, now: datetime
    ) -> None:
        """Write down what came of an attempt."""
        done_at = None if ending.state is DeliveryState.QUEUED else now
        async with self._connection.transaction():
            await self._connection.execute(
                SQL["end_attempt"],
                leased.delivery_id,
                leased.number,
                now,
                attempt.outcome,
                attempt.status,
                attempt.detail,
            )
            await self._connection.execute(
                SQL["end_sending"],
                leased.delivery_id,
                leased.number,
                ending.state,
                ending.next_at,
                done_at,
                ending.reason,
            )

    async def insert_test(
        self,
        delivery_id: str,
        route_id: str,
        content: Mapping[str, Any],
        *,
        actor: Caller,
        now: datetime,
    ) -> None:
        """Write a delivery that tests a route."""
        async with self._connection.transaction():
            await self._connection.execute(SQL["insert_test"], delivery_id, route_id, content, now)
            await self._audit.insert(
                actor, "alert_route.test", route_id, before=None, after={"delivery_id": delivery_id}
            )
            await self._connection.execute(SQL["notify"])

    async def retry(self, delivery_id: str, *, actor: Caller, now: datetime) -> Row:
        """Send a delivery that failed once more.

        Raises:
            NotFoundError: There is no such delivery.
            ConflictError: It has not failed, or its route is gone.
        """
        async with self._connection.transaction():
            before = await self.get(delivery_id)
            if await self._connection.fetchval(SQL["retry_delivery"], delivery_id, now) is None:
                raise ConflictError(
                    f"The delivery is {before['state']}. Only one that failed, and whose route is"
                    " still there, is sent again."
                )
            await self._audit.insert(
                actor,
                "delivery.retry",
                delivery_id,
                before={"state": before["state"], "reason": before["reason"]},
                after={"state": DeliveryState.QUEUED},
            )
            await self._connection.execute(SQL["notify"])
            return await self.get(delivery_id)

    async def get(self, delivery_id: str) -> Row:
        """Return one delivery.

        Raises:
            NotFoundError: There is no such delivery.
        """
        row = await self._connection.fetchrow(SQL["get_delivery"], delivery_id)
        if row is None:
            raise NotFoundError(f"There is no delivery {delivery_id!r}.")
        return dict(row)

    async def list_attempts(self, delivery_id: str) -> list[Row]:
        """Return the attempts of a delivery, newest first."""
        rows = await self._connection.fetch(SQL["list_attempts"], delivery_id, ATTEMPTS_MAX)
        return [dict(row) for row in rows]

    async def list_deliveries(self, wanted: DeliveryFilter, *, limit: int) -> list[Row]:
        """Return deliveries, newest first."""
        moments: Sequence[str] | None = [wanted.moment_id] if wanted.moment_id else None
        rows = await self._connection.fetch(
            SQL["list_deliveries"],
            wanted.state,
            wanted.route_id,
            wanted.rule_id,
            moments,
            *(wanted.after or (None, None)),
            limit,
        )
        return [dict(row) for row in rows]

    async def count_recent(self, *, since: datetime, newer: datetime, limit: int) -> list[Row]:
        """Return what became of deliveries since a time, by rule and route."""
        rows = await self._connection.fetch(SQL["count_recent"], since, newer, limit)
        return [dict(row) for row in rows]

    async def measure_routes(self) -> dict[str, Waiting]:
        """Return what waits, by route."""
        rows = await self._connection.fetch(SQL["measure_routes"], ROUTES_MAX)
        return {row["route_id"]: Waiting(row["waiting"], row["oldest_at"]) for row in rows}
